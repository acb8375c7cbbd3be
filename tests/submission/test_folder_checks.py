"""Folders of this machine that somebody hostile could name: refused by their code, unopened."""

import json
import os
import pickle
import socket
import time
from pathlib import Path
from typing import Any

import made_models
import pytest
from made_facts import codes
from made_models import Canary

from submission.findings import Code, refusals
from submission.intake import examine_system
from submission.model_configs import MAX_CONFIG_BYTES, read_configs


def safetensors(path: Path, count: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made_models.safetensors(count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in the form of a pipeline; its weights are zeros."""
    path = tmp_path / "painter"
    safetensors(path / "unet" / "model.safetensors")
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DCondition"]}
    (path / "model_index.json").write_text(json.dumps(index))
    (path / "README.md").write_text("---\nlicense: mit\n---\n# A painter\n")
    return path


def examine(folder: Path) -> set[Code]:
    started = time.monotonic()
    found = codes(examine_system("t2i", f"diffusers:{folder}").findings)
    assert time.monotonic() - started < 5
    return found


def test_a_folder_of_safetensors_is_accepted_and_its_weights_are_hashed(folder: Path) -> None:
    examined = examine_system("t2i", f"diffusers:{folder}")
    assert not refusals(examined.findings)
    assert examined.facts
    assert examined.facts.licence == "mit"
    assert examined.facts.main_parameters == 4
    assert len(examined.facts.fingerprints) == 1


def test_a_folder_of_pickles_is_refused_and_none_is_opened(folder: Path, tmp_path: Path) -> None:
    (folder / "unet" / "model.safetensors").unlink()
    (folder / "unet" / "model.bin").write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    assert examine(folder) >= {Code.NO_SAFETENSORS}
    assert not (tmp_path / "canary").exists()
    pickle.loads((folder / "unet" / "model.bin").read_bytes())
    assert (tmp_path / "canary").exists()


def test_remote_code_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    canary = f"import os; os.mkdir({str(tmp_path / 'canary')!r})"
    (folder / "modeling.py").write_text(canary)
    (folder / "pipeline.py").write_text(canary)
    (folder / "config.json").write_text(json.dumps({"auto_map": {"AutoModel": "modeling.M"}}))
    assert Code.REMOTE_CODE_REQUIRED in examine(folder)
    (folder / "config.json").write_text("{}")
    for index in (
        {"_class_name": ["pipeline", "Own"]},
        {"_class_name": "StableDiffusionPipeline", "unet": ["modeling", "M"]},
        {"_class_name": "StableDiffusionPipeline", "unet": ["os", "mkdir"]},
    ):
        (folder / "model_index.json").write_text(json.dumps(index))
        assert Code.REMOTE_CODE_REQUIRED in examine(folder)
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    (folder / "unet" / "config.json").write_text(json.dumps({"auto_map": {"x": "modeling.M"}}))
    assert Code.REMOTE_CODE_REQUIRED in examine(folder)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("model_index.json", {"requires_aesthetics_score": True}, "takes an aesthetic score"),
        ("unet/config.json", {"in_channels": 9}, "takes 9 channels where its autoencoder has 4"),
        ("unet/config.json", {"in_channels": 4}, ""),
        ("unet/config.json", {}, ""),
    ],
)
def test_a_network_that_takes_more_than_a_file_holds_is_refused_before_it_runs(
    folder: Path, name: str, changes: dict[str, object], said: str
) -> None:
    (folder / "vae").mkdir()
    (folder / "vae" / "config.json").write_text('{"latent_channels": 4}')
    path = folder / name
    found = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(found | changes))
    refused = refusals(examine_system("t2i", f"diffusers:{folder}").findings)
    assert [one.code for one in refused] == ([Code.UNSUPPORTED_PIPELINE] if said else [])
    assert said in "".join(one.sentence for one in refused)


def test_a_network_that_edits_has_channels_for_the_picture(folder: Path) -> None:
    for part, key, channels in (("unet", "in_channels", 8), ("vae", "latent_channels", 4)):
        (folder / part).mkdir(exist_ok=True)
        (folder / part / "config.json").write_text(json.dumps({key: channels}))
    index = folder / "model_index.json"
    index.write_text('{"_class_name": "StableDiffusionInstructPix2PixPipeline"}')
    assert not refusals(examine_system("t2i", f"instruct:{folder}").findings)


def test_what_would_import_code_is_named_with_its_file() -> None:
    files: dict[str, dict[str, Any]] = {
        "config.json": {"custom_pipelines": {"x": {}}, "architectures": ["Own"], "model_type": "m"},
        "model_index.json": {
            "_class_name": ["pipeline", "Own"],
            "_own": ["modeling", "M"],
            "unet": ["modeling", "M"],
            "vae": ["diffusers", "AutoencoderKL"],
            "safety_checker": [None, None],
        },
    }
    found = read_configs(files, lambda name: json.dumps(files[name]).encode())
    assert found.remote_code == (
        "config.json: custom_pipelines",
        "model_index.json: _class_name names a module",
        "model_index.json: unet comes from modeling",
    )
    assert (found.pipeline_class, found.model_type, found.broken) == ("Own", "m", ())
    whole = b'{"model_type": "m"}'.ljust(MAX_CONFIG_BYTES)
    assert read_configs(["config.json"], lambda _: whole).model_type == "m"
    assert read_configs(["config.json"], lambda _: whole + b" ").broken == ("config.json",)


def test_a_link_is_refused_and_not_followed(folder: Path) -> None:
    (folder / "unet" / "passwords").symlink_to("/etc/passwd")
    assert Code.UNSAFE_FILE in examine(folder)


def test_a_loop_of_links_ends(folder: Path) -> None:
    (folder / "unet" / "again").symlink_to(folder)
    assert Code.UNSAFE_FILE in examine(folder)


def test_a_configuration_that_is_a_link_is_not_read(folder: Path) -> None:
    (folder / "model_index.json").unlink()
    (folder / "model_index.json").symlink_to("/etc/hostname")
    assert Code.UNSAFE_FILE in examine(folder)


def test_a_pipe_and_a_socket_are_refused_without_waiting_for_them(folder: Path) -> None:
    os.mkfifo(folder / "config.json")
    assert Code.UNSAFE_FILE in examine(folder)
    (folder / "config.json").unlink()
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(folder / "s"))
        assert Code.UNSAFE_FILE in examine(folder)


def test_ten_gigabytes_of_nothing_are_refused_unread(folder: Path) -> None:
    with (folder / "unet" / "more.safetensors").open("wb") as file:
        file.truncate(10 << 30)
    assert Code.UNSAFE_FILE in examine(folder)


def test_cut_and_forged_safetensors_are_refused(folder: Path) -> None:
    path = folder / "unet" / "model.safetensors"
    whole = path.read_bytes()
    for broken in (whole[:-1], whole + b"x", b"", whole[:9], b"\xff" * 64, bytes(64)):
        path.write_bytes(broken)
        assert Code.DAMAGED_WEIGHTS in examine(folder)


def test_a_configuration_that_is_no_json_is_refused(folder: Path) -> None:
    for text in ("{", "[" * 100_000, "[]", " " * (2 << 20)):
        (folder / "config.json").write_text(text)
        assert Code.BAD_CONFIG in examine(folder)


def test_too_many_files_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("submission.folders.MAX_ENTRIES", 5)
    (folder / "a" / "b" / "c" / "d" / "e").mkdir(parents=True)
    assert examine(folder) == {Code.TOO_LARGE}


def test_what_is_neither_a_path_nor_an_id_is_not_found() -> None:
    for text in ("diffusers:no/such/thing", "diffusers:../nowhere", "diffusers:a b", "diffusers:x"):
        assert codes(examine_system("t2i", text).findings) == {Code.MODEL_NOT_FOUND}


def test_a_folder_has_no_revision(folder: Path) -> None:
    at = folder.rename(folder.with_name("a@b"))
    (found,) = examine_system("t2i", f"diffusers:{at}@main").findings
    assert found.code is Code.REVISION_NOT_FOUND
    assert "is pinned by its content, and has no revision 'main'" in found.sentence
    assert Code.REVISION_NOT_FOUND not in codes(examine_system("t2i", f"diffusers:{at}").findings)
    facts = examine_system("t2i", f"diffusers:{at}").facts
    assert facts is not None
    assert facts.name == "a@b"


def test_what_loads_no_model_needs_no_look() -> None:
    for text in ("start-image", "file:captions.csv", "openai:gpt-4o", "openai-image:gpt-image-1"):
        examined = examine_system("t2i", text)
        assert (examined.facts, examined.findings) == (None, ())
