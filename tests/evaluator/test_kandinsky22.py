"""Kandinsky 2.2: two stages, a prior of its own, start pictures that keep their shape."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_received import LONG, SHORT, received, values
from PIL import Image
from tiny_kandinsky import build_kandinsky_decoder, build_kandinsky_prior

from evaluator.decoders import Decoder, find_decoder
from protocol.errors import ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
SIZE = (192, 70)


def load(models: Path, settings: str = "steps=4", **changes: Path) -> Decoder:
    decoder = changes.get("decoder") or build_kandinsky_decoder(models)
    prior = changes.get("prior") or build_kandinsky_prior(models)
    system = pin_system(f"kandinsky22:{decoder}?adapter={prior}&{settings}")
    return find_decoder("kandinsky22").load(system, DEMO, "cpu")


@pytest.mark.parametrize("settings", ["steps=4", "steps=4&negative_prompt=red"])
def test_a_batch_has_the_pictures_of_its_members_to_one_grey_level(
    settings: str, models: Path
) -> None:
    decoder = load(models, settings)
    for mode in Mode:
        items = [received(mode, 1, SHORT, SIZE), received(mode, 2, LONG, SIZE)]
        together = [values(outcome) for outcome in decoder.decode(items)]
        alone = [values(decoder.decode([item])[0]) for item in items]
        assert np.abs(np.stack(together) - np.stack(alone)).max() <= 1
        assert np.abs(together[0] - together[1]).max() > 1


def test_a_start_picture_keeps_its_shape(models: Path) -> None:
    decoder: Any = load(models)
    seen = []
    decoder._from_image.movq.encoder.register_forward_pre_hook(lambda _, given: seen.extend(given))
    item = received(Mode.IMAGE, size=SIZE)
    decoder.decode([item])
    assert item.start is not None
    assert (decoder.account(item).width, decoder.account(item).height) == (192, 64)
    wanted = np.asarray(item.start.resize((192, 64), Image.Resampling.BICUBIC)) / 127.5 - 1
    assert seen[0][0].permute(1, 2, 0).numpy() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    "setting",
    ["guidance=2", "prior_guidance=2", "prior_steps=3", "negative_prompt=red", "strength=0.8"],
)
def test_a_setting_and_the_caption_change_the_picture(setting: str, models: Path) -> None:
    item, other = received(Mode.FULL, size=SIZE), received(Mode.FULL, caption=LONG, size=SIZE)
    before = values(load(models).decode([item])[0])
    assert np.any(values(load(models, f"steps=4&{setting}").decode([item])[0]) != before)
    assert np.any(values(load(models).decode([other])[0]) != before)


def test_matched_noise_starts_where_sd15_starts(models: Path) -> None:
    decoder = load(models, "steps=40&strength_match=snr")
    item = received(Mode.FULL, size=SIZE)
    decoder.decode([item])
    account = decoder.account(item)
    assert account.asked_sigma == pytest.approx(1.62, abs=0.01)
    assert account.start_sigma == pytest.approx(1.62, rel=0.1)
    assert account.details["prior_pipeline"] == "KandinskyV22PriorPipeline"


def test_the_prior_is_pinned_with_the_decoder(models: Path) -> None:
    decoder, prior = build_kandinsky_decoder(models), build_kandinsky_prior(models)
    system = pin_system(f"kandinsky22:{decoder}?adapter={prior}")
    name, _, commit = system.settings["adapter"].rpartition("@")
    assert (name, len(commit)) == (str(prior), 40)
    other = pin_system(f"kandinsky22:{decoder}?adapter={build_kandinsky_prior(models, 64)}")
    assert other.identity != system.identity


def test_stages_that_do_not_belong_together_are_refused(models: Path) -> None:
    decoder = build_kandinsky_decoder(models)
    with pytest.raises(ModelError, match="adapter=FOLDER_OR_ID, for example"):
        find_decoder("kandinsky22").load(pin_system(f"kandinsky22:{decoder}"), DEMO, "cpu")
    with pytest.raises(ModelError, match="embeddings of 64 numbers, the decoder takes 32"):
        load(models, prior=build_kandinsky_prior(models, 64))
    with pytest.raises(ModelError, match="takes 9 channels where its autoencoder has 4"):
        load(models, decoder=build_kandinsky_decoder(models, 9))
    with pytest.raises(ModelError, match="diffusers cannot load tiny-kandinsky-decoder"):
        load(models, prior=decoder)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("prior_steps=1", "prior_steps=1: wanted a number from 2"),
        ("steps=4&strength=0.1", r"strength 0\.1 of 4 steps in pixel mode leaves none to run"),
        ("steps=-1", "steps=-1: wanted a number from 1"),
    ],
)
def test_a_setting_without_a_meaning_is_refused(setting: str, message: str, models: Path) -> None:
    with pytest.raises(ModelError, match=message):
        load(models, setting)


def test_the_diffusers_adapter_says_that_it_does_not_know_such_a_start(
    models: Path, tmp_path: Path
) -> None:
    from diffusers import KandinskyV22CombinedPipeline, KandinskyV22Pipeline
    from diffusers import KandinskyV22PriorPipeline as Prior

    prior = Prior.from_pretrained(build_kandinsky_prior(models))
    decoder = KandinskyV22Pipeline.from_pretrained(build_kandinsky_decoder(models))
    parts = {f"prior_{name}": part for name, part in prior.components.items()}
    folder = tmp_path / "combined-random-weights"
    KandinskyV22CombinedPipeline(**decoder.components, **parts).save_pretrained(folder)
    with pytest.raises(ModelError, match="does not say where it starts"):
        find_decoder("diffusers").load(pin_system(f"diffusers:{folder}"), DEMO, "cpu")
