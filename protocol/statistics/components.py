"""How much of a mean's uncertainty comes from the seed and how much from the choice of images."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.errors import StatisticsError
from protocol.statistics.bootstrap import (
    RESAMPLES,
    Array,
    Estimate,
    deviations,
    draw_resamples,
    estimates,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """Two sources of variance of one system's scores, contents taken apart."""

    seeds: int
    images: int
    seed_variance: Estimate
    """Between repeated decodings of one image, mean over the images."""
    image_variance: float
    """Between images of one content, the seed's part taken off; 0 when that part is larger."""
    standard_error_seed: float
    """Of the mean over all images with one seed, from the seed alone."""
    standard_error_image: float
    """Of the mean over all images, from the choice of images alone."""
    standard_error: float
    """Of the mean over all images and seeds here, from both."""


def separate(
    scores: Array,
    strata: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Components:
    """Separate the variance of repeated decodings from that of the images.

    One-way random effects in each content, by analysis of variance (Searle, Casella & McCulloch,
    "Variance components", 1992, section 3.5): with k seeds, the mean square between seeds is the
    seed variance, and the variance of the images' means is image variance + seed variance / k.
    Each picture has a seed of its own, so no seed moves all pictures together.

    Args:
        scores: `(seeds, images)`; images that any seed lacks (NaN) are left out.
        strata: the content of each image.
        resamples: for the interval of the seed variance.
        seed: of the resamples.

    Raises:
        StatisticsError: one seed only, or fewer than two images of a content with all seeds.
    """
    if scores.shape[0] < 2:
        raise StatisticsError("one seed has no variance; decode the same images again")
    complete = ~np.isnan(scores).any(axis=0)
    kept = scores[:, complete]
    names = np.asarray(strata)[complete]
    drawn = draw_resamples(list(names), resamples, seed)
    within = kept.var(axis=0, ddof=1)[:, None]
    (seed_variance,) = estimates(
        within.mean(axis=0), deviations(within, drawn), drawn.degrees_of_freedom
    )
    seeds, images = kept.shape
    between = _between(kept.mean(axis=0), names)
    image_variance = max(0.0, between - seed_variance.value / seeds)
    return Components(
        seeds=seeds,
        images=images,
        seed_variance=seed_variance,
        image_variance=image_variance,
        standard_error_seed=float(np.sqrt(seed_variance.value / images)),
        standard_error_image=float(np.sqrt(image_variance / images)),
        standard_error=float(np.sqrt(between / images)),
    )


def _between(means: Array, names: NDArray[np.str_]) -> float:
    """Return the mean over the images of the variance between those of one content."""
    squares = [
        (names == name).sum() * means[names == name].var(ddof=1) for name in np.unique(names)
    ]
    return float(sum(squares)) / len(means)
