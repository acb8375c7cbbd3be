"""MS-SSIM on luma, 0 to 1; pictures need at least 161 pixels a side (Wang et al. 2003)."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from evaluator.indicators._pyiqa import PyiqaIndicator, load_ssim
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa ms_ssim, luma, window by rows and columns"
WEIGHTS = ""
FACTS = Facts(
    paper="Wang et al., Asilomar 2003", lowest=0, highest=1, is_ranking=True, smallest_side=161
)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_ssim("ms_ssim", device), device)
