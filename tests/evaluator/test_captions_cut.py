"""Captions that are longer than a T2I model's text encoders read."""

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from conftest import paint
from tiny_models import build
from tiny_qwen import qwen_tokenizer

from evaluator.decoders import Received, find_decoder
from evaluator.decoders._room import is_cut
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


class Read(Exception):
    """What a text encoder is given."""


class Encoder(torch.nn.Module):
    dtype, device = torch.float32, torch.device("cpu")

    def forward(self, input_ids: Any, **_: Any) -> None:
        raise Read(input_ids[0])


def pipeline_of(kind: str) -> Any:
    """Return a pipeline whose template and tokenizer begin with a mark, and nothing to paint."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PixtralImageProcessor, PixtralProcessor

    tokenizer = qwen_tokenizer()
    template = (
        "{% for m in messages %}[{{ m.role }}]{% if m.content is string %}{{ m.content }}{% else %}"
        "{{ m.content[0].text }}{% endif %}{% endfor %}[/INST]"
    )
    if kind == "Flux2Pipeline":
        tokenizer.add_special_tokens({"bos_token": "<s>"})
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
        )
        template = "<s>" + template
    tokenizer.add_special_tokens({"additional_special_tokens": ["[IMG]"]})
    tokenizer.chat_template = template
    processor = PixtralProcessor(PixtralImageProcessor(), tokenizer, chat_template=template)
    part = "processor" if kind == "NucleusMoEImagePipeline" else "tokenizer"
    given = processor if kind in ("Flux2Pipeline", "NucleusMoEImagePipeline") else tokenizer
    nothing = dict.fromkeys(("scheduler", "vae", "transformer"))
    return getattr(diffusers, kind)(**nothing, text_encoder=None, **{part: given})


@pytest.mark.parametrize(
    ("kind", "room"),
    [
        ("Flux2Pipeline", 512),
        ("Flux2KleinPipeline", 512),
        ("ZImagePipeline", 512),
        ("NucleusMoEImagePipeline", 1024),
        ("Lumina2Pipeline", 256),
    ],
)
def test_what_a_pipeline_says_before_a_caption_takes_of_its_room(kind: str, room: int) -> None:
    pipeline = pipeline_of(kind)
    tokenizer = pipeline.components.get("processor") or pipeline.tokenizer
    captions = ["a" * (n - 1) + "Z" for n in range(1, room + 1)]
    last = [is_cut(pipeline, caption) for caption in captions].index(True)
    pipeline.text_encoder = Encoder()
    for caption, is_whole in ((captions[last - 1], True), (captions[last], False)):
        with pytest.raises(Read) as read:
            pipeline.encode_prompt(caption, max_sequence_length=room, device="cpu")
        assert ("Z" in tokenizer.decode(read.value.args[0])) is is_whole
