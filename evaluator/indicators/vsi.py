"""Visual saliency-induced index, 0 to about 1 (Zhang et al. 2014)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from evaluator.indicators._pyiqa import PyiqaIndicator, load_formula
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa vsi"
WEIGHTS = ""
FACTS = Facts(paper="Zhang et al., IEEE TIP 23(10), 2014", lowest=0, highest=1)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_formula("vsi", "vsi", device), device)
