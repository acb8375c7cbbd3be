"""Leaders by weight."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.boards import published_rows
from protocol.rules import Dimension, Track
from protocol.statistics.weighting import lead_shares, leads

MEANS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=8)


@given(MEANS)
def test_leaders_are_best_everywhere_in_their_range_and_ranges_fill_0_to_1(
    pairs: list[tuple[int, int]],
) -> None:
    means = {str(i): (Fraction(fr), Fraction(nr)) for i, (fr, nr) in enumerate(pairs)}
    found = leads(means)  # type: ignore[arg-type]  # fractions make the check exact
    assert found[0].weight_low == 0
    assert found[-1].weight_high == 1
    assert all(a.weight_high == b.weight_low for a, b in pairwise(found))

    def overall(name: str, weight: Fraction) -> Fraction:
        fr, nr = means[name]
        return weight * fr + (1 - weight) * nr

    for lead in found:
        for weight in (lead.weight_low, lead.weight_high):
            exact = Fraction(weight)
            assert overall(lead.model, exact) == max(overall(name, exact) for name in means)
        assert all(means[name] == means[lead.model] for name in lead.also)


@given(MEANS)
def test_no_range_is_empty_but_where_one_system_or_weight_is_all(
    pairs: list[tuple[int, int]],
) -> None:
    found = leads({str(i): (float(fr), float(nr)) for i, (fr, nr) in enumerate(pairs)})
    assert all(lead.weight_low < lead.weight_high for lead in found)


def test_breakpoint_of_two_crossing_systems_is_exact() -> None:
    found = leads({"a": (3.0, 1.0), "b": (1.0, 2.0)})
    assert [lead.model for lead in found] == ["b", "a"]
    assert found[0].weight_high == pytest.approx(1 / 3)


def test_systems_with_the_same_means_lead_together() -> None:
    (only,) = leads({"a": (1.0, 1.0), "b": (1.0, 1.0), "c": (0.0, 0.0)})
    assert (only.model, only.also) == ("a", ("b",))


def test_pg25_leads_the_published_t2i_board_at_equal_weights() -> None:
    rows = [row for row in published_rows(Track.T2I, None) if not row.missing_modes]
    rows += [row for row in published_rows(Track.T2I, None) if row.model == "DiffBIR"]

    def mean(scores: dict[tuple[str, str], float], wanted: Dimension) -> float:
        chosen = [score for (_, dimension), score in scores.items() if dimension is wanted]
        return sum(chosen) / len(chosen)

    found = leads(
        {r.model: (mean(r.scores, Dimension.FR), mean(r.scores, Dimension.NR)) for r in rows}  # type: ignore[arg-type]
    )
    at = {
        weight: next(x.model for x in found if x.weight_low <= weight <= x.weight_high)
        for weight in (1 / 2, 2 / 3)
    }
    assert at == {1 / 2: "PG25", 2 / 3: "DiffBIR"}


def test_no_system_has_no_leader() -> None:
    assert leads({}) == []


@given(MEANS)
def test_shares_are_the_lengths_of_the_ranges_and_equal_systems_have_equal_ones(
    pairs: list[tuple[int, int]],
) -> None:
    means = {str(i): (Fraction(fr), Fraction(nr)) for i, (fr, nr) in enumerate(pairs)}
    shares = lead_shares(leads(means))  # type: ignore[arg-type]  # fractions make the check exact
    once = {means[name]: share for name, share in shares.items()}
    assert sum(once.values()) == pytest.approx(1)
    assert all(shares[name] == once[means[name]] for name in shares)
    # Away from the crossings, whoever is best at a weight has a share.
    for weight in (Fraction(n, 97) for n in range(1, 97)):
        scores = {name: weight * fr + (1 - weight) * nr for name, (fr, nr) in means.items()}
        best = {name for name, score in scores.items() if score == max(scores.values())}
        assert best & set(shares)
