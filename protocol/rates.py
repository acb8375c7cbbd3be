"""Rate-indicator curves: Bjontegaard differences between two, and what no other point dominates.

The formulas are of G. Bjontegaard, "Calculation of average PSNR differences between RD-curves",
VCEG-M33, 2001, with the interpolation that ITU-T HSTP-VID-WPOM (2020) recommends instead of one
cubic through all points: piecewise cubic Hermite (PCHIP), which never overshoots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocol.errors import StatisticsError

Array: TypeAlias = NDArray[np.floating[Any]]

MINIMUM_POINTS = 4
"""Points a curve must have for a Bjontegaard difference, as in VCEG-M33."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A codec's points, by rate."""

    bits_per_pixel: tuple[float, ...]
    """Strictly increasing, above 0."""
    scores: tuple[float, ...]
    """Higher is better."""

    @classmethod
    def of(cls, points: Sequence[tuple[float, float]], name: str = "the curve") -> "Curve":
        """Return the curve through points of (bits per pixel, score), in any order.

        Raises:
            StatisticsError: fewer than four points, a rate that is not above 0, a rate twice, or
                a number that is none.
        """
        ordered = sorted(points)
        rates, scores = (tuple(p[i] for p in ordered) for i in (0, 1))
        if len(ordered) < MINIMUM_POINTS:
            raise StatisticsError(
                f"{name} has {len(ordered)} points; a Bjontegaard difference needs "
                f"{MINIMUM_POINTS} or more"
            )
        if not (np.isfinite(rates).all() and np.isfinite(scores).all() and rates[0] > 0):
            raise StatisticsError(f"{name} has a rate or a score that is no number above 0")
        if len(set(rates)) < len(rates):
            raise StatisticsError(f"{name} has two points of the same rate")
        return cls(rates, scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A mean difference between two curves over the range that both have."""

    value: float
    low: float
    """Where the common range begins."""
    high: float
    share: float
    """Common range / range of either, in (0, 1]: near 0, the difference speaks of little."""


def bd_rate(anchor: Curve, test: Curve) -> Difference:
    """Return how many percent more bits `test` takes than `anchor` for the same score.

    The mean over the common scores of log10(rate of test / rate of anchor), taken back from the
    logarithm; -10 means a tenth fewer bits. The range is of scores.

    Raises:
        StatisticsError: a curve's score does not rise with the rate at every step, or the curves
            have no score in common.
    """
    for name, curve in (("anchor", anchor), ("test", test)):
        if (np.diff(curve.scores) <= 0).any():
            raise StatisticsError(
                f"the {name}'s score does not rise with the rate at every point, so no rate "
                "belongs to a score; ask for the difference in score (BD-indicator) instead"
            )
    found = _difference(
        np.asarray(anchor.scores),
        np.log10(anchor.bits_per_pixel),
        np.asarray(test.scores),
        np.log10(test.bits_per_pixel),
        "score",
    )
    return Difference(
        value=100 * (10**found.value - 1), low=found.low, high=found.high, share=found.share
    )


def bd_indicator(anchor: Curve, test: Curve) -> Difference:
    """Return how much higher `test` scores than `anchor` at the same rate.

    The mean over the common log10(rate); above 0, `test` is better. The range is of bits per pixel.

    Raises:
        StatisticsError: the curves have no rate in common.
    """
    found = _difference(
        np.log10(anchor.bits_per_pixel),
        np.asarray(anchor.scores),
        np.log10(test.bits_per_pixel),
        np.asarray(test.scores),
        "rate",
    )
    return Difference(value=found.value, low=10**found.low, high=10**found.high, share=found.share)


def _difference(
    anchor_x: Array, anchor_y: Array, test_x: Array, test_y: Array, what: str
) -> Difference:
    low, high = max(anchor_x[0], test_x[0]), min(anchor_x[-1], test_x[-1])
    if low >= high:
        raise StatisticsError(f"the two curves have no {what} in common; nothing can be compared")
    gap = integrate(test_x, test_y, low, high) - integrate(anchor_x, anchor_y, low, high)
    whole = max(anchor_x[-1], test_x[-1]) - min(anchor_x[0], test_x[0])
    return Difference(
        value=gap / float(high - low),
        low=float(low),
        high=float(high),
        share=float((high - low) / whole),
    )


def slopes(x: Array, y: Array) -> Array:
    """Return the derivatives at the points of the PCHIP curve.

    Fritsch & Butland, "A method for constructing local monotone piecewise cubic interpolants",
    SIAM J. Sci. Stat. Comput. 5, 1984; the ends as in Moler, "Numerical computing with MATLAB",
    section 3.6.

    Args:
        x: strictly increasing, two points or more.
        y: as many.
    """
    steps, secants = np.diff(x), np.diff(y) / np.diff(x)
    if len(x) == 2:
        return np.repeat(secants, 2)
    found = np.zeros(len(x))
    same_way = secants[:-1] * secants[1:] > 0
    before, after = (2 * steps[1:] + steps[:-1])[same_way], (steps[1:] + 2 * steps[:-1])[same_way]
    found[1:-1][same_way] = (before + after) / (
        before / secants[:-1][same_way] + after / secants[1:][same_way]
    )
    found[0] = _end_slope(steps[0], steps[1], secants[0], secants[1])
    found[-1] = _end_slope(steps[-1], steps[-2], secants[-1], secants[-2])
    return found


def _end_slope(near: float, far: float, secant: float, next_secant: float) -> float:
    slope = ((2 * near + far) * secant - near * next_secant) / (near + far)
    if slope * secant <= 0:
        return 0.0
    if secant * next_secant <= 0 and abs(slope) > 3 * abs(secant):
        return 3 * secant
    return slope


def integrate(x: Array, y: Array, low: float, high: float) -> float:
    """Return the integral of the PCHIP curve between two places of its range, in closed form."""
    derivative = slopes(x, y)
    steps = np.diff(x)
    start, end = (np.clip((at - x[:-1]) / steps, 0, 1) for at in (low, high))

    def antiderivative(t: Array) -> Array:
        # Of the four Hermite polynomials, with a step of length 1.
        first = t**4 / 2 - t**3 + t
        second = t**4 / 4 - 2 * t**3 / 3 + t**2 / 2
        third = -(t**4) / 2 + t**3
        fourth = t**4 / 4 - t**3 / 3
        area: Array = steps * (
            first * y[:-1]
            + second * steps * derivative[:-1]
            + third * y[1:]
            + fourth * steps * derivative[1:]
        )
        return area

    return float((antiderivative(end) - antiderivative(start)).sum())


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the points that no other dominates, by rate, then by place.

    Sorted by one coordinate and swept by the other (Kung, Luccio & Preparata, "On finding the
    maxima of a set of vectors", Journal of the ACM 22, 1975, for two dimensions).

    A point dominates another when it costs no more and scores no less, and one of the two is
    strictly better; points that are equal in both do not dominate each other.

    Args:
        points: (cost, score): cost lower is better, score higher is better.
    """
    order = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1], at))
    front: list[int] = []
    best = -np.inf
    for at in order:
        is_better = points[at][1] > best
        if is_better or (front and points[at] == points[front[-1]]):
            front.append(at)
            best = points[at][1]
    return front
