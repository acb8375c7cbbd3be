"""PSNR over RGB, in dB."""

from pathlib import Path

from evaluator.indicators import Indicator
from evaluator.indicators._pyiqa import PyiqaIndicator, load_formula
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa psnr, RGB, dB"
WEIGHTS = ""


def load(weights: Path | None, device: str) -> Indicator:
    """Return the formula; there are no weights."""
    del weights
    return PyiqaIndicator(load_formula("psnr", "psnr", device), device)
