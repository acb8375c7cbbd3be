"""Ranks with what is known of them: intervals, probability of being first, tie groups."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocol.statistics.bootstrap import LEVEL, Array, student_from_normal

DIGITS = 9
"""Overalls that are equal to this many decimals share a rank."""
FLAT = 1e-12
"""Two systems whose gap spreads less than this have the same gap on every image."""
PAIRS_AT_A_TIME = 1024
"""Pairs whose resamples are held at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a system stands."""

    rank: int
    """1 is best; equal values share a rank."""
    rank_low: int
    rank_high: int
    """In 95 % of all experiments the true rank lies between these, ends included."""
    probability_first: float
    """Share of the resamples in which the system is best; ties count in parts."""
    tie_group: int
    """1 is best; see `tie_groups`."""


def standings(values: Array, moved: Array, degrees_of_freedom: int) -> list[Standing]:
    """Return the standing of each system, in the order given.

    Args:
        values: `(systems,)`, higher is better.
        moved: `(resamples, systems)`, shared resamples, from `bootstrap.deviations`.
        degrees_of_freedom: of the resamples.
    """
    if not len(values):
        return []
    rounded = np.round(values, DIGITS)
    ranks = [1 + int((rounded > own).sum()) for own in rounded]
    first = probability_first(values, moved)
    groups = tie_groups(values, separable_pairs(values, moved, degrees_of_freedom))
    spans = rank_intervals(values, moved, degrees_of_freedom)
    return [
        Standing(
            rank=rank,
            rank_low=low,
            rank_high=high,
            probability_first=float(probability),
            tie_group=group,
        )
        for rank, (low, high), probability, group in zip(ranks, spans, first, groups, strict=True)
    ]


def rank_intervals(values: Array, moved: Array, degrees_of_freedom: int) -> list[tuple[int, int]]:
    """Return the lowest and highest rank that each system may truly have.

    One more than the number of systems that are surely better, and the number of those that are
    not surely worse; sure at once over all others (Mogstad, Romano, Shaikh & Wilhelm, "Inference
    for ranks", Review of Economic Studies 91, 2024, section 3: the marginal confidence set). The
    spread of the ranks over the resamples would be too narrow where systems are nearly tied.
    """
    spans = []
    for own in range(len(values)):
        others = np.arange(len(values)) != own
        gaps = (values - values[own])[others]
        certain = _certain(gaps, [(moved - moved[:, [own]])[:, others]], degrees_of_freedom)
        better = int((certain & (gaps > 0)).sum())
        worse = int((certain & (gaps < 0)).sum())
        spans.append((1 + better, len(values) - worse))
    return spans


def separable_pairs(values: Array, moved: Array, degrees_of_freedom: int) -> NDArray[np.bool_]:
    """Return `(systems, systems)`: which two differ surely, at once over all pairs.

    In 95 % of all experiments no pair is called separable whose true values are equal
    (the maximum-t bootstrap: Romano & Wolf, "Exact and approximate stepdown methods for multiple
    hypothesis testing", JASA 100, 2005, first step).
    """
    first, second = np.triu_indices(len(values), 1)
    found = np.zeros((len(values), len(values)), dtype=bool)
    found[first, second] = _certain(
        values[first] - values[second],
        (moved[:, one] - moved[:, other] for one, other in slices_of_pairs(len(values))),
        degrees_of_freedom,
    )
    return found | found.T


def slices_of_pairs(count: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Return all pairs of `count` systems, by rank of the first and then of the second, in parts.

    Resamples of all pairs of some hundred systems at once would be gigabytes.
    """
    first, second = np.triu_indices(count, 1)
    # Even sizes, and the rest in the last one: sums round as they do over all pairs at once.
    cuts = range(PAIRS_AT_A_TIME, len(first) - PAIRS_AT_A_TIME + 1, PAIRS_AT_A_TIME)
    return list(zip(np.split(first, cuts), np.split(second, cuts), strict=True))


def _certain(gaps: Array, moved: Iterable[Array], degrees_of_freedom: int) -> NDArray[np.bool_]:
    """Say which gaps differ from 0, in 95 % of all experiments without one mistake.

    `moved` are the gaps' columns over the resamples, in parts.
    """
    spreads, largest = [], np.zeros(1)
    for part in moved:
        spread = part.std(axis=0)
        spreads.append(spread)
        varying = spread > FLAT
        if varying.any():
            furthest = np.abs(part[:, varying] / spread[varying]).max(axis=1)
            largest = np.maximum(largest, furthest)
    errors = np.concatenate(spreads)
    varying = errors > FLAT
    # Two systems with the same gap on every image have no error: any gap is certain, and none is.
    certain: NDArray[np.bool_] = ~varying & (np.abs(gaps) > 10.0**-DIGITS)
    if varying.any():
        # The resamples know one error for each gap, as a normal table does; the gap that leads
        # among many is where few images make that too narrow, and Student's table does not.
        critical = student_from_normal(float(np.quantile(largest, LEVEL)), degrees_of_freedom)
        certain[varying] = np.abs(gaps[varying]) > critical * errors[varying]
    return certain


def probability_first(values: Array, moved: Array) -> Array:
    """Return the share of resamples in which each system is best; `(systems,)`.

    Ranks over resamples are how sure a place is (Goldstein & Spiegelhalter, "League tables and
    their limitations", Journal of the Royal Statistical Society A 159, 1996).
    """
    resampled = np.round(values + moved, DIGITS)
    best = resampled == resampled.max(axis=1, keepdims=True)
    shares: Array = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
    return shares


def tie_groups(values: Array, separable: NDArray[np.bool_]) -> list[int]:
    """Number the groups of neighbouring systems that cannot be told from the group's best.

    Going down the board, a system that is surely below the best of the group starts the next one.
    Two systems of neighbouring groups may still be inseparable; see their comparison. The
    grouping is ours; what it rests on are the pairs of `separable_pairs`.
    """
    groups = [0] * len(values)
    head, group = -1, 0
    for index in np.argsort(-values, kind="stable"):
        if head < 0 or separable[head, index]:
            head, group = index, group + 1
        groups[index] = group
    return groups
