"""MUSIQ: a transformer over patches of three scales, 0 to 100 (Ke et al. 2021; G)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import architecture, load_network
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa MUSIQ, KonIQ-10k"
WEIGHTS = "musiq_koniq_ckpt-e95806b9.pth"
FACTS = Facts(
    paper="Ke et al., arXiv:2108.05997",
    lowest=None,
    highest=None,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="e95806b9",
            licence="Apache-2.0 (google-research/musiq)",
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights."""
    return architecture("musiq").MUSIQ(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    return load_network(build(), weights, FACTS, device)
