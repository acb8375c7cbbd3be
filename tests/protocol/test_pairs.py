"""Two systems on the same images."""

import numpy as np
import pytest
from scipy import stats

from protocol.errors import StatisticsError
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.pairs import compare, images_needed

STRATA = ["NSI"] * 40 + ["SCI"] * 30 + ["AIGI"] * 30


def two(seed: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hardness = rng.normal(2, 1, 100)
    return hardness + gap + rng.normal(0, 0.3, 100), hardness + rng.normal(0, 0.3, 100)


def test_interval_and_error_are_the_paired_t_test_s() -> None:
    first, second = two(0, 0.1)
    found = compare(first, second, ["NSI"] * 100, resamples=20_000)
    theirs = stats.ttest_rel(first, second).confidence_interval()
    assert found.difference.value == pytest.approx((first - second).mean())
    assert found.difference.low == pytest.approx(theirs.low, abs=0.003)
    assert found.difference.high == pytest.approx(theirs.high, abs=0.003)
    assert found.win_rate.value == pytest.approx((first > second).mean())


def test_difference_s_interval_holds_the_truth_in_93_to_97_percent() -> None:
    held = []
    for seed in range(1000):
        found = compare(*two(seed, 0.1), STRATA, resamples=400, seed=seed).difference
        held.append(found.low <= 0.1 <= found.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_win_rate_counts_equal_scores_one_half() -> None:
    first = np.array([1.0, 2.0, 3.0, 4.0])
    found = compare(first, np.array([1.0, 1.0, 4.0, 4.0]), ["NSI"] * 4)
    assert found.win_rate.value == 0.5
    assert not found.is_separable


def test_only_images_that_both_have_are_compared_and_counted() -> None:
    first, second = two(1, 0.5)
    first[3], second[[3, 90]] = np.nan, np.nan
    found = compare(first, second, STRATA)
    assert (found.images, found.left_out) == (98, 2)
    assert found.difference.value == pytest.approx(np.nanmean(first - second))


def test_no_shared_image_is_refused() -> None:
    nothing = np.full(100, np.nan)
    with pytest.raises(StatisticsError, match="needs two of each content"):
        compare(nothing, np.ones(100), STRATA)
    with pytest.raises(StatisticsError, match="same images"):
        compare(np.ones(99), np.ones(100), STRATA)


def test_images_needed_give_the_z_test_its_power_and_one_fewer_does_not() -> None:
    deviation, gap = 0.42, 0.05
    error = Estimate(value=gap, standard_error=deviation / 10, low=-1, high=1)
    needed = images_needed(error, 100)
    assert needed is not None

    def power(images: int) -> float:
        return float(stats.norm.sf(stats.norm.isf(0.025) - gap / deviation * np.sqrt(images)))

    assert power(needed) >= 0.8 > power(needed - 1)


def test_equal_means_need_no_number_of_images() -> None:
    same = np.arange(100.0)
    found = compare(same, same, STRATA)
    assert found.images_needed is None
    assert found.win_rate.value == 0.5
