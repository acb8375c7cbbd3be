"""Resamples and intervals: against closed forms, scipy, and simulated experiments."""

import numpy as np
import pytest
from scipy import stats

from protocol.errors import StatisticsError
from protocol.statistics.bootstrap import (
    deviations,
    draw_resamples,
    estimates,
    expanded_tail,
    student_from_normal,
    student_quantile,
)

CONTENTS = ["NSI"] * 24 + ["SCI"] * 18 + ["AIGI"] * 18


def experiments(rng: np.random.Generator, count: int, strata: list[str]) -> np.ndarray:
    """Return `(images, experiments)` of skewed scores whose mean and spread depend on content."""
    mean = {"NSI": 2.0, "SCI": 3.0, "AIGI": 1.0}
    spread = {"NSI": 0.3, "SCI": 0.6, "AIGI": 0.2}
    noise = rng.gamma(4.0, 0.5, (len(strata), count)) - 2.0
    return np.array([[mean[s]] for s in strata]) + np.array([[spread[s]] for s in strata]) * noise


def coverage(strata: list[str], truth: float, *, batches: int = 4, count: int = 1500) -> float:
    held = []
    for batch in range(batches):
        values = experiments(np.random.default_rng(batch), count, strata)
        drawn = draw_resamples(strata, 2000, seed=100 + batch)
        moved = deviations(values, drawn)
        found = estimates(values.mean(axis=0), moved, drawn.degrees_of_freedom)
        held += [item.low <= truth <= item.high for item in found]
    return float(np.mean(held))


def test_intervals_of_60_images_hold_the_truth_in_93_to_97_percent_of_experiments() -> None:
    assert 0.93 <= coverage(CONTENTS, 0.4 * 2 + 0.3 * 3 + 0.3 * 1) <= 0.97


def test_intervals_of_1000_images_hold_the_truth_in_93_to_97_percent_of_experiments() -> None:
    strata = ["NSI"] * 400 + ["SCI"] * 300 + ["AIGI"] * 300
    assert 0.93 <= coverage(strata, 2.0, batches=2, count=800) <= 0.97


def test_intervals_of_ten_images_a_content_hold_too() -> None:
    strata = ["NSI"] * 10 + ["SCI"] * 10 + ["AIGI"] * 10
    assert 0.93 <= coverage(strata, 2.0) <= 0.97


def test_standard_error_is_the_stratified_mean_s_unbiased_one() -> None:
    values = experiments(np.random.default_rng(1), 1, CONTENTS)[:, 0]
    drawn = draw_resamples(CONTENTS, 40_000, seed=2)
    names = np.array(CONTENTS)
    variance = sum(
        ((names == s).sum() / 60) ** 2 * values[names == s].var(ddof=1) / (names == s).sum()
        for s in ("NSI", "SCI", "AIGI")
    )
    found = deviations(values[:, None], drawn).std()
    assert found == pytest.approx(np.sqrt(variance), rel=0.02)


def test_every_resample_keeps_each_content_s_share() -> None:
    drawn = draw_resamples(CONTENTS, 50)
    assert drawn.weights[:, :24].sum(axis=1) == pytest.approx(np.full(50, 0.4), abs=1e-6)
    assert drawn.weights.sum(axis=1) == pytest.approx(np.ones(50), abs=1e-6)
    assert drawn.degrees_of_freedom == 57


def test_interval_is_scipy_s_percentile_interval() -> None:
    values = np.random.default_rng(3).gamma(2.0, 1.0, 400)
    drawn = draw_resamples(["NSI"] * 400, 20_000, seed=4)
    moved = deviations(values[:, None], drawn)
    (found,) = estimates(values[None].mean(axis=1), moved, drawn.degrees_of_freedom)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(5),
        vectorized=True,
    )
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.006)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.006)
    assert found.standard_error == pytest.approx(theirs.standard_error, rel=0.02)


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 6, 10, 27, 300])
def test_student_quantile_is_scipy_s(degrees: int, level: float) -> None:
    probability = (1 + level) / 2
    theirs = stats.t.ppf(probability, degrees)
    # The expansion's first missing term is the fifth; 1 and 2 are exact.
    error = 1e-12 if degrees < 3 else degrees**-5
    assert student_quantile(probability, degrees) == pytest.approx(theirs, rel=0, abs=error)


@pytest.mark.parametrize("z", [1.0, 2.0, 3.0, 3.5])
@pytest.mark.parametrize("degrees", [9, 27, 57, 997])
def test_student_s_tail_is_scipy_s_as_far_out_as_many_pairs_reach(degrees: int, z: float) -> None:
    theirs = stats.t.isf(stats.norm.sf(z), degrees)
    assert student_from_normal(z, degrees) == pytest.approx(theirs, rel=0.01)


def test_expanded_tail_nears_the_plain_one_with_many_images() -> None:
    assert expanded_tail(0.95, 27) == pytest.approx(stats.norm.cdf(-stats.t.ppf(0.975, 27)), 1e-3)
    assert expanded_tail(0.95, 10**6) == pytest.approx(0.025, rel=1e-4)


def test_the_same_seed_gives_the_same_resamples_and_another_seed_others() -> None:
    first, again, other = (draw_resamples(CONTENTS, 20, seed=seed).weights for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_image_of_a_content_has_no_interval() -> None:
    with pytest.raises(StatisticsError, match="one image of SCI"):
        draw_resamples(["NSI", "NSI", "SCI"])
    with pytest.raises(StatisticsError, match="no image"):
        draw_resamples([])


@pytest.mark.parametrize(("resamples", "seed"), [(0, 0), (-5, 0), (1, 0), (2000, -1)])
def test_too_few_resamples_and_seeds_below_0_are_refused(resamples: int, seed: int) -> None:
    with pytest.raises(StatisticsError, match="wanted at least 20, better 2000"):
        draw_resamples(CONTENTS, resamples, seed)
