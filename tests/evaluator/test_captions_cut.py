"""Captions that are longer than a T2I model's text encoders read."""

from pathlib import Path
from typing import Any

import numpy as np
from conftest import paint
from tiny_models import build

from evaluator.decoders import Received, find_decoder
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system


def load(models: Path, family: str) -> Any:
    system = pin_system(f"diffusers:{build(models, family)}?steps=2")
    return find_decoder("diffusers").load(system, PROTOCOLS["demo-0"], "cpu")


def told(caption: str | None) -> Received:
    mode, start = (Mode.TEXT, None) if caption else (Mode.IMAGE, paint(64, 48))
    return Received(mode=mode, width=64, height=48, caption=caption, start=start, seed=1)


def test_a_caption_is_cut_where_no_text_encoder_reads_it_to_its_end(models: Path) -> None:
    decoder: Any = load(models, "sdxl")
    whole, cut = (told(" ".join(["blue"] * n)) for n in (75, 76))
    assert (decoder.account(whole).caption_is_cut, decoder.account(cut).caption_is_cut) == (0, 1)
    one, other = (np.asarray(decoder.decode([item])[0]) for item in (whole, cut))
    assert np.array_equal(one, other)
    assert decoder.account(told(None)).caption_is_cut is False
    decoder = load(models, "flux")
    assert decoder.account(cut).caption_is_cut
    # A T5 beside the CLIP, with as much room as the pipeline gives it.
    decoder._from_noise.tokenizer_2.model_max_length = 4096
    assert not decoder.account(cut).caption_is_cut
    assert decoder.account(told("blue " * 512)).caption_is_cut
