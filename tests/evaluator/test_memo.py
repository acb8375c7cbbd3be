"""Prompts and start pictures are encoded once, and the pictures stay the same bit by bit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from conftest import paint

from evaluator.decoders import Received, diffusers
from evaluator.decoders._memo import Memo
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system


def test_a_memo_tells_inputs_apart_by_value_type_and_options() -> None:
    calls: list[Any] = []

    def double(values: Any, scale: int = 2) -> Any:
        calls.append(scale)
        return values * scale

    memo = Memo(double, 3)
    ones = torch.ones(2)
    assert memo(ones) is memo(torch.ones(2))
    assert memo(ones, scale=3).sum() == 6
    assert memo(ones.to(torch.float64)).dtype is torch.float64
    assert memo(ones.reshape(1, 2)).shape == (1, 2)
    # Four inputs, and room for three: the first is computed again.
    assert memo(ones).sum() == 4
    assert memo.calls == len(calls) == 5


@pytest.fixture
def received() -> Callable[..., Received]:
    """Return a function that makes what a decoder is told of one small picture."""

    def make(mode: Mode, **changes: Any) -> Received:
        start = paint(64, 48) if mode.has_start else None
        caption = None if mode is Mode.IMAGE else "A blue corner."
        given = {"mode": mode, "width": 64, "height": 48, "caption": caption, "start": start}
        return Received(**{**given, "seed": 7, **changes})

    return make


def test_a_decoder_encodes_a_caption_and_a_picture_once(
    t2i: str, received: Callable[..., Received], monkeypatch: pytest.MonkeyPatch
) -> None:
    system: System = pin_system(f"{t2i}?steps=4")
    decoder: Any = diffusers.load(system, PROTOCOLS["demo-0"], "cpu")
    pipeline = decoder._from_noise
    items = [received(mode) for mode in (Mode.TEXT, Mode.PIXEL, Mode.IMAGE, Mode.FULL)]
    made = [np.asarray(decoder.decode([item])[0]) for item in items]
    # The caption, the image mode's prompt, the empty one, and nothing twice.
    # Pixel, image and full mode are given one start picture here.
    assert pipeline.text_encoder.forward.calls == 3
    assert pipeline.vae.encode.calls == 1
    assert decoder._from_image.vae is pipeline.vae
    with monkeypatch.context() as patch:
        patch.setattr(diffusers, "remember_inputs", lambda _: None)
        plain = diffusers.load(system, PROTOCOLS["demo-0"], "cpu")
    for item, picture in zip(items, made, strict=True):
        (again,) = plain.decode([item])
        assert np.array_equal(np.asarray(again), picture)


def test_the_pictures_of_a_batch_are_encoded_once_for_image_and_full_mode(
    t2i: str, received: Callable[..., Received]
) -> None:
    decoder: Any = diffusers.load(pin_system(f"{t2i}?steps=4"), PROTOCOLS["demo-0"], "cpu")
    starts = [paint(64, 48, seed) for seed in range(5)]
    for mode in (Mode.PIXEL, Mode.IMAGE, Mode.FULL):
        # Each mode's start is its own, but for image and full mode.
        found = starts if mode is not Mode.PIXEL else [s.rotate(180) for s in starts]
        decoder.decode([received(mode, start=start) for start in found])
    assert decoder._from_noise.vae.encode.calls == 2 * len(starts)


def test_a_vae_decodes_a_batch_picture_by_picture(
    t2i: str, received: Callable[..., Received]
) -> None:
    decoder: Any = diffusers.load(pin_system(f"{t2i}?steps=4"), PROTOCOLS["demo-0"], "cpu")
    network = decoder._from_noise.vae.decoder
    sizes: list[int] = []
    network.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    for mode in (Mode.TEXT, Mode.FULL):
        decoder.decode([received(mode, seed=seed) for seed in range(3)])
    assert sizes == [1] * 6
