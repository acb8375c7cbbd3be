"""Consistency: TOPIQ full-reference with the benchmark's weights, about 1 to 4 (P 4.1, A.3)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._pyiqa import load_topiq
from evaluator.indicators._topiq import Topiq
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa CFANet resnet50, full reference"
WEIGHTS = "topiq-fr.pth"


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    network = load_topiq(weights, has_reference=True, device=device)
    return Topiq(network, device, has_reference=True)
