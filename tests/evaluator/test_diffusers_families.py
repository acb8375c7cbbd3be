"""One decoder for all families of diffusers: SDXL, SD3, FLUX, Playground, and their settings."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import paint
from made_received import LONG, SHORT, received, values
from tiny_models import build

from evaluator.__main__ import main
from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.decoders._noise import reference_sigma, start_sigma
from protocol.errors import DecodeError, ModelError
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
FAMILIES = ("sdxl", "playground", "sd3", "flux", "z-image", "qwen-image", "chroma")


def load(model: Path, settings: str = "steps=2", protocol: str = "demo-0") -> Decoder:
    system = pin_system(f"diffusers:{model}?{settings}")
    return find_decoder("diffusers").load(system, PROTOCOLS[protocol], "cpu")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_batch_has_the_pictures_of_its_members_to_one_grey_level(
    family: str, models: Path
) -> None:
    decoder = load(build(models, family))
    for mode in Mode:
        items = [received(mode, 1, SHORT), received(mode, 2, LONG)]
        together = [values(outcome) for outcome in decoder.decode(items)]
        alone = [values(decoder.decode([item])[0]) for item in items]
        assert np.abs(np.stack(together) - np.stack(alone)).max() <= 1
        assert together[0].shape == (75, 101, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_picture_has_noise_of_its_own_and_hears_its_caption(
    family: str, models: Path
) -> None:
    decoder = load(build(models, family))
    for mode in (Mode.TEXT, Mode.PIXEL):
        start = paint(101, 75)
        one, other_seed, other_caption = (
            Received(
                mode=mode,
                width=101,
                height=75,
                caption=caption,
                start=start if mode.has_start else None,
                seed=seed,
            )
            for seed, caption in ((1, SHORT), (2, SHORT), (1, LONG))
        )
        first, second = (values(o) for o in decoder.decode([one, other_seed]))
        assert np.abs(first - second).max() > 1
        assert np.any(values(decoder.decode([other_caption])[0]) != first)


@pytest.mark.parametrize(
    ("family", "multiple"),
    [(family, 8 if family in ("sdxl", "playground") else 16) for family in FAMILIES],
)
def test_the_working_size_is_the_one_that_the_family_can_paint(
    family: str, multiple: int, models: Path
) -> None:
    decoder = load(build(models, family))
    text, start = (decoder.account(received(mode)) for mode in (Mode.TEXT, Mode.IMAGE))
    # Text mode takes the nearest size; a start picture is cut down, as the released script does.
    assert (text.width, text.height) == ((104, 72) if multiple == 8 else (96, 80))
    assert (start.width, start.height) == ((96, 72) if multiple == 8 else (96, 64))


def test_text_mode_can_paint_the_sent_shape_at_the_models_own_size(models: Path) -> None:
    decoder = load(build(models, "sdxl"), "text_size=native")
    # The tiny model was made for 32 x 32 latents of 8 x 8 pixels.
    item = received(Mode.TEXT, size=(150, 75))
    account = decoder.account(item)
    assert (account.width, account.height) == (360, 184)
    assert account.width * account.height == pytest.approx(256**2, rel=0.05)


def test_a_protocol_with_a_longest_side_scales_every_mode(models: Path) -> None:
    decoder = load(build(models, "flux"), protocol="cmc-1")
    for mode in Mode:
        account = decoder.account(received(mode, size=(768, 500)))
        assert (account.width, account.height) == (1024, 672 if mode is Mode.TEXT else 656)


def test_the_reference_noise_is_that_of_sd15() -> None:
    # Step 20 of PNDM's 40 is at 501 of 1,000; the betas' roots are evenly spaced.
    alpha = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)[501]
    assert reference_sigma(40, 0.5) == pytest.approx(np.sqrt((1 - alpha) / alpha), rel=1e-4)
    assert reference_sigma(40, 0.5) == pytest.approx(1.62, abs=0.01)
    assert reference_sigma(40, 0.8) == pytest.approx(5.13, abs=0.01)


def test_the_start_noise_of_playground_is_the_documented_one() -> None:
    from diffusers import EDMDPMSolverMultistepScheduler

    scheduler = EDMDPMSolverMultistepScheduler(sigma_min=0.002, sigma_max=80.0, rho=7.0)
    # Karras et al., arXiv:2206.00364, equation 5: sigmas evenly spaced in the seventh root.
    ends = 80 ** (1 / 7), 0.002 ** (1 / 7)
    halfway = (ends[0] + 20 / 39 * (ends[1] - ends[0])) ** 7
    assert start_sigma(scheduler, 40, 0.5) == pytest.approx(halfway / 0.5, rel=1e-4)
    assert start_sigma(scheduler, 40, 0.5) == pytest.approx(4.48, abs=0.01)
    assert start_sigma(scheduler, 40, 0.8) == pytest.approx(47.2, abs=0.1)


@pytest.mark.parametrize("family", FAMILIES)
def test_matched_noise_starts_every_family_where_sd15_starts(family: str, models: Path) -> None:
    decoder = load(build(models, family), "steps=40&strength_match=snr")
    for mode, wanted in ((Mode.FULL, 1.62), (Mode.PIXEL, 5.13)):
        item = received(mode, size=(32, 32))
        decoder.decode([item])
        account = decoder.account(item)
        assert account.asked_sigma == pytest.approx(wanted, abs=0.01)
        assert account.start_sigma is not None
        # Steps lie closer than a factor of 1.35 from each other in all of them.
        assert 1 / 1.17 < account.start_sigma / wanted < 1.17


def test_the_shift_that_flux_takes_from_the_size_is_in_the_record(models: Path) -> None:
    decoder = load(build(models, "flux"), "steps=2")
    sigmas = []
    for size in ((64, 64), (256, 256)):
        item = received(Mode.FULL, size=size)
        decoder.decode([item])
        sigmas.append(decoder.account(item).start_sigma)
    # exp(mu) at the middle step, for 16 and 256 tokens: mu = 0.5 + (tokens - 256) / 3840 * 0.65.
    assert sigmas == pytest.approx([np.exp(0.5 - 240 / 3840 * 0.65), np.exp(0.5)], rel=1e-3)


def test_a_strength_of_ones_own_starts_elsewhere(models: Path) -> None:
    decoder = load(build(models, "sd-passing"), "steps=10&strength=0.3&strength_pixel=0.9")
    found = {}
    for mode in (Mode.PIXEL, Mode.IMAGE, Mode.FULL):
        item = received(mode, size=(64, 48))
        decoder.decode([item])
        found[mode] = decoder.account(item).start_sigma
    assert found[Mode.IMAGE] == found[Mode.FULL] == pytest.approx(reference_sigma(10, 0.3))
    assert found[Mode.PIXEL] == pytest.approx(reference_sigma(10, 0.9))


def test_a_strength_that_leaves_no_step_is_refused_with_the_steps_that_would_do(
    models: Path,
) -> None:
    decoder = load(build(models, "sdxl"), "steps=3&strength=0.3")
    with pytest.raises(ModelError, match=r"3 steps at strength 0\.3 leave none.*steps=4"):
        decoder.decode([received(Mode.IMAGE, size=(64, 48))])


@pytest.mark.parametrize(
    "setting", ["guidance=1.5", "negative_prompt=blurry", "prompt_suffix=at night", "strength=1.0"]
)
def test_a_setting_changes_the_picture(setting: str, models: Path) -> None:
    model = build(models, "sdxl")
    item = received(Mode.FULL)
    plain, changed = load(model), load(model, f"steps=2&{setting}")
    before, after = (values(decoder.decode([item])[0]) for decoder in (plain, changed))
    assert np.any(before != after)


@pytest.mark.parametrize(
    ("family", "setting", "message"),
    [
        ("sdxl", "strength=1.5", r"strength 1\.5 in pixel mode: wanted one in \(0, 1\]"),
        ("sdxl", "strength_match=noise", "wanted one of none, snr"),
        ("sdxl", "text_size=big", "wanted one of sent, native"),
        ("sdxl", "dtype=int8", "dtype=int8: wanted one of float16, bfloat16, float32"),
        ("sdxl", "steps=-1", "steps=-1: wanted a number from 1"),
        ("sdxl", "true_cfg=4", "StableDiffusionXLPipeline has no true_cfg_scale"),
        ("flux", "negative_prompt=blurry", "no effect here without true_cfg above 1"),
        ("flux", "true_cfg=4", "true_cfg has no effect here without a negative_prompt"),
    ],
)
def test_a_setting_without_a_meaning_is_refused(
    family: str, setting: str, message: str, models: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        load(build(models, family), setting)


def test_the_safety_checker_is_heard_and_can_be_left_out(models: Path) -> None:
    items = [received(mode) for mode in (Mode.TEXT, Mode.FULL)]
    flagging = build(models, "sd-flagging")
    for item in items:
        (outcome,) = load(flagging).decode([item])
        assert isinstance(outcome, DecodeError)
        assert outcome.code == "NSFW_FILTERED"
        assert values(load(build(models, "sd-passing")).decode([item])[0]).std() > 5
        free = load(flagging, "steps=2&safety_checker=false")
        assert values(free.decode([item])[0]).std() > 5


def test_the_variant_and_the_precision_that_were_loaded_are_recorded(
    models: Path, tmp_path: Path
) -> None:
    from diffusers import StableDiffusionXLPipeline

    both = build(models, "sdxl")
    pipeline = StableDiffusionXLPipeline.from_pretrained(both)
    pipeline.save_pretrained(tmp_path / "half", safe_serialization=True, variant="fp16")
    item = received(Mode.TEXT)
    wanted = {
        (both, ""): ("float32", "default"),
        (both, "dtype=float16&"): ("float16", "default"),
        (both, "dtype=bfloat16&"): ("bfloat16", "default"),
        (tmp_path / "half", ""): ("float32", "fp16"),
        (tmp_path / "half", "dtype=float16&"): ("float16", "fp16"),
    }
    for (model, setting), found in wanted.items():
        details = load(model, f"{setting}steps=2").account(item).details
        assert (details["dtype"], details["variant"]) == found
        assert details["pipeline"] == "StableDiffusionXLPipeline"
        assert details["scheduler"] == "EulerDiscreteScheduler"


def test_bfloat16_paints_nearly_the_same_picture(models: Path) -> None:
    item = received(Mode.FULL)
    exact, rounded = (
        values(load(build(models, "flux"), f"steps=2&dtype={dtype}").decode([item])[0])
        for dtype in ("float32", "bfloat16")
    )
    assert 0 < np.abs(exact - rounded).mean() < 16


def test_a_model_without_image_to_image_paints_text_and_says_what_it_cannot(
    models: Path,
) -> None:
    decoder = load(build(models, "pixart"), "steps=2")
    assert values(decoder.decode([received(Mode.TEXT)])[0]).std() > 1
    with pytest.raises(ModelError, match="no image-to-image by strength for PixArtSigmaPipeline"):
        decoder.decode([received(Mode.FULL)])


def test_the_option_of_matched_noise_is_the_setting_and_both_levels_are_recorded(
    models: Path, images: Path, captions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: list[object] = ["evaluate", "--i2t", f"file:{captions}", "--images", images]
    options += ["--protocol", "demo-0", "--modes", "full", "--device", "cpu"]
    options += ["--cache", tmp_path / "cache", "--out", tmp_path / "out", "--json"]
    options += ["--t2i", f"diffusers:{build(models, 'playground')}?steps=20"]
    status = main([*map(str, options), "--strength-match", "snr"])
    assert status == 0
    result = from_json(Result, (tmp_path / "out" / "result.json").read_bytes())
    assert json.loads(capsys.readouterr().out)["source"] == "self-reported"
    assert result.request.t2i is not None
    assert result.request.t2i.settings == {"steps": "20", "strength_match": "snr"}
    assert result.provenance.asked_sigma[Mode.FULL] == pytest.approx(1.62, abs=0.01)
    assert result.provenance.start_sigma[Mode.FULL] == pytest.approx(1.62, rel=0.2)
    assert result.provenance.t2i_details["scheduler"] == "EDMDPMSolverMultistepScheduler"
    assert result.provenance.captions_cut == {Mode.FULL: 0}
    rows = pq.read_table(tmp_path / "out" / "per_image.parquet").to_pylist()
    assert {(row["working_width"], row["working_height"]) for row in rows} == {
        (192, 176),
        (200, 176),
    }
    assert {row["start_sigma"] for row in rows} == {result.provenance.start_sigma[Mode.FULL]}


def test_matched_noise_without_a_t2i_model_is_refused(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--codec", "vvc:53", "--images", str(images), "--strength-match", "snr"]
    assert main(["submit", *options, "--store", str(tmp_path / "store")]) != 0
    assert "name one with --t2i" in capsys.readouterr().err
