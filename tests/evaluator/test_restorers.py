"""PASD and StableSR as decoders: their checkpoints, their samplers, what they hear."""

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import paint
from PIL import Image
from safetensors.torch import save_file
from tiny_pasd_stablesr import build_pasd, build_stablesr

from evaluator.decoders import Decoder, Received, find_decoder
from protocol.errors import DecodeError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
BUILDERS: dict[str, Callable[[Path], Path]] = {"pasd": build_pasd, "stablesr": build_stablesr}
FAST = "steps=3&shortest_side=64"


def open_decoder(name: str, models: Path, settings: str = FAST) -> Any:
    system = pin_system(f"{name}:{BUILDERS[name](models)}?{settings}")
    return find_decoder(name).load(system, DEMO, "cpu")


@pytest.fixture(scope="module")
def decoders(models: Path) -> dict[str, Decoder]:
    return {name: open_decoder(name, models) for name in BUILDERS}


def received(seed: int, caption: str | None = "a blue house") -> Received:
    mode = Mode.IMAGE if caption is None else Mode.FULL
    start = paint(81, 64, seed=3)
    return Received(mode=mode, width=81, height=64, caption=caption, start=start, seed=seed)


def decode(decoder: Decoder, *batch: Received) -> list[np.ndarray]:
    pictures = decoder.decode(batch)
    assert all(isinstance(picture, Image.Image) for picture in pictures)
    return [np.asarray(picture).astype(int) for picture in pictures]


@pytest.mark.parametrize("name", BUILDERS)
def test_the_batch_changes_a_restored_picture_by_rounding_only(
    name: str, decoders: dict[str, Decoder]
) -> None:
    items = [received(1), received(2, "a red boat")]
    together = decode(decoders[name], *items)
    for picture, item in zip(together, items, strict=True):
        assert np.abs(picture - decode(decoders[name], item)[0]).mean() < 0.1
    assert np.abs(together[0] - together[1]).mean() > 1


@pytest.mark.parametrize("name", BUILDERS)
def test_a_restored_picture_follows_its_seed(name: str, decoders: dict[str, Decoder]) -> None:
    one, other = (decode(decoders[name], received(seed))[0] for seed in (1, 2))
    assert np.abs(one - other).mean() > 1


@pytest.mark.parametrize("name", BUILDERS)
def test_a_restored_picture_with_nan_is_a_failure_of_its_own(name: str, models: Path) -> None:
    decoder = open_decoder(name, models)
    vae = decoder._pipeline.vae if name == "pasd" else decoder._networks.autoencoder.vae
    vae.decoder.conv_out.bias.data.fill_(float("nan"))
    (outcome,) = decoder.decode([received(1)])
    assert isinstance(outcome, DecodeError)
    assert outcome.code == "NAN_OUTPUT"


@pytest.mark.parametrize("name", BUILDERS)
def test_half_precision_runs_and_stays_close(
    name: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Guidance multiplies rounding; that is the sampler's doing and not asked here.
    settings = f"{FAST}&guidance=1" if name == "pasd" else FAST
    (single,) = decode(open_decoder(name, models, settings), received(1))
    monkeypatch.setattr(f"evaluator.decoders.{name}.dtype_on", lambda _: torch.float16)
    (half,) = decode(open_decoder(name, models, settings), received(1))
    assert np.abs(half - single).mean() < 0.5


def test_pasd_paints_the_caption_and_stablesr_has_no_prompt(decoders: dict[str, Decoder]) -> None:
    for name, differs in (("pasd", True), ("stablesr", False)):
        one, other = (
            decode(decoders[name], received(1, text))[0] for text in ("a cat", "two dogs")
        )
        assert bool(np.any(one != other)) is differs


def test_pasds_prompt_is_the_caption_or_the_protocols_and_its_own_words(
    decoders: dict[str, Any],
) -> None:
    added = "clean, high-resolution, 8k"
    assert decoders["pasd"]._prompt(received(1, "A cat.")) == f"A cat., {added}"
    assert decoders["pasd"]._prompt(received(1, None)) == f"{DEMO.image_prompt}, {added}"


def test_working_sizes_reach_the_shortest_side_and_fit_the_model(models: Path) -> None:
    assert open_decoder("pasd", models, "steps=1").working_size(1000, 501) == (1528, 768)
    decoder = open_decoder("stablesr", models, "steps=1")
    assert decoder.working_size(1000, 501) == (1022, 512)
    assert decoder.working_size(1000, 800) == (1000, 800)


def test_both_noisings_of_pasd_make_the_noise_it_starts_at(decoders: dict[str, Any]) -> None:
    decoder = decoders["pasd"]
    alphas = decoder._pipeline.scheduler.alphas_cumprod
    alpha = float(alphas[999] * alphas[900])
    start_sigma = decoder.account(received(1)).start_sigma
    assert start_sigma == pytest.approx(math.sqrt((1 - alpha) / alpha))
    start = torch.full((1, 3, 512, 512), 0.5)
    with torch.inference_mode():
        latents = decoder._start(start, [torch.Generator().manual_seed(0)])
    assert float(latents.std()) == pytest.approx(math.sqrt(1 - alpha), abs=0.05)


def test_stablesrs_steps_and_variances_are_those_of_the_respaced_process(
    decoders: dict[str, Any],
) -> None:
    scheduler = decoders["stablesr"]._networks.scheduler
    scheduler.set_timesteps(200)
    stride = 999 / 199
    steps = [round(number * stride) for number in range(200)]
    assert scheduler.timesteps.tolist() == steps[::-1]
    assert len(set(steps)) == 200
    latents, eps = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    alpha, before = (float(scheduler.alphas_cumprod[steps[number]]) for number in (120, 119))
    beta = 1 - alpha / before
    mean = (latents - beta / math.sqrt(1 - alpha) * eps) / math.sqrt(1 - beta)
    wanted = mean + math.sqrt(beta * (1 - before) / (1 - alpha)) * noise
    generator = [torch.Generator().manual_seed(2)]
    stepped = scheduler.step(eps.float(), steps[120], latents.float(), generator=generator)
    assert (stepped.prev_sample - wanted).abs().max() < 1e-5


def test_stablesr_reads_safetensors_as_well(
    models: Path, tmp_path: Path, decoders: dict[str, Decoder]
) -> None:
    stablesr = tmp_path / "safetensors-random-weights"
    shutil.copytree(build_stablesr(models), stablesr)
    for name in ("stablesr_000117", "vqgan_cfw_00011"):
        state = torch.load(stablesr / f"{name}.ckpt", weights_only=True)["state_dict"]
        save_file(
            {key: value.contiguous() for key, value in state.items()},
            stablesr / f"{name}.safetensors",
        )
    named = "checkpoint=stablesr_000117.safetensors&cfw=vqgan_cfw_00011.safetensors"
    system = pin_system(f"stablesr:{stablesr}?{FAST}&{named}")
    decoder = find_decoder("stablesr").load(system, DEMO, "cpu")
    (one,), (other,) = (decode(each, received(1)) for each in (decoder, decoders["stablesr"]))
    assert np.array_equal(one, other)
