"""How scores go with opinions: rank correlations, their intervals, and the curve before PLCC."""

import numpy as np
import pytest
from scipy import stats

from evaluator.training.correlation import correlate, logistic_fit
from protocol.errors import InputError


def test_correlations_of_known_orders() -> None:
    mos = np.arange(40) / 8
    found = correlate(mos**3, mos, resamples=200)
    assert found.srocc.value == pytest.approx(1)
    assert found.krocc.value == pytest.approx(1)
    assert 0.97 < found.plcc.value < 1
    swapped = list(range(40))
    swapped[0], swapped[39] = swapped[39], swapped[0]
    # Two items swapped over a distance d: 1 - 6 * 2 d^2 / (n^3 - n).
    assert correlate(swapped, mos, resamples=20).srocc.value == pytest.approx(
        1 - 12 * 39**2 / (40**3 - 40)
    )
    noisy = correlate(np.random.default_rng(1).normal(size=40), mos, resamples=200)
    assert noisy.srocc.low < 0 < noisy.srocc.high
    with pytest.raises(InputError, match="five pictures or more"):
        correlate([1, 2, 3], [1, 2, 3])


def test_rank_correlations_count_pairs_and_their_intervals_are_scipy_s() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 12, 40).astype(float)
    mos = scores + rng.normal(0, 3, 40).round()
    found = correlate(scores, mos, resamples=2000)
    gaps = [np.sign(np.subtract.outer(v, v)[np.triu_indices(40, 1)]) for v in (scores, mos)]
    tau_b = (gaps[0] @ gaps[1]) / np.sqrt((gaps[0] ** 2).sum() * (gaps[1] ** 2).sum())
    assert found.krocc.value == pytest.approx(tau_b)
    ranks = [stats.rankdata(values) for values in (scores, mos)]
    assert found.srocc.value == pytest.approx(np.corrcoef(*ranks)[0, 1])
    theirs = stats.bootstrap(
        (scores, mos),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=0,
    ).confidence_interval
    assert (found.srocc.low, found.srocc.high) == pytest.approx((theirs.low, theirs.high), abs=0.04)


def test_the_logistic_fit_finds_the_curve_that_made_the_opinions() -> None:
    scores = np.linspace(-3, 3, 60)
    mos = 1 + 3.5 / (1 + np.exp(-(scores - 0.4) / 0.6))
    assert np.abs(logistic_fit(scores, mos) - mos).max() < 1e-4
    falling = logistic_fit(-scores, mos)
    assert np.abs(falling - mos).max() < 1e-4


@pytest.mark.parametrize("sign", [1, -1])
def test_opinions_that_bend_one_way_are_fitted_by_a_curve_and_not_by_a_line(sign: int) -> None:
    scores = np.random.default_rng(1).normal(size=200)
    mos = sign * np.exp(sign * scores)
    assert np.corrcoef(scores, mos)[0, 1] < 0.85
    assert np.corrcoef(logistic_fit(scores, mos), mos)[0, 1] > 0.999
