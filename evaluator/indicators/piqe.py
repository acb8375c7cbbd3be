"""1 - PIQE/100, 0 to 1; PIQE itself is 0 to 100 and lower is better (Venkatanath et al. 2015)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from evaluator.indicators._pyiqa import PyiqaIndicator, load_piqe
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "1 - pyiqa piqe / 100"
WEIGHTS = ""
FACTS = Facts(
    paper="Venkatanath et al., NCC 2015",
    lowest=0,
    highest=1,
    lower_is_better=True,
    is_ranking=True,
    smallest_side=8,
)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_piqe(), device, lambda piqe: 1 - piqe / 100)
