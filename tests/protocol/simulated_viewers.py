"""Viewers with a known truth, bias, scale and noise, and some who click at random."""

import numpy as np

from protocol.ratings import COLUMNS

GROUP = 40


def simulate(
    truth: np.ndarray,
    viewers: int = 20,
    *,
    noise: float = 0.25,
    clickers: int = 0,
    seed: int = 0,
    drift: float = 0.3,
) -> np.ndarray:
    """Return ratings `(viewers, images)` in [0, 5]; the last `clickers` viewers click at random.

    noise: deviation of a rating about the viewer's own scale, 0.25 is 5 % of the scale.
    drift: deviation of a session's shift.
    """
    rng = np.random.default_rng(seed)
    bias, scale = rng.normal(0, 0.4, (viewers, 1)), rng.uniform(0.7, 1.2, (viewers, 1))
    shift = np.repeat(rng.normal(0, drift, (viewers, len(truth) // GROUP + 1)), GROUP, axis=1)
    given = 2.5 + scale * (truth - 2.5) + bias + shift[:, : len(truth)]
    given += rng.normal(0, noise, given.shape)
    if clickers:
        given[-clickers:] = rng.uniform(0, 5, (clickers, len(truth)))
    clipped: np.ndarray = np.clip(given, 0, 5)
    return clipped


def rows_of(
    ratings: np.ndarray, dimension: str = "consistency", *, digits: int = 3
) -> list[dict[str, str | None]]:
    """Return the rows of a ratings file; the groups are of 40 images."""
    rows = []
    for viewer, row in enumerate(ratings):
        for image, rating in enumerate(row):
            if not np.isnan(rating):
                values = (
                    f"v{viewer:02d}",
                    f"image_{image:04d}.png",
                    dimension,
                    f"{rating:.{digits}f}",
                    f"2026-01-01T{image // 60 % 24:02d}:{image % 60:02d}:00Z",
                    f"g{image // GROUP}",
                )
                rows.append(dict[str, str | None](zip(COLUMNS, values, strict=True)))
    return rows
