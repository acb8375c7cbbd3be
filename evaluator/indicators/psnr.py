"""PSNR over RGB, in dB."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts
from evaluator.indicators._pyiqa import PyiqaIndicator, load_formula
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa psnr, RGB, dB"
WEIGHTS = ""
FACTS = Facts(paper="10 log10(1 / mean squared error)", lowest=0, highest=None)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_formula("psnr", "psnr", device), device)
