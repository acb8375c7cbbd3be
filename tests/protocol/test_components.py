"""Seed variance apart from image variance."""

import numpy as np
import pytest
from scipy import stats

from protocol.errors import StatisticsError
from protocol.statistics.components import separate

STRATA = ["NSI"] * 400 + ["SCI"] * 300 + ["AIGI"] * 300


def repeated(rng: np.random.Generator, seeds: int = 3) -> np.ndarray:
    """Return scores with image deviation 0.5 in each content and seed deviation 0.2."""
    offset = np.array([{"NSI": 0.0, "SCI": 2.0, "AIGI": -1.0}[name] for name in STRATA])
    return offset + rng.normal(0, 0.5, 1000) + rng.normal(0, 0.2, (seeds, 1000))


def test_both_variances_are_found_and_contents_are_no_image_variance() -> None:
    found = separate(repeated(np.random.default_rng(0)), STRATA)
    assert found.seed_variance.value == pytest.approx(0.04, rel=0.1)
    assert found.image_variance == pytest.approx(0.25, rel=0.1)
    assert found.standard_error_seed == pytest.approx(0.2 / np.sqrt(1000), rel=0.05)


def test_components_are_those_of_scipy_s_analysis_of_variance() -> None:
    scores = repeated(np.random.default_rng(1))[:, :60]
    found = separate(scores, ["NSI"] * 60)
    statistic = stats.f_oneway(*scores.T).statistic
    between = found.image_variance + found.seed_variance.value / 3
    assert 3 * between / found.seed_variance.value == pytest.approx(statistic)


def test_means_of_repeated_experiments_spread_as_the_standard_error_says() -> None:
    rng = np.random.default_rng(2)
    means = [repeated(rng).mean() for _ in range(1000)]
    assert separate(repeated(rng), STRATA).standard_error == pytest.approx(np.std(means), rel=0.08)


def test_seed_variance_s_interval_holds_the_truth_in_93_to_97_percent() -> None:
    rng = np.random.default_rng(3)
    held = []
    for seed in range(600):
        found = separate(repeated(rng)[:, ::5], STRATA[::5], resamples=400, seed=seed)
        held.append(found.seed_variance.low <= 0.04 <= found.seed_variance.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_an_image_that_one_seed_lacks_is_left_out_and_counted() -> None:
    scores = repeated(np.random.default_rng(4))
    scores[1, 7] = np.nan
    assert separate(scores, STRATA).images == 999


def test_one_seed_is_refused() -> None:
    with pytest.raises(StatisticsError, match="one seed"):
        separate(np.ones((1, 1000)), STRATA)
