"""How far viewers agree: Krippendorff's alpha and intraclass correlations."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.floating[Any]]

_PART = 1000
"""Most images that are worked on at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Of the viewers of one dimension; 1 is perfect, 0 is chance."""

    viewers: int
    images: int
    """With two ratings or more."""
    alpha: float | None
    """Krippendorff's, for interval data; None when nothing varies."""
    icc_single: float | None
    """ICC(2,1): of one viewer's rating; None without two viewers who rated two same images."""
    icc_mean: float | None
    """ICC(2,k): of the mean over all viewers."""
    icc_images: int
    """Rated by every viewer; the ICCs are over these alone."""


def agreement(ratings: Array) -> Agreement:
    """Return how far viewers agree.

    Args:
        ratings: `(viewers, images)`, NaN where a viewer has not rated.
    """
    rated = ~np.isnan(ratings)
    complete = rated.all(axis=0)
    single, mean = intraclass(ratings[:, complete])
    return Agreement(
        viewers=len(ratings),
        images=int((rated.sum(axis=0) >= 2).sum()),
        alpha=krippendorff_alpha(ratings),
        icc_single=single,
        icc_mean=mean,
        icc_images=int(complete.sum()),
    )


def krippendorff_alpha(ratings: Array) -> float | None:
    """Return alpha = 1 - observed / expected disagreement, for interval data.

    Krippendorff, "Computing Krippendorff's alpha-reliability", 2011, with the squared difference.
    The sums over pairs are taken from variances: of m values, the squared differences of all
    ordered pairs add up to 2 m^2 times their variance.

    Args:
        ratings: `(viewers, images)`; images with fewer than two ratings do not count.

    Returns:
        None when there are no two different ratings to compare.
    """
    counts = (~np.isnan(ratings)).sum(axis=0)
    pairable = ratings[:, counts >= 2]
    counts = counts[counts >= 2]
    values = pairable[~np.isnan(pairable)]
    total = len(values)
    if total == 0 or not np.ptp(values) > 0:
        return None
    within = np.concatenate([_within(pairable[:, part]) for part in parts_of(len(counts))])
    observed = (2 * counts * within / (counts - 1)).sum() / total
    expected = 2 * total * ((values - values.mean()) ** 2).sum() / (total * (total - 1))
    return float(1 - observed / expected)


def _within(ratings: Array) -> Array:
    """Return the sum of squares about each image's mean."""
    squares: Array = np.nansum((ratings - np.nanmean(ratings, axis=0)) ** 2, axis=0)
    return squares


def parts_of(images: int) -> list[slice]:
    """Return images in equal parts, so that what is worked out on the way has a part's size.

    No part has one image alone where there are more: NumPy would add it up in another order.
    """
    ends = np.linspace(0, images, -(-images // _PART) + 1).astype(int).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def intraclass(ratings: Array) -> tuple[float | None, float | None]:
    """Return ICC(2,1) and ICC(2,k): two-way random effects, absolute agreement.

    Shrout & Fleiss, "Intraclass correlations: uses in assessing rater reliability", Psychological
    Bulletin 86, 1979.

    Args:
        ratings: `(viewers, images)`, without NaN.

    Returns:
        None twice without two viewers and two images, or when nothing varies.
    """
    viewers, images = ratings.shape
    if viewers < 2 or images < 2 or not np.ptp(ratings) > 0:
        return None, None
    grand = ratings.mean()
    rows, columns = ratings.mean(axis=0), ratings.mean(axis=1)
    between = viewers * ((rows - grand) ** 2).sum() / (images - 1)
    judges = images * ((columns - grand) ** 2).sum() / (viewers - 1)
    rest = ratings - rows[None, :] - columns[:, None] + grand
    error = (rest**2).sum() / ((viewers - 1) * (images - 1))
    single = (between - error) / (
        between + (viewers - 1) * error + viewers * (judges - error) / images
    )
    mean = (between - error) / (between + (judges - error) / images)
    return float(single), float(mean)
