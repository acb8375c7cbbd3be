"""CLIP-IQA: is it rather a good or a bad image, 0 to 1 (Wang et al. 2023; P table 2, G)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import CLIP, Facts, WeightsFile
from evaluator.indicators._networks import (
    State,
    architecture,
    load_network,
    plain_names,
    replaced,
    untrained_clip,
)
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa CLIPIQA, RN50, five prompt pairs"
WEIGHTS = "RN50.pt"
_SHA256 = "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"
FACTS = Facts(
    paper="Wang et al., arXiv:2207.12396",
    lowest=0,
    highest=1,
    smallest_side=32,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{CLIP}/{_SHA256}/{WEIGHTS}",
            sha256=_SHA256,
            licence="MIT (openai/CLIP)",
        ),
    ),
)
_NOT_WEIGHTS = ("input_resolution", "context_length", "vocab_size")


def build() -> Any:
    """Return the network with random weights; its CLIP is part of it, unlike in pyiqa's."""
    from torch import nn

    arch = architecture("clipiqa")
    with replaced(arch, load=lambda *_: untrained_clip("RN50")):
        network = arch.CLIPIQA()

    class ClipIqa(nn.Module):
        """pyiqa keeps its CLIP out of the module's own parameters."""

        def __init__(self) -> None:
            super().__init__()
            self.clip = network.clip_model[0]

        def forward(self, pictures: Any) -> Any:
            return network(pictures)

    return ClipIqa()


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with CLIP's weights."""
    return load_network(build(), weights, FACTS, device, complete=_complete)


def _complete(state: State, weights: Path) -> State:
    del weights
    return {
        f"clip.{name}": tensor
        for name, tensor in plain_names(state).items()
        if name not in _NOT_WEIGHTS
    }
