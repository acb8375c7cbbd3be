"""Minus PieAPP, at most about 0; PieAPP itself is an error (Prashnani et al. 2018; P table 2)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import architecture, load_network
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "- pyiqa PieAPP 0.1, all patches of stride 27"
WEIGHTS = "PieAPPv0.1-0937b014.pth"
FACTS = Facts(
    paper="Prashnani et al., arXiv:1806.02067",
    lowest=None,
    highest=None,
    lower_is_better=True,
    smallest_side=64,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="0937b014",
            licence="not stated (prashnani/PerceptualImageError)",
        ),
    ),
)


def to_score(value: Any) -> Any:
    """Return the higher-is-better score of the network's answer."""
    return -value


def build() -> Any:
    """Return the network with random weights."""
    return architecture("pieapp").PieAPP(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    return load_network(build(), weights, FACTS, device, to_score=to_score)
