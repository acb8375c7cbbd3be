"""HyperIQA: a network that makes the quality network, about 0 to 1 (Su et al. 2020; P table 2)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import architecture, load_network, replaced, untrained_timm
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa HyperNet resnet50, KonIQ-10k, mean of 25 crops"
WEIGHTS = "HyperIQA-resnet50-koniq10k-c96c41b1.pth"
FACTS = Facts(
    paper="Su et al., CVPR 2020",
    lowest=None,
    highest=None,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="c96c41b1",
            licence="not stated; trained by pyiqa's authors (code SSL92/hyperIQA: MIT)",
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights."""
    arch = architecture("hypernet")
    with replaced(arch, timm=untrained_timm()):
        return arch.HyperNet(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights; the file holds the backbone too."""
    return load_network(build(), weights, FACTS, device)
