"""Indicators, one a file: each has DIMENSION, IMPLEMENTATION, WEIGHTS, FACTS and `load`.

Every score that leaves this folder is higher-is-better.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from evaluator.adapters import adapter_names, find_adapter
from evaluator.indicators._facts import Facts
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image


class Indicator(Protocol):
    """A loaded indicator."""

    def score(
        self, pictures: Sequence["Image"], references: Sequence["Image"] | None
    ) -> list[float]:
        """Return one score a picture, higher is better.

        A protocol's indicators are called from several threads at once.

        Args:
            pictures: decoded pictures, RGB.
            references: the ground truth of each, of the same size; None for a no-reference one.
        """
        ...


class Features(Protocol):
    """What indicators keep of references between runs."""

    def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the tensors under a key, or None."""
        ...

    def keep(self, key: str, tensors: Mapping[str, Any]) -> None:
        """Keep tensors under a key."""
        ...


@runtime_checkable
class KeepsFeatures(Protocol):
    """An indicator that computes something of a reference alone, which can be kept."""

    def keep_features(self, store: Features | None, weights_sha256: str) -> None:
        """Look in `store` from now on, and keep what is not there; None keeps nothing on disk."""
        ...


class IndicatorModule(Protocol):
    """What an indicator's file holds."""

    DIMENSION: Dimension
    IMPLEMENTATION: str
    """Which library computes it, and what is done with its answer."""
    WEIGHTS: str
    """Name of the weights file; empty where none is needed."""
    FACTS: Facts

    def load(self, weights: Path | None, device: str) -> Indicator:
        """Return the indicator on a device; `weights` is a file whose sha256 was checked."""
        ...


def indicator_names() -> list[str]:
    """Return the names of all indicators."""
    return adapter_names(__name__)


def find_indicator(name: str) -> IndicatorModule:
    """Return the indicator of this name, not loaded yet.

    Raises:
        ModelError: there is none.
    """
    return cast("IndicatorModule", find_adapter(__name__, name, "indicator"))
