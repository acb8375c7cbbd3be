"""What a person types becomes a pinned system, or a sentence that says why not."""

import hashlib
import os
from pathlib import Path

import pytest

from protocol.errors import InputError, ModelError
from protocol.records import System
from submission.folders import hash_folder, under_home
from submission.systems import pin_system, split_revision, split_settings, typed


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_folder_is_pinned_by_its_contents(model: Path) -> None:
    before = pin_system(f"diffusers:{model}")
    assert (before.adapter, before.model, len(before.revision)) == ("diffusers", "tiny", 40)
    (model / "model.safetensors").write_bytes(b"other weights")
    assert pin_system(f"diffusers:{model}").revision != before.revision


def test_a_file_is_pinned_by_its_contents(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,text\n")
    system = pin_system(f"file:{tmp_path / 'a.csv'}")
    wanted = hashlib.sha256(b"name,text\n").hexdigest()[:40]
    assert (system.model, system.revision, system.path) == (
        "a.csv",
        wanted,
        f"{tmp_path / 'a.csv'}",
    )


@pytest.mark.parametrize(
    "text",
    [
        f"diffusers:acme/model@{'c' * 40}?steps=20&guidance=3.5",
        "file:{folder}/a.csv",
        "diffusers:{folder}/tiny",
        "animatediff:{folder}/tiny?adapter={folder}/tiny",
        "start-image",
        "control?kind=blur",
        "jpeg:30",
    ],
)
def test_a_pinned_system_can_be_typed_again(text: str, model: Path) -> None:
    (model.parent / "a.csv").write_text("name,text\n")
    system = pin_system(text.format(folder=model.parent))
    assert pin_system(typed(system)) == system


def test_the_home_of_nobody_is_no_path() -> None:
    with pytest.raises(ModelError, match="~nobody-here/tiny"):
        pin_system("diffusers:~nobody-here/tiny")


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(_: str) -> str:
        return "~/.cache"

    monkeypatch.setattr("os.path.expanduser", homeless)
    with pytest.raises(InputError, match="this user has no home; set HOME, or name a folder"):
        under_home(Path("~/.cache"))


def test_a_commit_that_is_given_needs_no_network() -> None:
    system = pin_system(f"diffusers:acme/model@{'c' * 40}")
    assert (system.model, system.revision, system.path) == ("acme/model", "c" * 40, "")


def test_an_adapter_can_stand_alone() -> None:
    assert pin_system("start-image").label == "start-image"
    assert pin_system("vvc:53").label == "VVC QP 53"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("diffusers", "wanted diffusers:owner/name or diffusers:FOLDER"),
        ("diffusers:", "wanted diffusers:owner/name or diffusers:FOLDER"),
        ("diffusers:@main", "wanted diffusers:owner/name or diffusers:FOLDER"),
        ("transformers?prompt=q20", "wanted transformers:owner/name or transformers:FOLDER"),
        ("file", r"wanted file:CAPTIONS\.csv"),
        ("file:", r"wanted file:CAPTIONS\.csv"),
        ("openai", "wanted openai:NAME"),
    ],
)
def test_an_adapter_that_needs_a_model_is_refused_without_one(text: str, wanted: str) -> None:
    with pytest.raises(ModelError, match=rf"names no model; {wanted}"):
        pin_system(text)


@pytest.mark.parametrize("text", ["start-image", "openai-image:a_model?base_url=http://a_b/v1"])
def test_an_adapter_is_one_system_in_both_its_spellings(text: str) -> None:
    assert pin_system(text.replace("-", "_", 1)) == pin_system(text)


def test_an_adapter_that_loads_nothing_takes_no_model() -> None:
    assert pin_system("control?kind=blur").label == "control (kind blur)"
    with pytest.raises(ModelError, match="start-image loads no model, and 'acme/model' is named"):
        pin_system(f"start_image:acme/model@{'c' * 40}")


def test_a_quality_is_kept_as_it_is_counted() -> None:
    assert pin_system("jpeg:010") == pin_system("jpeg:10")
    assert pin_system("vvc:00").model == "0"
    for quality in ("", "\uff11\uff10", "\u00b2", "-1", "10@main"):
        with pytest.raises(ModelError, match="names no quality; wanted jpeg:NUMBER"):
            pin_system(f"jpeg:{quality}")
    with pytest.raises(ModelError, match=r"vvc has no settings, and .* sets preset"):
        pin_system("vvc:53?preset=slow")
    # A number is a quality for codecs alone.
    with pytest.raises(ModelError, match="'53' is neither a file nor a folder"):
        pin_system("diffusers:53")


def test_a_path_with_an_at_sign_is_found(model: Path, tmp_path: Path) -> None:
    there = model.rename(tmp_path / "a@b")
    assert (pin_system(f"diffusers:{there}").model, split_revision(f"{there}")[1]) == ("a@b", "")
    captions = tmp_path / "a@b.csv"
    captions.write_text("name,text\n")
    assert pin_system(f"file:{captions}").path == str(captions)
    with pytest.raises(ModelError, match="has no revision 'main'"):
        pin_system(f"diffusers:{there}@main")


