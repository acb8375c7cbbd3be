"""Perception: TOPIQ no-reference with the benchmark's weights, about 1 to 4 (P 4.1, A.3)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import BENCHMARK_NR, Facts
from evaluator.indicators._pyiqa import load_topiq
from evaluator.indicators._topiq import Topiq
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa CFANet resnet50, no reference"
WEIGHTS = "topiq-nr.pth"
FACTS = Facts(
    paper="Chen et al., arXiv:2308.03060",
    lowest=None,
    highest=None,
    is_ranking=True,
    files=(BENCHMARK_NR,),
)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    network = load_topiq(weights, has_reference=False, device=device)
    return Topiq(network, device, has_reference=False)
