"""AnimateDiff: a motion module in a Stable Diffusion model, films of one frame."""

from pathlib import Path

import numpy as np
import pytest
from made_received import received
from PIL import Image
from tiny_models import build

from evaluator.decoders import Decoder, find_decoder
from protocol.errors import ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def load(base: Path, settings: str) -> Decoder:
    system = pin_system(f"animatediff:{base}?{settings}")
    return find_decoder("animatediff").load(system, DEMO, "cpu")


@pytest.fixture
def base(models: Path) -> Path:
    return models / "tiny-sd-random-weights"


@pytest.fixture
def module(models: Path) -> Path:
    return build(models, "motion-module")


def test_two_pictures_at_once_are_the_two_pictures(base: Path, module: Path) -> None:
    decoder = load(base, f"steps=4&adapter={module}")
    for mode in (Mode.TEXT, Mode.FULL):
        together = decoder.decode([received(mode, 1), received(mode, 2)])
        alone = [decoder.decode([received(mode, seed)])[0] for seed in (1, 2)]
        for one, other in zip(together, alone, strict=True):
            assert isinstance(one, Image.Image)
            assert isinstance(other, Image.Image)
            assert one.tobytes() == other.tobytes()
        assert np.any(np.asarray(together[0]) != np.asarray(together[1]))


def test_the_scheduler_is_the_one_that_motion_modules_know(base: Path, module: Path) -> None:
    item = received(Mode.FULL)
    sigmas = {}
    for scheduler in ("linear", "checkpoint"):
        decoder = load(base, f"steps=4&adapter={module}&scheduler={scheduler}")
        decoder.decode([item])
        account = decoder.account(item)
        sigmas[account.details["scheduler"]] = account.start_sigma
    # Linear betas from 0.00085 to 0.012 are noisier half way than their squares' line.
    assert list(sigmas) == ["DDIMScheduler", "PNDMScheduler"]
    assert sigmas["DDIMScheduler"] != sigmas["PNDMScheduler"]
    with pytest.raises(ModelError, match="wanted linear or checkpoint"):
        load(base, f"adapter={module}&scheduler=euler")


def test_matched_noise_starts_where_sd15_starts(base: Path, module: Path) -> None:
    decoder = load(base, f"steps=40&adapter={module}&strength_match=snr")
    item = received(Mode.FULL)
    decoder.decode([item])
    account = decoder.account(item)
    assert account.asked_sigma == pytest.approx(1.62, abs=0.01)
    assert account.start_sigma == pytest.approx(1.62, rel=0.1)


def test_a_saved_film_pipeline_brings_its_motion_module(
    base: Path, module: Path, tmp_path: Path
) -> None:
    from diffusers import AnimateDiffPipeline, MotionAdapter

    path = tmp_path / "tiny-animatediff-random-weights"
    AnimateDiffPipeline.from_pretrained(
        base, motion_adapter=MotionAdapter.from_pretrained(module)
    ).save_pretrained(path, safe_serialization=True)
    item = received(Mode.FULL)
    (whole,) = load(path, "steps=4").decode([item])
    (apart,) = load(base, f"steps=4&adapter={module}").decode([item])
    assert isinstance(whole, Image.Image)
    assert isinstance(apart, Image.Image)
    assert whole.tobytes() == apart.tobytes()


def test_the_motion_module_is_pinned_with_the_base(
    base: Path, module: Path, tmp_path: Path
) -> None:
    system = pin_system(f"animatediff:{base}?adapter={module}")
    name, _, commit = system.settings["adapter"].rpartition("@")
    assert name == str(module)
    assert len(commit) == 40
    moved = tmp_path / module.name
    moved.mkdir()
    for file in module.iterdir():
        (moved / file.name).write_bytes(file.read_bytes())
    assert pin_system(f"animatediff:{base}?adapter={moved}").identity == system.identity
    (moved / "config.json").write_text("{}")
    assert pin_system(f"animatediff:{base}?adapter={moved}").identity != system.identity
    assert str(tmp_path) not in pin_system(f"animatediff:{base}?adapter={moved}").label


def test_a_base_without_a_motion_module_is_refused(base: Path, models: Path) -> None:
    with pytest.raises(ModelError, match="adapter=FOLDER_OR_ID"):
        load(base, "steps=4")
    with pytest.raises(ModelError, match="diffusers cannot load"):
        load(base, f"adapter={models / 'tiny-llava-random-weights'}")
