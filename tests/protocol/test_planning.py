"""Planning in the matrix of pairs, against fits that have the pair in them."""

from itertools import combinations, pairwise
from math import sqrt

import numpy as np
import pytest

from protocol.statistics.planning import PlannedPair, plan_pairs

Cells = dict[tuple[str, str], float]


def some_cells(seed: int, encoders: int, decoders: int, count: int) -> tuple[Cells, Cells]:
    """Return connected cells with means, and what each of the others would take."""
    rng = np.random.default_rng(seed)
    names = [(f"e{i}", f"d{j}") for i in range(encoders) for j in range(decoders)]
    while True:
        run = [names[at] for at in rng.permutation(len(names))[:count]]
        if np.linalg.matrix_rank(dummies(run, encoders, decoders)) == encoders + decoders - 1:
            break
    means = {pair: float(rng.normal()) for pair in run}
    return means, {pair: float(rng.uniform(1, 9)) for pair in names if pair not in means}


def dummies(pairs: list[tuple[str, str]], encoders: int, decoders: int) -> np.ndarray:
    """Return a design without any coding: a column a system."""
    rows = [
        [*(e == f"e{i}" for i in range(encoders)), *(d == f"d{j}" for j in range(decoders))]
        for e, d in pairs
    ]
    return np.array(rows, dtype=float)


def fitted(means: Cells, encoders: int, decoders: int) -> tuple[np.ndarray, np.ndarray]:
    """Return effects and covariance without the error's variance, by the pseudo-inverse."""
    design = dummies(list(means), encoders, decoders)
    inverse = np.linalg.pinv(design.T @ design)
    return inverse @ design.T @ np.array(list(means.values())), inverse


def variance(means: Cells, order: list[list[int]], encoders: int, decoders: int) -> float:
    """Return the summed variance of the differences between neighbours of a given order."""
    _, covariance = fitted(means, encoders, decoders)
    total = 0.0
    for ranks in order:
        for a, b in pairwise(ranks):
            total += covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
    return float(total)


def ranks_of(means: Cells, encoders: int, decoders: int) -> list[list[int]]:
    effects, _ = fitted(means, encoders, decoders)
    ends = (range(encoders), range(encoders, encoders + decoders))
    return [sorted(part, key=lambda at: -effects[at]) for part in ends]


@pytest.mark.parametrize(
    ("encoders", "decoders", "count"), [(2, 2, 3), (2, 3, 4), (3, 3, 7), (4, 5, 11), (2, 6, 8)]
)
@pytest.mark.parametrize("seed", range(4))
def test_gains_and_choice_are_those_of_fits_with_the_pair_in_them(
    seed: int, encoders: int, decoders: int, count: int
) -> None:
    means, seconds = some_cells(seed, encoders, decoders, count)
    size = (encoders, decoders)
    order = ranks_of(means, *size)
    before = now = variance(means, order, *size)
    plan = plan_pairs(means, seconds, limit=len(seconds))
    assert {(p.encoder, p.decoder) for p in plan.pairs} == set(seconds)
    waiting = dict(seconds)
    for chosen in plan.pairs:
        # Whatever score a pair will have, its variance is the same: any will do here.
        refitted = {pair: variance({**means, pair: 0.0}, order, *size) for pair in sorted(waiting)}
        rate = {pair: (now - after) / waiting[pair] for pair, after in refitted.items()}
        pair = (chosen.encoder, chosen.decoder)
        assert rate[pair] == pytest.approx(max(rate.values()))
        assert chosen.gain == pytest.approx((now - refitted[pair]) / before)
        assert chosen.gain_per_hour == pytest.approx(3600 * rate[pair] / before)
        now = refitted[pair]
        effects, _ = fitted({k: means[k] for k in list(means)[:count]}, *size)
        e, d = int(pair[0][1:]), encoders + int(pair[1][1:])
        assert chosen.predicted == pytest.approx(effects[e] + effects[d])
        means = {**means, pair: chosen.predicted or 0.0}
        del waiting[pair]
    assert now < before


def test_a_prediction_s_error_is_that_of_the_fit_and_of_one_more_pair() -> None:
    means, seconds = some_cells(1, 3, 4, 9)
    (first, *_) = plan_pairs(means, seconds, limit=1).pairs
    effects, covariance = fitted(means, 3, 4)
    design = dummies(list(means), 3, 4)
    left = np.array(list(means.values())) - design @ effects
    (row,) = dummies([(first.encoder, first.decoder)], 3, 4)
    expected = sqrt(left @ left / (9 - 6) * (1 + row @ covariance @ row))
    assert first.standard_error == pytest.approx(expected)
    bare, waiting = some_cells(1, 3, 4, 6)
    (first, *_) = plan_pairs(bare, waiting, limit=1).pairs
    assert first.standard_error is None
    assert first.predicted is not None


