"""DBCNN: two branches and a bilinear pool, about 0 to 1 (Zhang et al. 2020; P table 2)."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import (
    architecture,
    load_network,
    replaced,
    untrained_torchvision,
)
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa DBCNN, KonIQ-10k"
WEIGHTS = "DBCNN_KonIQ10k-2de81c0a.pth"
FACTS = Facts(
    paper="Zhang et al., arXiv:1907.02665",
    lowest=None,
    highest=None,
    smallest_side=32,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="2de81c0a",
            licence="not stated; trained by pyiqa's authors (code zwx8981/DBCNN-PyTorch: MIT)",
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights."""
    arch = architecture("dbcnn")
    torchvision = SimpleNamespace(models=untrained_torchvision("vgg16"))
    with replaced(arch, torchvision=torchvision, load_pretrained_network=lambda *_: None):
        return arch.DBCNN(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights; the file holds VGG-16 too."""
    return load_network(build(), weights, FACTS, device)
