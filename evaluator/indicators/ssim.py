"""SSIM on luma, 0 to 1 (Wang et al. 2004)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from evaluator.indicators._pyiqa import PyiqaIndicator, load_ssim
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa ssim, luma, window by rows and columns"
WEIGHTS = ""
FACTS = Facts(
    paper="Wang et al., IEEE TIP 13(4), 2004",
    lowest=-1,
    highest=1,
    smallest_side=11,
)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_ssim("ssim", device), device)
