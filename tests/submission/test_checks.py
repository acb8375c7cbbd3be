"""Every refusal by its code, from facts, folders and forms that somebody hostile could send."""

import json
import os
import pickle
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import made_models
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_models import Canary

from protocol.records import Request
from protocol.rules import Mode, Role
from submission.checks import Subject, examine_model
from submission.facts import FileFact, ModelFacts, Trouble
from submission.findings import NOTES, Code, Finding, refusals
from submission.history import Earlier, History
from submission.intake import examine_request, examine_system
from submission.limits import Limits
from submission.served import served_by
from submission.wording import LONGEST, check_texts, shown

DOCS = Path(__file__).parents[2] / "docs" / "submitting.md"


def facts(**changes: Any) -> ModelFacts:
    """A model that nothing is wrong with."""
    return ModelFacts(
        **{
            "name": "acme/painter",
            "is_local": False,
            "commit": "a" * 40,
            "licence": "apache-2.0",
            "pipeline_class": "StableDiffusionXLPipeline",
            "files": (
                FileFact(name="model_index.json", file_bytes=600),
                FileFact(name="unet/model.safetensors", file_bytes=5 << 30, content_hash="1" * 64),
            ),
            **changes,
        }
    )


def codes_of(adapter: str = "diffusers", limits: Limits | None = None, **changes: Any) -> set[Code]:
    subject = Subject(
        about="t2i",
        adapter=adapter,
        served=served_by()[adapter],
        facts=facts(**changes),
        limits=limits or Limits(),
    )
    return codes(examine_model(subject))


def codes(findings: tuple[Finding, ...]) -> set[Code]:
    assert all(one.sentence and (one.remedy or one.code in NOTES) for one in findings)
    return {one.code for one in findings}


def weights(name: str, **changes: Any) -> FileFact:
    return FileFact(**{"name": name, "file_bytes": 1 << 20, **changes})


def test_a_model_that_nothing_is_wrong_with_is_accepted_with_its_licence_named() -> None:
    assert codes_of() == {Code.LICENCE}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"trouble": Trouble.NOT_FOUND}, Code.MODEL_NOT_FOUND),
        ({"trouble": Trouble.NO_REVISION}, Code.REVISION_NOT_FOUND),
        ({"trouble": Trouble.UNREACHABLE}, Code.HUB_UNREACHABLE),
        ({"trouble": Trouble.NO_ACCESS}, Code.GATED_NO_ACCESS),
        ({"trouble": Trouble.DISABLED}, Code.MODEL_DISABLED),
        ({"trouble": Trouble.TOO_MANY_FILES}, Code.TOO_LARGE),
        ({"trouble": Trouble.BAD_CONFIG}, Code.BAD_CONFIG),
        ({"gated": "manual"}, Code.GATED),
        ({"is_private": True}, Code.PRIVATE),
        ({"licence": ""}, Code.NO_LICENCE),
        ({"base_models": ("acme/base",)}, Code.BASE_MODEL),
        ({"pipeline_class": "WanPipeline"}, Code.UNSUPPORTED_PIPELINE),
        ({"pipeline_class": ""}, Code.UNSUPPORTED_PIPELINE),
        ({"remote_code": ("config.json: auto_map",)}, Code.REMOTE_CODE_REQUIRED),
        ({"flagged_files": ("unet/evil.bin",)}, Code.UNSAFE_FILE),
        ({"files": (weights("unet/model.bin"),)}, Code.NO_SAFETENSORS),
        ({"files": ()}, Code.NO_SAFETENSORS),
        (
            {"files": (weights("unet/a.safetensors", header_is_whole=False),)},
            Code.DAMAGED_WEIGHTS,
        ),
        ({"files": (weights("a.safetensors", file_bytes=10**12),)}, Code.TOO_LARGE),
    ],
)
def test_each_defect_has_its_code(changes: dict[str, Any], code: Code) -> None:
    found = codes_of(**changes)
    assert code in found
    assert found <= {code, *NOTES}


def test_what_an_adapter_reads_as_tensors_only_may_be_a_pickle() -> None:
    assert not codes_of("spandrel", files=(weights("net.pth"),)) - NOTES


