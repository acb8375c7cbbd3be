"""Consistency: TOPIQ full-reference with the benchmark's weights, about 1 to 4 (P 4.1, A.3)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import BENCHMARK_FR, Facts
from evaluator.indicators._pyiqa import load_topiq
from evaluator.indicators._topiq import Topiq
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa CFANet resnet50, full reference"
WEIGHTS = "topiq-fr.pth"
FACTS = Facts(
    paper="Chen et al., arXiv:2308.03060",
    lowest=None,
    highest=None,
    is_ranking=True,
    files=(BENCHMARK_FR,),
)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    network = load_topiq(weights, has_reference=True, device=device)
    return Topiq(network, device, has_reference=True)
