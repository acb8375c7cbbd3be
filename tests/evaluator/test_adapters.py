"""What every adapter in a folder promises, and what each refuses."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from chat_endpoint import serve
from conftest import paint
from image_server import shared_server
from made_received import received
from PIL import Image
from tiny_captioners import save_sharegpt4v
from tiny_kandinsky import build_kandinsky_decoder, build_kandinsky_prior
from tiny_models import build
from tiny_pasd_stablesr import build_pasd, build_stablesr
from tiny_restorers import tiny_diffbir, tiny_network

from evaluator.__main__ import main
from evaluator.adapters import adapter_names
from evaluator.captioners import NamedPicture, find_captioner
from evaluator.captioners.file import read_captions
from evaluator.decoders import find_decoder
from evaluator.decoders._noise import start_sigma
from protocol.errors import CaptionError, DecodeError, ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
# How each adapter is named on the command line in these tests; a new file needs a line here.
DECODERS: dict[str, Callable[[Path], str]] = {
    "start_image": lambda _: "start-image",
    "control": lambda _: "control?kind=sharpen",
    "diffusers": lambda models: f"diffusers:{models / 'tiny-sd-random-weights'}?steps=10",
    "animatediff": lambda models: (
        f"animatediff:{models / 'tiny-sd-random-weights'}?steps=4"
        f"&adapter={build(models, 'motion-module')}"
    ),
    "instruct": lambda models: f"instruct:{build(models, 'instruct-pix2pix')}?steps=4",
    "kandinsky22": lambda models: (
        f"kandinsky22:{build_kandinsky_decoder(models)}?steps=4"
        f"&adapter={build_kandinsky_prior(models)}"
    ),
    "openai_image": lambda _: (
        f"openai-image:some-image-model?sizes=96x64,64x96&base_url={shared_server().url}"
    ),
    "spandrel": lambda models: f"spandrel:{tiny_network(models)}",
    "diffbir": lambda models: f"diffbir:{tiny_diffbir(models)}?control=control.pth&steps=4",
    # At its guidance of 9, random weights blow rounding up to 6 grey levels; 0 in double precision.
    "pasd": lambda models: f"pasd:{build_pasd(models)}?steps=3&shortest_side=64&guidance=2",
    "stablesr": lambda models: f"stablesr:{build_stablesr(models)}?steps=3&shortest_side=64",
}
CAPTIONERS: dict[str, Callable[[Path, Path], str]] = {
    "file": lambda _, captions: f"file:{captions}",
    "transformers": lambda models, _: f"transformers:{models / 'tiny-llava-random-weights'}",
    "sharegpt4v": lambda models, _: f"sharegpt4v:{save_sharegpt4v(models)}",
    # The fixture below puts the server's address where the others have their folder.
    "openai": lambda models, _: (models.parent / "endpoint").read_text(),
}


@pytest.fixture(scope="module", autouse=True)
def endpoint(models: Path) -> Iterator[None]:
    """A server that answers while these tests run."""
    with serve() as running:
        (models.parent / "endpoint").write_text(running.system())
        yield


def test_every_adapter_is_under_contract() -> None:
    assert set(DECODERS) == set(adapter_names("evaluator.decoders"))
    assert set(CAPTIONERS) == set(adapter_names("evaluator.captioners"))


def with_setting(system: str, setting: str) -> str:
    return f"{system}{'&' if '?' in system else '?'}{setting}"


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_paints_every_mode_at_the_exact_size_and_the_same_again(
    name: str, models: Path
) -> None:
    system = pin_system(DECODERS[name](models))
    module = find_decoder(system.adapter)
    decoder = module.load(system, DEMO, "cpu")
    for mode in module.MODES:
        first = decoder.decode([received(mode)])[0]
        again = decoder.decode([received(mode)])[0]
        assert isinstance(first, Image.Image)
        assert isinstance(again, Image.Image)
        assert first.size == (101, 75)
        assert first.tobytes() == again.tobytes()
        account = decoder.account(received(mode))
        assert 0.5 < account.width / 101 < 20
        assert 0.5 < account.height / 75 < 20
        assert json.dumps(dict(module.describe(DEMO, mode, "cpu")))


@pytest.mark.parametrize("name", DECODERS)
def test_evaluate_runs_every_mode_of_a_decoder_and_the_batch_changes_it_by_rounding_only(
    name: str, models: Path, images: Path, captions: Path, tmp_path: Path
) -> None:
    made: list[dict[str, Path]] = []
    for batch in ("1", "2"):
        out, cache = tmp_path / f"out-{batch}", tmp_path / f"cache-{batch}"
        command = ["evaluate", "--t2i", DECODERS[name](models), "--i2t", f"file:{captions}"]
        command += ["--images", str(images), "--protocol", "demo-0", "--batch-size", batch]
        assert main([*command, "--cache", str(cache), "--out", str(out)]) == 0
        made.append({str(p.relative_to(out)): p for p in sorted(out.rglob("*.png"))})
    assert made[0].keys() == made[1].keys()
    assert len(made[0]) == 3 * len(find_decoder(name).MODES)
    for one, two in zip(*(group.values() for group in made), strict=True):
        pixels = (np.asarray(Image.open(path), np.int16) for path in (one, two))
        assert np.abs(np.subtract(*pixels)).max() <= 1


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_captioner_gives_each_picture_the_same_text_again(
    name: str, models: Path, captions: Path
) -> None:
    system = pin_system(CAPTIONERS[name](models, captions))
    module = find_captioner(system.adapter)
    captioner = module.load(system, DEMO, "cpu")
    batch = [
        NamedPicture("NSI_pgc_000.png", paint(96, 64, 1)),
        NamedPicture("SCI_screen_001.png", paint(64, 80, 2)),
    ]
    texts = captioner.caption(batch)
    assert len(texts) == 2
    assert all(c.text and c.text == c.text.strip() for c in texts)
    assert [c.text for c in captioner.caption(batch)] == [c.text for c in texts]
    assert json.dumps(dict(module.describe(DEMO, "cpu"))) is not None


def test_a_batch_of_captions_has_those_of_single_pictures(models: Path) -> None:
    system = pin_system(f"transformers:{models / 'tiny-llava-random-weights'}")
    captioner = find_captioner("transformers").load(system, DEMO, "cpu")
    batch = [NamedPicture(f"{seed}", paint(64, 64, seed)) for seed in range(3)]
    assert captioner.caption(batch) == [captioner.caption([item])[0] for item in batch]


def test_another_seed_or_caption_gives_another_picture(models: Path) -> None:
    system = pin_system(f"diffusers:{models / 'tiny-sd-random-weights'}")
    decoder = find_decoder("diffusers").load(system, DEMO, "cpu")
    one, other = (decoder.decode([received(Mode.TEXT, seed)])[0] for seed in (1, 2))
    assert np.any(np.asarray(one) != np.asarray(other))


def test_start_image_returns_what_was_sent(models: Path) -> None:
    del models
    item = received(Mode.IMAGE, size=(33, 65))
    decoder = find_decoder("start-image").load(pin_system("start-image"), DEMO, "cpu")
    assert decoder.decode([item]) == [item.start]
    (outcome,) = decoder.decode([received(Mode.TEXT, size=(33, 65))])
    assert isinstance(outcome, DecodeError)
    assert outcome.code == "NO_START"


def test_the_start_noise_of_sd15s_scheduler_is_the_documented_one(models: Path) -> None:
    system = pin_system(f"diffusers:{models / 'tiny-sd-random-weights'}")
    decoder = find_decoder("diffusers").load(system, DEMO, "cpu")
    for mode, sigma in ((Mode.IMAGE, 1.62), (Mode.PIXEL, 5.13)):
        item = received(mode, size=(64, 64))
        decoder.decode([item])
        assert decoder.account(item).start_sigma == pytest.approx(sigma, abs=0.01)


def test_the_start_noise_of_sdxl_and_flow_schedulers_is_the_documented_one() -> None:
    from diffusers import EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler

    sdxl = EulerDiscreteScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        timestep_spacing="leading",
        steps_offset=1,
    )
    assert start_sigma(sdxl, 40, 0.5) == pytest.approx(1.49, abs=0.01)
    assert start_sigma(sdxl, 40, 0.8) == pytest.approx(4.59, abs=0.01)
    flow = FlowMatchEulerDiscreteScheduler(shift=3.0)
    assert start_sigma(flow, 40, 0.5) == pytest.approx(2.87, abs=0.02)
    assert start_sigma(flow, 40, 0.8) == pytest.approx(11.7, abs=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,caption\na.png,x\n", "has the columns name, caption"),
        ("", "has the columns none"),
        ("name,text\na.png,x\na.png,y\n", "row 2: a.png comes twice"),
        ("name,text\na.png\n", "row 1 has 1 field, wanted 2"),
    ],
)
def test_a_csv_of_another_form_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(CaptionError, match=message):
        read_captions(tmp_path / "c.csv")


def test_the_released_csv_with_its_byte_order_mark_is_read(shared: Path) -> None:
    captions = read_captions(shared / "captions" / "gpt4v.csv")
    assert len(captions) == 1000
    assert captions["AIGI_DALLE3_000.png"].startswith("A robotic chimpanzee")


def test_jsonl_is_read_and_its_errors_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"name": "a.png", "text": "x"}\n\n{"name": "b.png", "text": "y"}\n')
    assert read_captions(path) == {"a.png": "x", "b.png": "y"}
    path.write_text('{"name": "a.png", "text": "x"}\n{"name": \n')
    with pytest.raises(CaptionError, match="row 2: not JSON"):
        read_captions(path)


def test_a_caption_file_that_lacks_a_name_says_which(captions: Path) -> None:
    system = pin_system(f"file:{captions}")
    captioner = find_captioner("file").load(system, DEMO, "cpu")
    with pytest.raises(CaptionError, match=r"no caption for X\.png and 1 more"):
        captioner.caption([NamedPicture(n, paint(8, 8)) for n in ("X.png", "Y.png")])
    with pytest.raises(CaptionError, match="captions by the pictures' names; give the picture's"):
        captioner.caption([NamedPicture("", paint(8, 8))])


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="diffusers cannot load"):
        find_decoder("diffusers").load(pin_system(f"diffusers:{tmp_path}"), DEMO, "cpu")
    with pytest.raises(ModelError, match="transformers cannot load"):
        find_captioner("transformers").load(pin_system(f"transformers:{tmp_path}"), DEMO, "cpu")


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_refuses_a_setting_that_it_has_not(name: str, models: Path) -> None:
    text = DECODERS[name](models)
    system = pin_system(f"{text}{'&' if '?' in text else '?'}colour=red")
    with pytest.raises(ModelError, match="has no setting colour; it has"):
        find_decoder(system.adapter).load(system, DEMO, "cpu")


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_captioner_refuses_a_setting_that_it_has_not(
    name: str, models: Path, captions: Path
) -> None:
    text = CAPTIONERS[name](models, captions)
    system = pin_system(f"{text}{'&' if '?' in text else '?'}colour=red")
    with pytest.raises(ModelError, match="has no setting colour; it has"):
        find_captioner(system.adapter).load(system, DEMO, "cpu")


@pytest.mark.parametrize("folder", ["captioners", "decoders"])
def test_a_file_of_two_words_is_typed_with_a_hyphen(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"evaluator.{folder}.find_adapter", lambda _package, name, _what: name)
    find = find_captioner if folder == "captioners" else find_decoder
    assert str(find("two-words")) == "two_words"


def test_unknown_adapters_are_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=f"'magic'; there are {', '.join(sorted(DECODERS))}"):
        find_decoder("magic")
    with pytest.raises(ModelError, match=f"'magic'; there are {', '.join(sorted(CAPTIONERS))}"):
        find_captioner("magic")
