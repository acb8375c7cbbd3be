"""DiffBIR with tiny parts in the layout of the released files."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import paint
from PIL import Image
from tiny_restorers import NETWORK, original_layout, swinir_weights, tiny_control, tiny_diffbir

from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.decoders._noise import start_sigma
from evaluator.decoders.diffbir import DiffBIR, spaced_sampler
from protocol.errors import DecodeError, ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
BASE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


@pytest.fixture(scope="module")
def folder(models: Path) -> Path:
    return tiny_diffbir(models)


def load(folder: Path, **settings: object) -> Decoder:
    chosen = {"control": "control.pth", "steps": 2, **settings}
    written = "&".join(f"{name}={value}" for name, value in chosen.items())
    system = pin_system(f"diffbir:{folder}?{written}")
    return find_decoder("diffbir").load(system, DEMO, "cpu")


def sent(
    seed: int = 1, picture: int = 1, caption: str | None = "a blue house", mode: Mode = Mode.FULL
) -> Received:
    start = paint(70, 50, picture) if mode is not Mode.TEXT else None
    return Received(mode=mode, width=70, height=50, caption=caption, start=start, seed=seed)


def decode(decoder: Decoder, *batch: Received) -> list[np.ndarray]:
    outcomes = decoder.decode(batch)
    pictures = [outcome for outcome in outcomes if isinstance(outcome, Image.Image)]
    assert len(pictures) == len(batch)
    assert all(picture.size == (70, 50) for picture in pictures)
    return [np.asarray(picture, int) for picture in pictures]


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.abs(one - other).max() > 3)


def test_seed_caption_and_picture_all_show(folder: Path) -> None:
    # Without the colour fix, which would show the picture that was sent in any case.
    decoder = load(folder, colour_fix="none")
    (first,) = decode(decoder, sent())
    assert not differ(first, decode(decoder, sent())[0])
    assert differ(first, decode(decoder, sent(seed=2))[0])
    assert differ(first, decode(decoder, sent(picture=2))[0])
    assert differ(first, decode(decoder, sent(caption="forest, night, rain"))[0])


def test_a_batch_has_the_pictures_of_single_files(folder: Path) -> None:
    decoder = load(folder)
    batch = [sent(seed=seed, picture=seed) for seed in range(3)]
    for together, item in zip(decode(decoder, *batch), batch, strict=True):
        assert np.abs(together - decode(decoder, item)[0]).max() <= 1


@pytest.mark.parametrize(
    "changed",
    [
        {"steps": 3},
        {"guidance": 2.0},
        {"control_scale": 0.2},
        {"positive": "sharp"},
        {"negative": "a red car"},
        {"short_side": 128},
        {"colour_fix": "adain"},
        {"cleaner": NETWORK},
    ],
    ids=str,
)
def test_every_setting_shows(folder: Path, changed: Mapping[str, object]) -> None:
    (first,) = decode(load(folder), sent())
    assert differ(first, decode(load(folder, **changed), sent())[0])


def test_image_mode_has_the_protocols_prompt(folder: Path) -> None:
    decoder = load(folder)
    (image,) = decode(decoder, sent(caption=None, mode=Mode.IMAGE))
    assert not differ(image, decode(decoder, sent(caption=DEMO.image_prompt))[0])


def test_a_picture_without_a_start_is_a_failure(folder: Path) -> None:
    (outcome,) = load(folder).decode([sent(mode=Mode.TEXT)])
    assert isinstance(outcome, DecodeError)
    assert outcome.code == "NO_START"


def test_a_cleaner_in_the_released_layout_runs(folder: Path, tmp_path: Path) -> None:
    own = copy_of(folder, tmp_path)
    wrapped = {f"module.{name}": tensor for name, tensor in swinir_weights().items()}
    torch.save({"state_dict": wrapped}, own / "swinir.ckpt")
    (first,) = decode(load(own), sent())
    assert differ(first, decode(load(own, cleaner="swinir.ckpt"), sent())[0])


def copy_of(folder: Path, where: Path) -> Path:
    """Return a folder with the same files to which others may be added."""
    own = where / "own-random-weights"
    for path in folder.rglob("*"):
        if path.is_file():
            target = own / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.hardlink_to(path)
    return own


def test_a_whole_training_checkpoint_gives_the_picture_of_its_control(
    folder: Path, tmp_path: Path
) -> None:
    own = copy_of(folder, tmp_path)
    control = original_layout(tiny_control(folder))
    whole = {f"control_model.{name}": tensor for name, tensor in control.items()}
    # What a training checkpoint holds beside it, one of each.
    for name in (
        "model.diffusion_model.out.0.bias",
        "first_stage_model.encoder.conv_in.bias",
        "cond_stage_model.model.ln_final.bias",
        "cond_encoder.quant_conv.bias",
        "preprocess_model.conv_first.1.bias",
        "betas",
        "sqrt_alphas_cumprod",
    ):
        whole[name] = torch.zeros(2)
    torch.save({"state_dict": whole}, own / "whole.ckpt")
    (first,) = decode(load(own), sent())
    assert not differ(first, decode(load(own, control="whole.ckpt"), sent())[0])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", r"does not fit the model: zero_convs\.0\.0\.bias missing"),
        ("unknown", r"does not fit the model: zero_convs\.99\.0\.bias unknown"),
        ("shape", r"zero_convs\.0\.0\.bias \(5,\) for \(32,\) of another shape"),
        ("hint", r"its input_blocks\.0\.0\.weight is \(32, 4, 3, 3\); wanted 8 input channels"),
    ],
)
def test_a_control_that_does_not_fit_is_refused_by_its_tensors(
    folder: Path, tmp_path: Path, fault: str, message: str
) -> None:
    own = copy_of(folder, tmp_path)
    tensors = original_layout(tiny_control(folder))
    if fault == "missing":
        del tensors["zero_convs.0.0.bias"]
    elif fault == "unknown":
        tensors["zero_convs.99.0.bias"] = torch.zeros(2)
    elif fault == "shape":
        tensors["zero_convs.0.0.bias"] = torch.zeros(5)
    else:
        first = tensors["input_blocks.0.0.weight"]
        tensors["input_blocks.0.0.weight"] = first[:, :4].clone()
    torch.save(tensors, own / "bad.pth")
    with pytest.raises(ModelError, match=message):
        load(own, control="bad.pth")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "diffbir needs its checkpoint, a file in the model's folder"),
        ("?control=absent.pth", "holds no absent.pth; copy the file there"),
        ("?control=control.pth&colour_fix=blue", "colour_fix=blue: wanted wavelet, adain, none"),
        ("?control=control.pth&steps=0", "steps=0: wanted 1 to 1000"),
    ],
)
def test_settings_that_cannot_be_are_refused(folder: Path, written: str, message: str) -> None:
    system = pin_system(f"diffbir:{folder}{written}")
    with pytest.raises(ModelError, match=message):
        find_decoder("diffbir").load(system, DEMO, "cpu")


def test_a_hub_file_without_a_network_says_which_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    commit = "0123456789" * 4
    system = pin_system(
        f"diffbir:someone/sd21-base@{commit}?control=someone/control@{commit}:v1_general.pth"
    )
    with pytest.raises(ModelError, match=r"v1_general\.pth of someone/control@0123.* or give a fo"):
        find_decoder("diffbir").load(system, DEMO, "cpu")


def test_the_working_size_is_the_protocols_where_it_has_one(folder: Path) -> None:
    system = pin_system(f"diffbir:{folder}?control=control.pth")
    sides = {}
    for name in ("cmc-1", "demo-0"):
        decoder = find_decoder("diffbir").load(system, PROTOCOLS[name], "cpu")
        assert isinstance(decoder, DiffBIR)
        sides[name] = decoder.settings["short_side"]
    assert sides == {"cmc-1": 1024, "demo-0": 0}


def test_every_picture_starts_from_noise_alone(folder: Path) -> None:
    assert load(folder).account(sent()).start_sigma == pytest.approx(14.6, abs=0.1)


def test_a_zero_snr_base_keeps_its_prediction_and_starts_from_nothing_else() -> None:
    scheduler = spaced_sampler(
        {**BASE, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    )
    assert scheduler.config.prediction_type == "v_prediction"
    assert start_sigma(scheduler, 50, 1.0) == float("inf")
