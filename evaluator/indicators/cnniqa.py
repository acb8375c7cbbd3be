"""CNNIQA: one convolution and three layers, about 0 to 1 (Kang et al. 2014; P table 2)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import architecture, load_network
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa CNNIQA, KonIQ-10k"
WEIGHTS = "CNNIQA_koniq10k-e6f14c91.pth"
FACTS = Facts(
    paper="Kang et al., CVPR 2014",
    lowest=None,
    highest=None,
    smallest_side=7,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="e6f14c91",
            licence="not stated; trained by pyiqa's authors",
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights."""
    return architecture("cnniqa").CNNIQA(pretrained=None)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    return load_network(build(), weights, FACTS, device)