def test_a_model_type_is_what_an_i2t_model_is_known_by() -> None:
    assert not codes_of("transformers", model_type="llava") - NOTES
    assert Code.UNSUPPORTED_PIPELINE in codes_of("transformers", model_type="bert")


def test_of_two_variants_only_the_smaller_must_fit() -> None:
    two = (
        weights("unet/model.safetensors", file_bytes=50 << 30),
        weights("unet/model.fp16.safetensors", file_bytes=25 << 30),
    )
    assert not codes_of(files=two, limits=Limits(weight_bytes=30 << 30)) - NOTES
    assert Code.TOO_LARGE in codes_of(files=two, limits=Limits(weight_bytes=20 << 30))


def test_equal_weights_have_one_fingerprint_whatever_lies_around_them() -> None:
    own = weights("unet/model.safetensors", content_hash="1" * 64)
    plain = facts(files=(own,))
    renamed = facts(
        name="thief/new-name",
        files=(
            weights("unet/renamed.safetensors", content_hash="1" * 64),
            weights("vae/other.safetensors", content_hash="2" * 64),
            weights("unet/same.bin", content_hash="3" * 64),
        ),
    )
    both = facts(files=(own, weights("unet/model.fp16.safetensors", content_hash="4" * 64)))
    tuned = facts(files=(weights("unet/model.safetensors", content_hash="5" * 64),))
    assert plain.fingerprints == renamed.fingerprints
    assert set(plain.fingerprints) & set(both.fingerprints)
    assert not set(plain.fingerprints) & set(tuned.fingerprints)
    assert facts(files=(weights("unet/model.safetensors"),)).fingerprints == ()


# Folders of this machine


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


def test_what_loads_no_model_needs_no_look() -> None:
    for text in ("start-image", "file:captions.csv", "openai:gpt-4o", "openai-image:gpt-image-1"):
        examined = examine_system("t2i", text)
        assert (examined.facts, examined.findings) == (None, ())


# Texts


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"dataset": "a\x00b"}, Code.BAD_TEXT),
        ({"dataset": "../../etc"}, Code.BAD_TEXT),
        ({"t2i": "diffusers:../../etc/passwd"}, Code.BAD_TEXT),
        ({"submitter": "<b>me</b>"}, Code.BAD_TEXT),
        ({"comment": "<img src=x onerror=alert(1)>"}, Code.BAD_TEXT),
        ({"comment": "see [this](javascript:alert(1))"}, Code.BAD_TEXT),
        ({"comment": "ab\u202edesrever"}, Code.BAD_TEXT),
        ({"comment": "zero\u200bwidth"}, Code.BAD_TEXT),
        ({"dataset": "two\nlines"}, Code.BAD_TEXT),
        ({"paper": "ftp://x"}, Code.BAD_TEXT),
        ({"paper": "https://x'onclick='y"}, Code.BAD_TEXT),
        ({"comment": "x" * 1001}, Code.BAD_TEXT),
        ({"dataset": "\ud800"}, Code.BAD_TEXT),
        ({f"field{number}": "x" for number in range(500)}, Code.BAD_FORM),
    ],
)
def test_text_that_could_deceive_is_refused(texts: dict[str, str], code: Code) -> None:
    (found,) = check_texts(texts)
    assert found.code is code
    assert len(found.sentence) < 400


def test_ordinary_text_is_taken() -> None:
    texts = {
        "t2i": "diffusers:stabilityai/stable-diffusion-xl-base-1.0?steps=20&guidance=3.5",
        "codec": "vvc:53",
        "dataset": "Фото 2026 (a), b+c",
        "submitter": "ada",
        "paper": "https://arxiv.org/abs/2406.09356?x=1#top",
        "comment": "On 3 < 4 pictures, “quoted” & 100 %.\nSecond line.",
    }
    assert not list(check_texts(texts))


@given(st.text(max_size=300))
def test_whatever_is_shown_has_no_character_that_cannot_be_seen(text: str) -> None:
    assert all(character.isprintable() for character in shown(text))


@given(st.dictionaries(st.sampled_from(sorted(LONGEST)), st.text(max_size=50)))
def test_any_text_is_judged_without_an_exception(texts: dict[str, str]) -> None:
    for found in check_texts(texts):
        assert found.code in (Code.BAD_TEXT, Code.BAD_FORM)


