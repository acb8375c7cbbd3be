"""Protocol versions: every result names one, and rows of two versions never share a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocol.errors import InputError
from protocol.rules import (
    CAPTION_PROMPTS,
    IMAGE_PROMPT,
    SEED,
    VVC_QP,
    Dimension,
    Mode,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """All that both sides of a codec agree on before the first byte is sent."""

    name: str
    summary: str
    """One sentence for people."""
    indicators: Mapping[Dimension, str]
    """The ranking indicator of each dimension, by its file name in `evaluator/indicators/`."""
    longest_side: int | None
    """Decoders work with the longest side set to this many pixels; None: the picture's size."""
    steps: int
    """Denoising steps asked for; a start at strength s runs int(steps * s) of them."""
    strength: Mapping[Mode, float]
    vvc_qp: int
    text_coder: str
    caption_words: int
    image_prompt: str
    seed: int

    @property
    def caption_prompt(self) -> str:
        """What an I2T model is asked."""
        return CAPTION_PROMPTS[self.caption_words]


_STRENGTH = {Mode.TEXT: 1.0, Mode.PIXEL: 0.8, Mode.IMAGE: 0.5, Mode.FULL: 0.5}

_CMC_1 = Protocol(
    name="cmc-1",
    summary="TOPIQ with the benchmark's released weights, as in the paper.",
    indicators={Dimension.FR: "topiq_fr", Dimension.NR: "topiq_nr"},
    longest_side=1024,
    steps=40,
    strength={Mode.TEXT: 1.0, Mode.PIXEL: 0.8, Mode.IMAGE: 0.5, Mode.FULL: 0.5},
    vvc_qp=VVC_QP,
    text_coder="zlib",
    caption_words=20,
    image_prompt=IMAGE_PROMPT,
    seed=SEED,
)
_DEMO_1 = replace(
    _CMC_1,
    name="demo-1",
    summary="cmc-1 at the pictures' own size; for trying the pipeline on small pictures.",
    longest_side=None,
)
_DEMO_0 = replace(
    _DEMO_1,
    name="demo-0",
    summary="MS-SSIM and 1 - PIQE/100, which need no weights; for trying the pipeline.",
    indicators={Dimension.FR: "ms_ssim", Dimension.NR: "piqe"},
)

PROTOCOLS: Mapping[str, Protocol] = {p.name: p for p in (_CMC_1, _DEMO_1, _DEMO_0)}


def find_protocol(name: str) -> Protocol:
    """Return the protocol of this name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    if name not in PROTOCOLS:
        raise InputError(f"no protocol {name!r}; there are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]
