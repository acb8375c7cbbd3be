"""Which pipelines and model types the adapters serve, without loading a library.

`served.json` was written from diffusers 0.42 and transformers 5.23, which pyproject.toml pins; a
test holds it to the installed ones.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from protocol.rules import Mode, Role
from protocol.systems import ADAPTERS

FILE = Path(__file__).with_name("served.json")

_RESTORED = frozenset({Mode.IMAGE, Mode.FULL})
_CAPTIONED = frozenset(mode for mode in Mode if mode.has_caption)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What one adapter runs."""

    modes: frozenset[Mode]
    pipelines: frozenset[str] = frozenset()
    """Pipeline classes of a `model_index.json`; empty: the adapter takes no pipeline folder."""
    text_only: frozenset[str] = frozenset()
    """Those of `pipelines` without image-to-image by strength, which run text mode alone."""
    model_types: frozenset[str] = frozenset()
    """`model_type` of a `config.json`; empty: the adapter does not look at it."""
    edits: bool = False
    """Whether its networks take the picture to edit in channels of their own."""
    reads_pickles: bool = False
    """Whether it reads `.pth` and `.bin` as tensors only, which runs no code."""
    has_weights: bool = True
    """False for what loads no model: codecs, files of captions, servers."""


@cache
def served_by() -> Mapping[str, Served]:
    """Return what each adapter runs, by its name as it is typed."""
    tables = json.loads(FILE.read_text(encoding="utf-8"))
    text_only = frozenset(tables["diffusers"]["text_only"])
    pipelines = frozenset(tables["diffusers"]["with_strength"]) | text_only
    stable_diffusion = frozenset({"StableDiffusionPipeline"})
    nothing = {
        name: Served(modes=frozenset({Mode.IMAGE}), has_weights=False)
        for name in ADAPTERS[Role.CODEC]
    }
    return {
        **nothing,
        "file": Served(modes=_CAPTIONED, has_weights=False),
        "openai": Served(modes=_CAPTIONED, has_weights=False),
        "transformers": Served(modes=_CAPTIONED, model_types=frozenset(tables["transformers"])),
        "sharegpt4v": Served(modes=_CAPTIONED, reads_pickles=True),
        "start-image": Served(modes=frozenset(Mode) - {Mode.TEXT}, has_weights=False),
        "control": Served(modes=frozenset(Mode) - {Mode.TEXT}, has_weights=False),
        "openai-image": Served(modes=frozenset(Mode), has_weights=False),
        "diffusers": Served(modes=frozenset(Mode), pipelines=pipelines, text_only=text_only),
        "animatediff": Served(
            modes=frozenset(Mode), pipelines=stable_diffusion | {"AnimateDiffPipeline"}
        ),
        "kandinsky22": Served(modes=frozenset(Mode), pipelines=frozenset({"KandinskyV22Pipeline"})),
        "instruct": Served(modes=_RESTORED, pipelines=_EDITORS, edits=True),
        "spandrel": Served(modes=_RESTORED, reads_pickles=True),
        "diffbir": Served(modes=_RESTORED, pipelines=stable_diffusion, reads_pickles=True),
        "pasd": Served(modes=_RESTORED, pipelines=stable_diffusion, reads_pickles=True),
        "stablesr": Served(modes=_RESTORED, pipelines=stable_diffusion, reads_pickles=True),
    }


_EDITORS = frozenset(
    {
        "StableDiffusionInstructPix2PixPipeline",
        "FluxKontextPipeline",
        "QwenImageEditPipeline",
        "QwenImageEditPlusPipeline",
        "Flux2KleinPipeline",
        "Flux2Pipeline",
    }
)