def test_limit_and_budget_hold_and_what_does_not_fit_makes_room_for_what_does() -> None:
    means, seconds = some_cells(2, 4, 5, 10)
    assert len(plan_pairs(means, seconds, limit=3).pairs) == 3
    budget = sum(seconds.values()) / 2
    chosen = plan_pairs(means, seconds, limit=99, budget_seconds=budget).pairs
    spent = sum(pair.seconds for pair in chosen)
    assert spent <= budget
    taken = {(pair.encoder, pair.decoder) for pair in chosen}
    assert all(spent + seconds[pair] > budget for pair in seconds.keys() - taken)
    none = plan_pairs(means, dict.fromkeys(seconds, 7200.0), limit=9, budget_seconds=60)
    assert none.pairs == ()
    assert none.sentence == "no pair fits the budget; the shortest takes 2 hours"


@pytest.mark.parametrize("seed", range(3))
def test_groups_without_a_common_system_are_joined_at_the_least_cost(seed: int) -> None:
    rng = np.random.default_rng(seed)
    run = [("e0", "d0"), ("e0", "d1"), ("e1", "d2"), ("e2", "d3"), ("e2", "d2")]
    means = {**dict.fromkeys(run, 1.0), ("e3", "d4"): 2.0}
    names = [(f"e{i}", f"d{j}") for i in range(4) for j in range(5)]
    seconds = {pair: float(rng.uniform(1, 9)) for pair in names if pair not in means}
    plan = plan_pairs(means, seconds, limit=9)
    assert "fall apart into 3 groups" in plan.sentence
    assert "at the least cost" in plan.sentence
    assert all(pair.gain is pair.predicted is pair.gain_per_hour is None for pair in plan.pairs)
    best = min(
        sum(seconds[pair] for pair in two)
        for two in combinations(seconds, 2)
        if np.linalg.matrix_rank(dummies([*means, *two], 4, 5)) == 8
    )
    assert sum(pair.seconds for pair in plan.pairs) == pytest.approx(best)
    first = plan_pairs(means, seconds, limit=1)
    assert len(first.pairs) == 1
    assert "these join 2 of them" in first.sentence
    none = plan_pairs(means, seconds, limit=9, budget_seconds=0.5)
    assert none.pairs == ()
    assert "no pair fits the budget" in none.sentence


def test_two_groups_are_joined_too_and_what_joins_groups_shares_one_budget() -> None:
    two = {("e0", "d0"): 1.0, ("e1", "d1"): 2.0}
    plan = plan_pairs(two, {("e0", "d1"): 3.0, ("e1", "d0"): 2.0}, limit=9)
    assert "fall apart into 2 groups" in plan.sentence
    assert [(pair.encoder, pair.decoder) for pair in plan.pairs] == [("e1", "d0")]
    three = {**two, ("e2", "d2"): 3.0}
    seconds = {("e0", "d1"): 2.0, ("e1", "d2"): 3.0}
    assert len(plan_pairs(three, seconds, limit=9, budget_seconds=5.0).pairs) == 2
    assert len(plan_pairs(three, seconds, limit=9, budget_seconds=4.0).pairs) == 1


@pytest.mark.parametrize(
    ("means", "what"),
    [
        ({("e", "d"): 1.0}, "1 encoder and 1 decoder"),
        ({("e", "d0"): 1.0, ("e", "d1"): 2.0}, "1 encoder and 2 decoders"),
        ({("e0", "d"): 1.0, ("e1", "d"): 2.0}, "2 encoders and 1 decoder"),
        ({(e, d): 1.0 for e in "ab" for d in "cde"}, "2 encoders and 3 decoders"),
    ],
)
def test_a_single_row_or_column_and_a_full_matrix_leave_nothing_to_plan(
    means: Cells, what: str
) -> None:
    plan = plan_pairs(means, {}, limit=9)
    assert plan.pairs == ()
    assert plan.sentence == f"every pair of {what} has been run; another system would make new ones"


def test_gaps_that_may_not_be_filled_are_said_to_be_none() -> None:
    means = {("e0", "d0"): 1.0, ("e0", "d1"): 1.0, ("e1", "d0"): 1.0}
    plan = plan_pairs(means, {}, limit=9)
    assert plan.sentence == "of 2 encoders and 2 decoders no pair is left that could be planned"


def test_a_pair_that_takes_no_time_comes_first() -> None:
    means, seconds = some_cells(3, 3, 3, 6)
    free = max(seconds)
    (first, *_) = plan_pairs(means, {**seconds, free: 0.0}, limit=1).pairs
    assert isinstance(first, PlannedPair)
    assert (first.encoder, first.decoder) == free
