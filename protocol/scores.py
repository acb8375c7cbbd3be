"""From means to an Overall: the one place with the formula."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from protocol.records import Score
from protocol.rules import IMAGES_PER_CONTENT, TRACKS, Content, Dimension, Mode, Track

Cell: TypeAlias = tuple[Mode, Dimension]
"""One column of a board: consistency or perception in one mode."""


def cell_name(cell: Cell) -> str:
    """Return `full_fr` for (FULL, FR)."""
    mode, dimension = cell
    return f"{mode}_{dimension}"


def mean_score(
    mode: Mode, dimension: Dimension, content: Content | None, scores: Sequence[float | None]
) -> Score:
    """Return the mean over some images, or none where one of them was not scored."""
    known = [score for score in scores if score is not None]
    return Score(
        mode=mode,
        dimension=dimension,
        content=content,
        images=len(scores),
        not_scored=len(scores) - len(known),
        mean=fmean(known) if len(known) == len(scores) else None,
    )


def mean_over_contents(means: Mapping[Content, float]) -> float:
    """Return the mean over the benchmark's 1,000 images from the means of its three contents.

    0.4 NSI + 0.3 SCI + 0.3 AIGI (400, 300 and 300 images; P 3.1). All three must be there.
    """
    total = sum(IMAGES_PER_CONTENT.values())
    return sum(means[content] * count for content, count in IMAGES_PER_CONTENT.items()) / total


def overall(
    track: Track, scores: Mapping[Cell, float], modes: tuple[Mode, ...] | None = None
) -> float | None:
    """Return a row's Overall, or None when a cell that it needs is missing.

    T2I: (2 x mean consistency + mean perception) / 3 over the modes (P 4.1). I2T: the plain mean
    of consistency and perception, which is what the published numbers are. Higher is better.

    Args:
        track: the board; it decides the weights.
        scores: means, higher is better.
        modes: the modes to average over; the board's own when not given.
    """
    rule = TRACKS[track]
    means = dimension_means(scores, rule.modes if modes is None else modes)
    if not means:
        return None
    return sum(weight * means[dimension] for dimension, weight in rule.weights.items())


def dimension_means(
    scores: Mapping[Cell, float], modes: tuple[Mode, ...]
) -> Mapping[Dimension, float]:
    """Return the mean of each dimension over the modes; empty when a cell is missing."""
    if not modes or any((mode, dim) not in scores for mode in modes for dim in Dimension):
        return {}
    return {dim: fmean(scores[mode, dim] for mode in modes) for dim in Dimension}
