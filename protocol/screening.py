"""Which viewers did not rate what they saw."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]


def rank_correlations(ratings: Array) -> list[float | None]:
    """Return each viewer's Spearman correlation with the mean over all viewers.

    Over the images that the viewer rated; the mean has the viewer's own rating in it (P A.2: "the
    global average").

    Args:
        ratings: `(viewers, images)`, NaN where not rated.

    Returns:
        None where one of the two does not vary.
    """
    counts = (~np.isnan(ratings)).sum(axis=0)
    means = np.nansum(ratings, axis=0) / np.maximum(counts, 1)
    found = []
    for row in ratings:
        rated = ~np.isnan(row)
        found.append(spearman(row[rated], means[rated]))
    return found


def spearman(first: Array, second: Array) -> float | None:
    """Return Spearman's rank correlation; None when one side is constant.

    Pearson's correlation of the ranks, equal values having the mean of theirs (Kendall, "Rank
    correlation methods", 1948, chapter 3).
    """
    if len(first) < 2 or not np.ptp(first) > 0 or not np.ptp(second) > 0:
        return None
    return float(np.corrcoef(mean_ranks(first), mean_ranks(second))[0, 1])


def mean_ranks(values: Array) -> Array:
    """Return ranks from 1; equal values have the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[places]
    return ranks


def bt500_rejected(ratings: Array, *, ddof: int = 1) -> NDArray[np.bool_]:
    """Return which viewers ITU-R BT.500-13, annex 2, section 2.3.1 rejects.

    A rating counts as far when it is 2 deviations from the image's mean, or sqrt(20) where the
    image's kurtosis is not between 2 and 4. A viewer is rejected with more than 5 % far ratings
    that lie on both sides: |above - below| < 0.3 (above + below). Those who are far on one side
    only are biased, which normalisation takes care of.

    Args:
        ratings: `(viewers, images)`, NaN where not rated.
        ddof: the deviation's sum of squares is divided by N less this; 1 in section 2.2.1.
    """
    rated = ~np.isnan(ratings)
    counts = rated.sum(axis=0)
    enough = counts >= 2
    values = np.where(rated, ratings, 0.0)[:, enough]
    rated, counts = rated[:, enough], counts[enough]
    gaps = np.where(rated, values - values.sum(axis=0) / counts, 0.0)
    second, fourth = (gaps**2).sum(axis=0) / counts, (gaps**4).sum(axis=0) / counts
    deviation = np.sqrt(second * counts / (counts - ddof))
    varying = second > 0
    kurtosis = np.divide(fourth, second**2, out=np.zeros_like(second), where=varying)
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20)) * deviation
    above = (rated & varying & (gaps >= limit)).sum(axis=1)
    below = (rated & varying & (gaps <= -limit)).sum(axis=1)
    far, own = above + below, np.maximum(rated.sum(axis=1), 1)
    rejected: NDArray[np.bool_] = (far / own > 0.05) & (np.abs(above - below) < 0.3 * far)
    return rejected
