"""Two systems on the same images: which is better, how often, and how many images would tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from statistics import NormalDist

import numpy as np

from protocol.errors import StatisticsError
from protocol.statistics.bootstrap import (
    LEVEL,
    RESAMPLES,
    Array,
    Estimate,
    Resamples,
    deviations,
    draw_resamples,
    estimates,
)

POWER = 0.8
"""Share of experiments that shall find a difference which is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How one system does against another."""

    difference: Estimate
    """Mean over the images of first - second."""
    win_rate: Estimate
    """Share of images on which the first is better; equal scores count one half."""
    images: int
    """Images that both have; only these are compared."""
    left_out: int
    """Images that only one of them has, or neither."""
    images_needed: int | None
    """Images of this mix that would tell the two apart; None when their means are equal."""

    @property
    def is_separable(self) -> bool:
        """Whether the difference's interval leaves 0 out, this pair taken by itself."""
        return not self.difference.low <= 0 <= self.difference.high


def compare(
    first: Array,
    second: Array,
    strata: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = LEVEL,
) -> Comparison:
    """Compare two systems on the images that both have.

    Args:
        first: `(images,)`, higher is better; NaN where an image was not scored.
        second: the same images in the same order.
        strata: the content of each image.
        resamples: how many.
        seed: of the resamples.
        level: of the intervals.

    Raises:
        StatisticsError: the images differ in number, or fewer than two of a content are shared.
    """
    if not len(first) == len(second) == len(strata):
        raise StatisticsError(
            f"{len(first)} scores, {len(second)} scores and {len(strata)} contents; "
            "a comparison is over the same images"
        )
    both = ~(np.isnan(first) | np.isnan(second))
    shared = [name for name, kept in zip(strata, both, strict=True) if kept]
    drawn = draw_resamples(shared, resamples, seed)
    (found,) = compare_columns(first[both, None], second[both, None], drawn, level)
    return replace(found, left_out=int((~both).sum()))


def compare_columns(
    first: Array, second: Array, resamples: Resamples, level: float = LEVEL
) -> list[Comparison]:
    """Compare pairs of systems that have all of the resamples' images.

    The win rate is P(first > second) + P(equal) / 2 over the images (Vargha & Delaney, "A critique
    and improvement of the CL common language effect size statistics", Journal of Educational and
    Behavioral Statistics 25, 2000, whose two samples are not paired).

    Args:
        first: `(images, pairs)`, without NaN.
        second: the same.
        resamples: of the images.
        level: of the intervals.
    """
    gaps = first - second
    wins = (gaps > 0) + 0.5 * (gaps == 0)
    differences, rates = (
        estimates(
            values.mean(axis=0),
            deviations(values, resamples),
            resamples.degrees_of_freedom,
            level,
        )
        for values in (gaps, wins)
    )
    return [
        Comparison(
            difference=difference,
            win_rate=rate,
            images=len(gaps),
            left_out=0,
            images_needed=images_needed(difference, len(gaps), level),
        )
        for difference, rate in zip(differences, rates, strict=True)
    ]


def images_needed(difference: Estimate, images: int, level: float = LEVEL) -> int | None:
    """Return how many images of the same mix would show the difference that was found.

    n = ((z(1 - alpha / 2) + z(power)) * sigma / difference)^2, the paired two-sided test's sample
    size (Chow, Shao & Wang, "Sample size calculations in clinical research", section 3.1.1), with
    sigma = standard error * sqrt(images).
    """
    if difference.value == 0:
        return None
    z = NormalDist().inv_cdf((1 + level) / 2) + NormalDist().inv_cdf(POWER)
    return max(1, ceil(images * (z * difference.standard_error / difference.value) ** 2))