def test_a_folder_has_no_revision_but_its_content(model: Path) -> None:
    with pytest.raises(ModelError, match=r"tiny lies on this machine and has no revision 'main'"):
        pin_system(f"diffusers:{model}@main")
    system = pin_system(f"diffusers:{model}")
    assert pin_system(f"diffusers:{model}@{system.revision}") == system
    with pytest.raises(ModelError, match=f"has the content {system.revision}, wanted {'c' * 40}"):
        pin_system(f"diffusers:{model}@{'c' * 40}")
    second = pin_system(f"animatediff:{model}?adapter={model}")
    assert second.settings == {"adapter": f"{model}@{system.revision}"}


def test_settings_are_part_of_what_is_pinned() -> None:
    system = pin_system(f"diffusers:acme/model@{'c' * 40}?steps=20&guidance=3.5")
    assert system.settings == {"steps": "20", "guidance": "3.5"}
    assert system.label == "acme/model (guidance 3.5, steps 20)"
    assert system.identity != pin_system(f"diffusers:acme/model@{'c' * 40}").identity


def test_a_number_is_one_setting_however_it_is_written() -> None:
    def pinned(settings: str) -> System:
        return pin_system(f"diffusers:acme/model@{'c' * 40}?{settings}")

    one = pinned("steps=20&guidance=3.5&strength_pixel=1")
    assert pinned("guidance=3.50&steps=020&strength_pixel=1.0").identity == one.identity
    assert one.settings == {"steps": "20", "guidance": "3.5", "strength_pixel": "1"}
    kept = {"guidance": "nan", "steps": "many", "negative_prompt": "1.0", "unknown": "1.0"}
    behind = "&".join(f"{name}={value}" for name, value in kept.items())
    assert pinned(behind).settings == kept


@pytest.mark.parametrize(
    ("settings", "left"),
    [
        ("steps=0&guidance=7.5", {"guidance": "7.5"}),
        ("steps=00.0&safety_checker=true&dtype=", {}),
        ("safety_checker=false&dtype=float32", {"safety_checker": "false", "dtype": "float32"}),
        ("safety_checker=True", {"safety_checker": "True"}),
        # The protocol's own number: another protocol has another.
        ("steps=40", {"steps": "40"}),
    ],
)
def test_a_setting_typed_with_its_default_is_the_row_that_leaves_it_out(
    settings: str, left: dict[str, str]
) -> None:
    assert pin_system(f"diffusers:acme/model@{'c' * 40}?{settings}").settings == left


@pytest.mark.parametrize("text", ["x:m?", "x:m?a", "x:m?=1", "x:m?a=1&a=2"])
def test_a_setting_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ModelError, match=r"wanted .name=value"):
        pin_system(text)


def test_a_setting_can_be_set_to_nothing() -> None:
    assert split_settings("diffbir:m?negative=&steps=4") == (
        "diffbir:m",
        {"negative": "", "steps": "4"},
    )


def test_a_hub_id_that_cannot_be_asked_for_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="acme/model@COMMIT"):
        pin_system("diffusers:acme/model")


def test_a_folder_without_safetensors_is_refused(model: Path) -> None:
    (model / "model.safetensors").rename(model / "model.bin")
    with pytest.raises(ModelError, match=r"no .safetensors file \(found: config.json, model.bin\)"):
        pin_system(f"diffusers:{model}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("diffusers:no such folder", "neither a file nor a folder"),
        ("diffusers:a/b/c", "neither a file nor a folder"),
        (":model", "names no adapter; wanted ADAPTER:MODEL"),
    ],
)
def test_what_is_no_model_is_refused(text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        pin_system(text)


@pytest.mark.parametrize("text", ["file:captions/none.csv", "file:none.csv", "file:."])
def test_a_caption_file_that_is_missing_is_no_model_that_the_hub_is_asked_for(text: str) -> None:
    with pytest.raises(ModelError, match=r"is no file here; wanted a caption file"):
        pin_system(text)


def test_a_folder_s_hash_is_of_its_names_and_contents_and_of_no_order(tmp_path: Path) -> None:
    names = ("unet/b", "a", "unet/a", "c")
    for folder, order in (("one", names), ("other", reversed(names)), ("third", names[:3])):
        for name in order:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    one, other, third = (tmp_path / name for name in ("one", "other", "third"))
    assert hash_folder(one) == hash_folder(other) != hash_folder(third)
    lines = [f"{name}\0{hashlib.sha256(name.encode()).hexdigest()}\n" for name in sorted(names)]
    assert hash_folder(one) == hashlib.sha256("".join(lines).encode()).hexdigest()[:40]


def test_a_link_out_of_the_folder_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (model / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="link is no plain file"):
        hash_folder(model)


def test_a_pipe_in_the_folder_is_refused_and_not_read(model: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(ModelError, match="pipe is no plain file"):
        hash_folder(model)