# Whole requests


def earlier(**changes: Any) -> Earlier:
    return Earlier(
        **{
            "request_id": "0" * 20,
            "submitter": "bob",
            "submitted_at": "2026-11-20T10:00:00Z",
            "status": "FINISHED",
            "model": "bob/other",
            **changes,
        }
    )


@pytest.fixture
def request_of(ask: Callable[..., Request]) -> Callable[..., Request]:
    def make(**changes: Any) -> Request:
        from dataclasses import replace

        made = ask(modes=changes.pop("modes", (Mode.FULL,)), i2t=changes.pop("i2t", None))
        later = {"submitted_at": "2026-11-22T10:00:00Z", "submitter": "ada"}
        return replace(made, **{**later, **changes})

    return make


def test_modes_must_fit_the_model(request_of: Callable[..., Request]) -> None:
    def found(request: Request, **known: ModelFacts) -> set[Code]:
        return codes(examine_request(request, known, History()))

    captionless = request_of()
    assert found(captionless) == {Code.MODE_UNSUPPORTED}
    assert not found(request_of(modes=(Mode.IMAGE,)))
    assert found(request_of(modes=(Mode.TEXT,)), t2i=facts()) == {Code.MODE_UNSUPPORTED}


def test_a_pipeline_without_image_to_image_paints_from_text_alone(ask: Callable[..., Any]) -> None:
    request = ask(t2i=f"diffusers:acme/pixart@{'b' * 40}", modes=(Mode.TEXT, Mode.FULL))
    (found,) = examine_request(
        request, {"t2i": facts(pipeline_class="PixArtSigmaPipeline")}, History()
    )
    assert found.code is Code.MODE_UNSUPPORTED
    assert found.remedy == "ask for text"


def test_the_same_request_of_another_account_is_a_duplicate(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,))

    def found(**changes: Any) -> set[Code]:
        before = History((earlier(request_id=mine.request_id, **changes),))
        return codes(examine_request(mine, {}, before))

    assert found() == {Code.DUPLICATE_REQUEST}
    assert not found(submitter="ada")
    assert not found(status="FAILED")
    assert not found(status="WITHDRAWN")


def test_the_same_weights_under_another_name_are_a_duplicate(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,), fingerprints=("f" * 40,))

    def found(**changes: Any) -> set[Code]:
        before = History((earlier(**{"fingerprints": ("e" * 40, "f" * 40), **changes}),))
        return codes(examine_request(mine, {}, before))

    assert found() == {Code.DUPLICATE_WEIGHTS}
    assert found(submitter="ada") == {Code.DUPLICATE_WEIGHTS}
    assert not found(fingerprints=("e" * 40,))
    assert not found(model=mine.compared.model if mine.compared else "")
    assert not found(status="WITHDRAWN")


def test_the_quota_is_the_submitters_and_not_the_model_owners(
    request_of: Callable[..., Request],
) -> None:
    mine = request_of(modes=(Mode.IMAGE,))

    def found(count: int, **changes: Any) -> set[Code]:
        before = [earlier(**{"request_id": f"{n:020}", **changes}) for n in range(count)]
        return codes(examine_request(mine, {}, History(tuple(before))))

    assert found(5, submitter="ada", status="PENDING") == {Code.QUOTA_EXCEEDED}
    assert not found(4, submitter="ada", status="RUNNING")
    assert not found(50, submitter="bob", status="PENDING")
    assert found(20, submitter="ada") == {Code.QUOTA_EXCEEDED}
    assert not found(20, submitter="ada", submitted_at="2026-11-14T10:00:00Z")


def test_names_of_a_request_are_judged_too(request_of: Callable[..., Request]) -> None:
    request = request_of(modes=(Mode.IMAGE,), dataset="<script>", declared={"paper": "x", "y": "z"})
    assert codes(examine_request(request, {}, History())) == {Code.BAD_TEXT, Code.BAD_FORM}
    assert request.role is Role.T2I


def test_every_code_is_explained_to_submitters() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert not [code for code in Code if f"`{code}`" not in text]
