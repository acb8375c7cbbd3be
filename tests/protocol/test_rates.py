"""Bjontegaard differences and Pareto fronts, against scipy and another's implementation."""

import bjontegaard
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from protocol.errors import StatisticsError
from protocol.rates import Curve, bd_indicator, bd_rate, integrate, pareto_front, slopes

STEPS = st.lists(st.floats(0.05, 3), min_size=2, max_size=7)
# Rounded: scipy divides by the steps between neighbours, which overflows where one is 1e-308.
VALUES = st.lists(st.floats(-5, 5).map(lambda value: round(value, 9)), min_size=8, max_size=8)


@given(STEPS, VALUES, st.floats(0, 1), st.floats(0, 1))
def test_interpolation_and_its_integral_are_scipy_s(
    steps: list[float], values: list[float], one: float, two: float
) -> None:
    x = np.cumsum(steps)
    y = np.array(values[: len(x)])
    theirs = PchipInterpolator(x, y)
    assert slopes(x, y) == pytest.approx(theirs.derivative()(x), rel=1e-9, abs=1e-9)
    low, high = sorted(x[0] + share * (x[-1] - x[0]) for share in (one, two))
    wanted = float(theirs.integrate(low, high))
    assert integrate(x, y, low, high) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def random_curve(rng: np.random.Generator, points: int) -> Curve:
    rates = np.sort(rng.uniform(0.01, 0.5, points))
    scores = 20 + 8 * np.log10(rates / 0.01) + np.cumsum(rng.uniform(0.05, 1.0, points))
    return Curve.of(list(zip(rates.tolist(), scores.tolist(), strict=True)))


@pytest.mark.parametrize("seed", range(30))
def test_differences_are_another_s_implementation_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    anchor, test = random_curve(rng, 4 + seed % 4), random_curve(rng, 4 + seed % 3)
    given_curves = (anchor.bits_per_pixel, anchor.scores, test.bits_per_pixel, test.scores)
    options = {"method": "pchip", "require_matching_points": False, "min_overlap": 0}
    assert bd_rate(anchor, test).value == pytest.approx(
        bjontegaard.bd_rate(*given_curves, **options), rel=1e-6
    )
    assert bd_indicator(anchor, test).value == pytest.approx(
        bjontegaard.bd_psnr(*given_curves, **options), rel=1e-6, abs=1e-9
    )


def test_a_tenth_fewer_bits_everywhere_is_minus_ten_percent() -> None:
    anchor = random_curve(np.random.default_rng(0), 5)
    test = Curve(tuple(0.9 * rate for rate in anchor.bits_per_pixel), anchor.scores)
    found = bd_rate(anchor, test)
    assert found.value == pytest.approx(-10)
    assert (found.low, found.high, found.share) == (anchor.scores[0], anchor.scores[-1], 1)
    assert bd_rate(test, anchor).value == pytest.approx(100 / 9)


def test_half_a_point_more_everywhere_is_half_a_point() -> None:
    anchor = random_curve(np.random.default_rng(1), 5)
    test = Curve(anchor.bits_per_pixel, tuple(score + 0.5 for score in anchor.scores))
    assert bd_indicator(anchor, test).value == pytest.approx(0.5)
    assert bd_indicator(test, anchor).value == pytest.approx(-0.5)


def test_the_share_says_how_much_of_the_range_is_common() -> None:
    first = Curve.of([(0.01, 1.0), (0.1, 2.0), (1.0, 3.0), (10.0, 4.0)])
    second = Curve.of([(0.1, 2.0), (1.0, 3.0), (10.0, 4.0), (100.0, 5.0)])
    for found in (bd_indicator(first, second), bd_indicator(second, first)):
        assert (found.low, found.high) == pytest.approx((0.1, 10.0))
        assert found.share == pytest.approx(2 / 4)


@pytest.mark.parametrize("third", [1.9, 2.0])
def test_a_score_that_does_not_rise_has_no_bd_rate_but_a_bd_indicator(third: float) -> None:
    falling = Curve.of([(0.1, 1.0), (0.2, 2.0), (0.3, third), (0.4, 3.0)])
    rising = Curve.of([(0.1, 1.0), (0.2, 2.0), (0.3, 2.5), (0.4, 3.0)])
    with pytest.raises(StatisticsError, match="test's score does not rise"):
        bd_rate(rising, falling)
    assert bd_indicator(rising, falling).value < 0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)], "has 3 points"),
        ([(0.0, 1.0), (0.2, 2.0), (0.3, 3.0), (0.4, 4.0)], "no number above 0"),
        ([(0.1, float("nan")), (0.2, 2.0), (0.3, 3.0), (0.4, 4.0)], "no number above 0"),
        ([(0.1, 1.0), (0.1, 2.0), (0.3, 3.0), (0.4, 4.0)], "same rate"),
    ],
)
def test_a_curve_that_cannot_be_compared_is_refused(
    points: list[tuple[float, float]], message: str
) -> None:
    with pytest.raises(StatisticsError, match=message):
        Curve.of(points)


def test_curves_without_a_common_range_are_refused() -> None:
    low = Curve.of([(0.1, 1.0), (0.2, 2.0), (0.3, 3.0), (0.4, 4.0)])
    # They touch, and one point is no range.
    high = Curve.of([(0.4, 4.0), (1.2, 12.0), (1.3, 13.0), (1.4, 14.0)])
    with pytest.raises(StatisticsError, match="no score in common"):
        bd_rate(low, high)
    with pytest.raises(StatisticsError, match="no rate in common"):
        bd_indicator(low, high)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_the_front_is_every_point_that_none_dominates(points: list[tuple[int, int]]) -> None:
    def dominates(a: tuple[int, int], b: tuple[int, int]) -> bool:
        return a[0] <= b[0] and a[1] >= b[1] and a != b

    wanted = {i for i, b in enumerate(points) if not any(dominates(a, b) for a in points)}
    front = pareto_front(points)
    assert set(front) == wanted
    assert len(front) == len(wanted)
    assert [points[at][0] for at in front] == sorted(points[at][0] for at in front)
