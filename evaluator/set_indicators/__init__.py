"""Indicators of a whole set of pictures, one a file: a distance between two sets, not a mean.

Each has DIMENSION, IMPLEMENTATION, WEIGHTS, FACTS and `load`. There is no score of one picture, so
there is nothing to average over contents and no interval over images; a content has a score of its
own where it has enough pictures.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from evaluator.adapters import adapter_names, find_adapter
from evaluator.indicators._facts import Facts
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image


class SetIndicator(Protocol):
    """A loaded indicator of sets."""

    def score(self, pictures: Iterable["Image"], references: Iterable["Image"]) -> float:
        """Return the score of a set against another, higher is better.

        Args:
            pictures: decoded pictures, RGB, of any sizes; taken one at a time.
            references: the ground truth; order and number need not be those of `pictures`.

        Raises:
            PictureError: a set has fewer than two pictures.
        """
        ...


class SetIndicatorModule(Protocol):
    """What the file of an indicator of sets holds."""

    DIMENSION: Dimension
    IMPLEMENTATION: str
    WEIGHTS: str
    FACTS: Facts

    def load(self, weights: Path | None, device: str) -> SetIndicator:
        """Return the indicator on a device; `weights` is a file whose sha256 was checked."""
        ...


def set_indicator_names() -> list[str]:
    """Return the names of all indicators of sets."""
    return adapter_names(__name__)


def find_set_indicator(name: str) -> SetIndicatorModule:
    """Return the indicator of this name, not loaded yet.

    Raises:
        ModelError: there is none.
    """
    return cast("SetIndicatorModule", find_adapter(__name__, name, "indicator of sets"))
