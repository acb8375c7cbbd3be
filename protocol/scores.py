"""From means to an Overall: the one place with the formula."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from protocol.rules import IMAGES_PER_CONTENT, TRACKS, Content, Dimension, Mode, Track

Cell: TypeAlias = tuple[Mode, Dimension]
"""One column of a board: consistency or perception in one mode."""


def cell_name(cell: Cell) -> str:
    """Return `full_fr` for (FULL, FR)."""
    mode, dimension = cell
    return f"{mode}_{dimension}"


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


@dataclass(frozen=True, slots=True)
class Lead:
    """A stretch of weightings under which one system leads."""

    name: str
    start: float
    """Share of consistency in the Overall, in [0, 1]."""
    end: float


def leads(points: Mapping[str, Mapping[Dimension, float]]) -> tuple[Lead, ...]:
    """Return who leads under every weighting of consistency against perception.

    An Overall is a line over the share of consistency, so the leaders are the upper envelope of
    the lines: from perception alone (0) to consistency alone (1).

    Args:
        points: the mean of each dimension by name.
    """
    found: list[Lead] = []
    at = 0.0
    while points and at < 1.0:
        # Of equals at this weighting, the one that grows fastest leads the stretch that follows.
        name = max(points, key=lambda n: (round(_weighted(points[n], at), 12), _slope(points[n])))
        crossings = (_crossing(points[name], other, at) for other in points.values())
        end = min((x for x in crossings if x is not None), default=1.0)
        found.append(Lead(name, at, end))
        at = end
    return tuple(found)


def _weighted(point: Mapping[Dimension, float], share: float) -> float:
    return share * point[Dimension.FR] + (1 - share) * point[Dimension.NR]


def _slope(point: Mapping[Dimension, float]) -> float:
    return point[Dimension.FR] - point[Dimension.NR]


def _crossing(
    leader: Mapping[Dimension, float], other: Mapping[Dimension, float], after: float
) -> float | None:
    """Return the share in (after, 1) from which `other` is above `leader`; None when it never is."""
    gain = _slope(other) - _slope(leader)
    if gain <= 0:
        return None
    share = (leader[Dimension.NR] - other[Dimension.NR]) / gain
    return share if after + 1e-12 < share < 1.0 else None
