"""Protocol versions: every result names one, and rows of two versions never share a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

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
    text_prior: str = ""
    """What the sha256 of the text coder's prior begins with, 16 digits; empty: it has none."""
    caption_words: int
    image_prompt: str
    seed: int

    @property
    def caption_prompt(self) -> str:
        """What an I2T model is asked."""
        return CAPTION_PROMPTS[self.caption_words]


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


LARGEST_SEED = (1 << 64) - 1
"""Eight bytes: what a picture's own seed is derived from."""

VARIABLES: Mapping[str, type[int] | type[float] | type[str]] = {
    "seed": int,
    "steps": int,
    "strength": float,
    "text_coder": str,
    "text_prior": str,
    "vvc_qp": int,
}
"""What a variant may change; `strength` is that of every mode with a start."""


def find_protocol(name: str) -> Protocol:
    """Return the protocol of this name, or a variant of one: `cmc-1?vvc_qp=48`.

    A variant is a protocol of its own and is named by all that it changes, so its results share no
    table with any other's.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    base, mark, changes = name.partition("?")
    if base not in PROTOCOLS:
        raise InputError(f"no protocol {base!r}; there are {', '.join(PROTOCOLS)}")
    if not mark:
        return PROTOCOLS[base]
    values = dict(part.partition("=")[::2] for part in changes.split("&"))
    wanted = variant_name(base, values)
    if name != wanted:
        raise InputError(
            f"{name!r} is no variant's name; wanted {base}?NAME=VALUE&…, by name, with names of "
            f"{', '.join(VARIABLES)}" + (f": {wanted}" if wanted != base else "")
        )
    return _vary(PROTOCOLS[base], name, values)


def variant_name(base: str, changes: Mapping[str, str]) -> str:
    """Return what a protocol with changes is called.

    It has one name: changes are sorted, and a number is written in one way.
    """
    known = "&".join(f"{k}={as_counted(k, changes[k])}" for k in sorted(changes) if k in VARIABLES)
    return f"{base}?{known}" if known else base


def as_counted(key: str, text: str) -> str:
    """Return a value as it is counted: `0.50` is `0.5`; what is no number stays as it is."""
    kind = VARIABLES.get(key, str)
    try:
        return text if kind is str else str(kind(text)).removesuffix(".0")
    except ValueError:
        return text


def _vary(protocol: Protocol, name: str, changes: Mapping[str, str]) -> Protocol:
    values: dict[str, Any] = {}
    for key, text in changes.items():
        try:
            values[key] = VARIABLES[key](text)
        except ValueError as error:
            raise InputError(f"{name}: {key} wants a number, found {text!r}") from error
    if not 0 <= values.get("seed", 0) <= LARGEST_SEED:
        raise InputError(f"{name}: a seed is a whole number from 0 to {LARGEST_SEED}")
    if values.get("steps", 1) < 1:
        raise InputError(f"{name}: there is one step at least")
    strength = values.pop("strength", None)
    if strength is not None:
        if not 0 < strength <= 1:
            raise InputError(f"{name}: a strength is above 0 and at most 1")
        values["strength"] = {
            mode: strength if mode.has_start else own for mode, own in protocol.strength.items()
        }
    return replace(protocol, name=name, **values)
