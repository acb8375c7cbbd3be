"""Resamples of the images, stratified by content and shared by all systems."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocol.errors import StatisticsError
from protocol.statistics import FEWEST_RESAMPLES

Array: TypeAlias = NDArray[np.floating[Any]]

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Resamples:
    """How much each image weighs in each resample."""

    weights: NDArray[np.float64]
    """`(resamples, images)`; each row adds up to 1, each content to its share of the images."""
    degrees_of_freedom: int
    """Images less contents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over images with its interval."""

    value: float
    standard_error: float
    low: float
    high: float


def draw_resamples(strata: Sequence[str], resamples: int = RESAMPLES, seed: int = 0) -> Resamples:
    """Draw images with replacement within each stratum, one fewer than the stratum has.

    n - 1 draws of n make the bootstrap's variance the unbiased one in every stratum, however small
    (Rao & Wu, "Resampling inference with complex survey data", JASA 83, 1988, section 2).

    Args:
        strata: the content of each image, in the order of the scores.
        resamples: how many.
        seed: of the draws; the same seed and strata give the same resamples.

    Raises:
        StatisticsError: a stratum has one image only, whose variance cannot be known, or the
            resamples are too few.
    """
    if resamples < FEWEST_RESAMPLES or seed < 0:
        raise StatisticsError(
            f"{resamples} resamples from seed {seed}; wanted at least {FEWEST_RESAMPLES}, better "
            f"{RESAMPLES}, from a seed of 0 or more"
        )
    names, places = np.unique(np.asarray(strata), return_inverse=True)
    if not len(strata):
        raise StatisticsError("no image is scored by all; an interval needs two of each content")
    rng = np.random.default_rng(seed)
    weights = np.empty((resamples, len(strata)), dtype=np.float64)
    for index, name in enumerate(names):
        (columns,) = np.nonzero(places == index)
        count = len(columns)
        if count < 2:
            raise StatisticsError(
                f"one image of {name}; an interval needs at least two images of each content"
            )
        drawn = rng.multinomial(count - 1, np.full(count, 1 / count), size=resamples)
        weights[:, columns] = drawn * (count / (count - 1) / len(strata))
    return Resamples(weights, len(strata) - len(names))


def deviations(values: Array, resamples: Resamples) -> Array:
    """Return how far the mean over each resample is from the mean over all images.

    Args:
        values: `(images, columns)`, without NaN.
        resamples: of the same images.

    Returns:
        `(resamples, columns)`.
    """
    # Double precision costs little here, and equal systems stay equal in every resample.
    moved: Array = resamples.weights @ (values - values.mean(axis=0))
    return moved


def estimates(
    values: Array, moved: Array, degrees_of_freedom: int, level: float = LEVEL
) -> list[Estimate]:
    """Return each column's mean with its percentile interval.

    Efron & Tibshirani, "An introduction to the bootstrap", 1993, section 13.3, with the tails of
    `expanded_tail`.

    Args:
        values: `(columns,)`, the means over all images.
        moved: `(resamples, columns)`, from `deviations`.
        degrees_of_freedom: of the resamples.
        level: share of experiments whose interval holds the truth.
    """
    tail = expanded_tail(level, degrees_of_freedom)
    low, high = np.quantile(moved, (tail, 1 - tail), axis=0)
    errors = moved.std(axis=0)
    return [
        Estimate(
            value=float(value),
            standard_error=float(error),
            low=float(value + below),
            high=float(value + above),
        )
        for value, error, below, above in zip(values, errors, low, high, strict=True)
    ]


def expanded_tail(level: float, degrees_of_freedom: int) -> float:
    """Return the share of resamples to cut off at each end.

    A percentile interval is as narrow as one that takes the normal quantile where Student's is
    right; its percentiles are moved outwards by as much (Hesterberg, "What teachers should know
    about the bootstrap", The American Statistician 69, 2015, section 5.3).
    """
    return NormalDist().cdf(-student_quantile((1 + level) / 2, degrees_of_freedom))


def student_quantile(probability: float, degrees_of_freedom: int) -> float:
    """Return the quantile of Student's t distribution."""
    return student_from_normal(NormalDist().inv_cdf(probability), degrees_of_freedom)


def student_from_normal(z: float, degrees_of_freedom: int) -> float:
    """Return what Student's t exceeds as often as a normal variable exceeds `z`.

    Exact for one and two degrees of freedom; above, the Cornish-Fisher expansion of Abramowitz &
    Stegun, 26.7.5, within 1 % at 97.5 % from three degrees on.
    """
    n = degrees_of_freedom
    if n <= 2:
        probability = NormalDist().cdf(z)
        if n == 1:
            return float(np.tan(np.pi * (probability - 0.5)))
        return float((2 * probability - 1) / np.sqrt(2 * probability * (1 - probability)))
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * n**4)
    )
