"""Ranks: what is certain, what is tied, how often one is first."""

from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from protocol.statistics import ranking
from protocol.statistics.bootstrap import deviations, draw_resamples
from protocol.statistics.ranking import (
    PAIRS_AT_A_TIME,
    probability_first,
    rank_intervals,
    separable_pairs,
    slices_of_pairs,
    standings,
    tie_groups,
)

STRATA = ["NSI"] * 40 + ["SCI"] * 30 + ["AIGI"] * 30
DRAWN = draw_resamples(STRATA, 1000, seed=1)


def experiment(seed: int, truths: list[float], noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Return means and their resampled deviations of systems on the same 100 images."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(0, 3, (100, 1))
    scores = np.array(truths) + hardness + rng.normal(0, noise, (100, len(truths)))
    return scores.mean(axis=0), deviations(scores, DRAWN)


def test_systems_far_apart_have_a_rank_and_no_interval() -> None:
    values, moved = experiment(0, [1.0, 3.0, 2.0])
    found = standings(values, moved, DRAWN.degrees_of_freedom)
    assert [(s.rank, s.rank_low, s.rank_high) for s in found] == [(3, 3, 3), (1, 1, 1), (2, 2, 2)]
    assert [s.probability_first for s in found] == [0, 1, 0]
    assert [s.tie_group for s in found] == [3, 1, 2]


def test_what_is_hard_about_an_image_for_all_is_no_noise() -> None:
    # The images' own spread is 3, six times the noise; unpaired, a gap of 0.4 would drown in it.
    values, moved = experiment(0, [1.0, 1.4])
    assert rank_intervals(values, moved, DRAWN.degrees_of_freedom) == [(2, 2), (1, 1)]


def test_rank_intervals_hold_the_true_rank_in_93_percent_or_more() -> None:
    # Gaps of about one standard error of a difference (0.07): neither tied nor far apart.
    truths = [0.0, 0.07, 0.14, 0.28, 0.35, 0.7]
    held = []
    for seed in range(300):
        values, moved = experiment(seed, truths)
        spans = rank_intervals(values, moved, DRAWN.degrees_of_freedom)
        held += [low <= 6 - i <= high for i, (low, high) in enumerate(spans)]
    assert np.mean(held) >= 0.93
    assert max(high - low for low, high in spans) < 5


def test_equal_systems_are_called_separable_in_7_percent_of_experiments_or_fewer() -> None:
    wrong = [
        separable_pairs(*experiment(seed, [1.0] * 6), DRAWN.degrees_of_freedom).any()
        for seed in range(400)
    ]
    assert 0.02 <= np.mean(wrong) <= 0.08


def test_equal_systems_are_not_separated_more_often_with_few_images() -> None:
    strata = ["NSI"] * 10 + ["SCI"] * 10 + ["AIGI"] * 10
    drawn = draw_resamples(strata, 1000, seed=2)
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(400):
        scores = rng.normal(0, 0.5, (30, 6))
        moved = deviations(scores, drawn)
        called = separable_pairs(scores.mean(axis=0), moved, drawn.degrees_of_freedom)
        wrong.append(called.any())
    assert np.mean(wrong) <= 0.08


def independent_systems(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores of systems that share nothing, which scipy's tests ask for; and two moments."""
    scores = np.random.default_rng(seed).normal([0.0, 0.1, 0.2, 0.35, 0.6], 1.0, (300, 5))
    return scores, scores.mean(axis=0), deviations(scores, draw_resamples(["NSI"] * 300, 2000))


@pytest.mark.parametrize("seed", range(6))
def test_pairs_are_separable_where_tukeys_test_says_so(seed: int) -> None:
    scores, values, moved = independent_systems(seed)
    p_values = stats.tukey_hsd(*scores.T).pvalue
    clear = (p_values < 0.03) | (p_values > 0.08)
    found = separable_pairs(values, moved, 299)
    assert (found == (p_values < 0.05))[clear].all()
    assert 2 <= found.sum() <= 18


@pytest.mark.parametrize("seed", range(6))
def test_rank_intervals_are_those_of_dunnetts_test(seed: int) -> None:
    scores, values, moved = independent_systems(seed)
    for own, (low, high) in enumerate(rank_intervals(values, moved, 299)):
        others = [other for other in range(5) if other != own]
        test = stats.dunnett(*scores[:, others].T, control=scores[:, own], rng=0)
        better = values[others] > values[own]
        for limit, holds in ((0.03, np.greater_equal), (0.08, np.less_equal)):
            sure = test.pvalue < limit
            assert holds(low, 1 + (sure & better).sum())
            assert holds(5 - high, (sure & ~better).sum())


@pytest.mark.parametrize("gap", [0.0, 0.05, 0.1])
def test_the_better_of_two_is_first_as_often_as_the_normal_says(gap: float) -> None:
    values, moved = experiment(3, [1.0, 1.0 + gap])
    error = (moved[:, 1] - moved[:, 0]).std()
    expected = NormalDist().cdf(float(values[1] - values[0]) / error)
    assert probability_first(values, moved)[1] == pytest.approx(expected, abs=0.05)


def test_equal_systems_share_the_first_place() -> None:
    values, moved = experiment(3, [1.0, 2.0])
    twice, moved_twice = values[[0, 1, 1]], moved[:, [0, 1, 1]]
    assert probability_first(twice, moved_twice) == pytest.approx([0, 0.5, 0.5])
    found = standings(twice, moved_twice, DRAWN.degrees_of_freedom)
    assert [(s.rank, s.tie_group, s.rank_high) for s in found] == [(3, 2, 3), (1, 1, 2), (1, 1, 2)]


def test_of_many_systems_some_pairs_are_resampled_at_a_time_and_all_are() -> None:
    slices = slices_of_pairs(100)
    assert len(slices) == 4
    assert max(len(first) for first, _ in slices) < 2 * PAIRS_AT_A_TIME
    for whole, part in zip(np.triu_indices(100, 1), zip(*slices, strict=True), strict=True):
        assert np.array_equal(np.concatenate(part), whole)


def test_pairs_in_parts_are_separable_as_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values, moved = experiment(4, [1.0 + 0.02 * number for number in range(80)])
    in_parts = separable_pairs(values, moved, DRAWN.degrees_of_freedom)
    monkeypatch.setattr(ranking, "PAIRS_AT_A_TIME", 10**6)
    assert np.array_equal(separable_pairs(values, moved, DRAWN.degrees_of_freedom), in_parts)
    assert 0 < in_parts.sum() < in_parts.size


def test_a_constant_gap_is_certain() -> None:
    values, moved = experiment(3, [1.0])
    shifted = np.array([values[0], values[0] + 1e-6])
    assert separable_pairs(shifted, moved[:, [0, 0]], DRAWN.degrees_of_freedom).sum() == 2


def test_a_tie_group_ends_where_a_system_is_surely_below_its_best() -> None:
    values = np.array([5.0, 4.0, 3.0, 2.0])
    separable = np.zeros((4, 4), dtype=bool)
    for a, b in ((0, 2), (0, 3), (1, 3)):
        separable[a, b] = separable[b, a] = True
    assert tie_groups(values, separable) == [1, 1, 2, 2]


def test_a_single_system_is_first() -> None:
    values, moved = experiment(0, [1.0])
    (only,) = standings(values, moved, DRAWN.degrees_of_freedom)
    assert (only.rank_low, only.rank_high, only.probability_first, only.tie_group) == (1, 1, 1, 1)
