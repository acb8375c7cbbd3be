"""Which models are of one family: a picture that a decoder's own family made is no fair test of it.

A family shares weights: RealVisXL is fine-tuned from SDXL and SSD-1B distilled from it. Playground
v2 and v2.5 were trained from scratch, in SDXL's architecture (their model cards).
"""

import re
from collections.abc import Iterable, Mapping

from protocol.records import System
from protocol.rules import Content
from protocol.samples import Sample

_SOURCES: Mapping[str, str] = {
    "SDXL": r"(?i)sdxl.*|ssd",
    "Playground": r"(?i)pg.*|playground.*",
    "PixArt": r"(?i)pixart.*",
    "Midjourney": r"(?i)mj|midjourney",
    "OpenAI": r"(?i)dalle.*|gpt.*",
    "Stable Diffusion 1": r"(?i)sd1.*",
    "Stable Diffusion 2": r"(?i)sd2.*",
    "FLUX": r"(?i)flux.*",
    "Kandinsky": r"(?i)kandinsky.*",
    "Infinity": r"(?i)infinity.*",
}
"""Families by the second part of a picture's name: AIGI_SSD_007.png."""

_MODELS: Mapping[str, str] = {
    "SDXL": r"(?i)stable-diffusion-xl|sdxl|realvisxl|ssd-1b",
    "Playground": r"(?i)playground-v2",
    "PixArt": r"(?i)pixart",
    "OpenAI": r"(?i)^(dall-e|gpt-image)",
    "Stable Diffusion 1": r"(?i)stable-diffusion-v1|dreamlike-photoreal|instruct-pix2pix",
    "Stable Diffusion 2": r"(?i)stable-diffusion-2",
    "FLUX": r"(?i)flux\.1|flux-?[12]",
    "Kandinsky": r"(?i)kandinsky",
    "Infinity": r"(?i)infinity",
}
"""Families by a model's Hub id or name, which the registry's rows expand to."""


def family_of_source(source: str) -> str:
    """Return the family of the model that made an AIGI; empty where it is not known."""
    return next((name for name, form in _SOURCES.items() if re.fullmatch(form, source)), "")


def family_of_system(system: System | None) -> str:
    """Return a T2I model's family; empty where it is not known."""
    if system is None:
        return ""
    return next((name for name, form in _MODELS.items() if re.search(form, system.model)), "")


def of_own_family(system: System | None, samples: Iterable[Sample]) -> list[str]:
    """Return the names of the AIGI that a decoder's own family made."""
    family = family_of_system(system)
    return [
        sample.name
        for sample in samples
        if family and sample.content is Content.AIGI and family_of_source(sample.source) == family
    ]
