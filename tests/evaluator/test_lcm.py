"""Latent consistency models, which cut their steps themselves."""

from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from tiny_models import build

from evaluator.decoders import Decoder, Received, find_decoder
from protocol.errors import ModelError
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system


def load(models: Path, settings: str) -> Decoder:
    system = pin_system(f"diffusers:{build(models, 'lcm')}?{settings}")
    return find_decoder("diffusers").load(system, PROTOCOLS["demo-0"], "cpu")


def test_a_latent_consistency_model_starts_by_strength_and_cannot_be_matched(models: Path) -> None:
    item = Received(
        mode=Mode.FULL,
        width=64,
        height=48,
        caption="a blue house",
        start=paint(64, 48),
        seed=1,
    )
    decoder = load(models, "steps=4")
    decoder.decode([item])
    # Half of its 50 steps of 20 are gone: at 499 of 1,000.
    alpha = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2)[499]
    assert decoder.account(item).start_sigma == pytest.approx(np.sqrt((1 - alpha) / alpha))
    matched = load(models, "steps=4&strength_match=snr")
    with pytest.raises(ModelError, match="LCMScheduler chooses its own start"):
        matched.decode([item])
