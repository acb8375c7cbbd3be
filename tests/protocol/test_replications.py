"""Which pictures are run again, and when two runs agree."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.replications import PictureScore, compare, equal_pictures
from protocol.rules import Dimension, Mode
from protocol.samples import Sample, parse_name
from protocol.subsets import choose_subset

BENCHMARK = [
    parse_name(f"{content}_x_{number:03}.png")
    for content, count in (("NSI", 400), ("SCI", 300), ("AIGI", 300))
    for number in range(count)
]


def rows(shift: float = 0.0, noise: float = 0.0, rate: float = 0.02) -> list[PictureScore]:
    return [
        PictureScore(
            name=sample.name,
            mode=Mode.FULL,
            dimension=dimension,
            score=0.5 + 0.01 * (number % 21) + shift + noise * (-1) ** number,
            bits_per_pixel=rate,
            picture_sha256=f"{number}",
        )
        for number, sample in enumerate(BENCHMARK[::20])
        for dimension in Dimension
    ]


def test_a_subset_has_every_contents_share() -> None:
    names = choose_subset(BENCHMARK, 50, "a request")
    assert count(names) == [20, 15, 15]
    assert names == choose_subset(reversed(BENCHMARK), 50, "a request")
    assert names != choose_subset(BENCHMARK, 50, "another")


def count(names: Iterable[str]) -> list[int]:
    contents = [parse_name(name).content.value for name in names]
    return [contents.count(c) for c in ("NSI", "SCI", "AIGI")]


@pytest.mark.parametrize(
    ("there", "size", "chosen"),
    [
        ((400, 300, 300), 3, [1, 1, 1]),
        # 20.8, 15.6 and 15.6: two are left, and the largest remainders take them.
        ((400, 300, 300), 52, [21, 15, 16]),
        # 2.4, 0.3 and 0.3: each has one, whoever must give way.
        ((8, 1, 1), 3, [1, 1, 1]),
        ((80, 1, 1), 10, [8, 1, 1]),
        # No room for one of each.
        ((8, 1, 1), 2, [2, 0, 0]),
        ((8, 1, 1), 20, [8, 1, 1]),
    ],
)
def test_shares_by_hand(there: tuple[int, ...], size: int, chosen: list[int]) -> None:
    samples = [
        parse_name(f"{content}_x_{number:03}.png")
        for content, images in zip(("NSI", "SCI", "AIGI"), there, strict=True)
        for number in range(images)
    ]
    assert count(choose_subset(samples, size, "k")) == chosen


@given(st.lists(st.sampled_from(BENCHMARK), unique=True), st.integers(1, 60))
def test_a_subset_has_its_size_or_all(samples: list[Sample], size: int) -> None:
    names = choose_subset(samples, size, "k")
    assert len(set(names)) == min(size, len(samples))
    assert set(names) <= {sample.name for sample in samples}
    contents = {sample.content for sample in samples}
    if size >= len(contents):
        assert {parse_name(name).content for name in names} == contents


def test_an_equal_run_agrees_in_every_mean_and_rate() -> None:
    agreements = compare(rows(), rows())
    assert [one.what for one in agreements] == ["fr", "bits_per_pixel", "nr"]
    assert all(one.agrees and one.largest_difference == 0 for one in agreements)
    assert equal_pictures(rows(), rows()) == (50, 50)


def test_noise_without_a_shift_agrees() -> None:
    assert all(one.agrees for one in compare(rows(), rows(noise=0.05)))


@pytest.mark.parametrize("shift", [0.02, -0.02])
def test_a_shift_of_a_third_of_the_spread_does_not_agree(shift: float) -> None:
    found = {one.what: one.agrees for one in compare(rows(), rows(shift=shift))}
    assert found == {"fr": False, "nr": False, "bits_per_pixel": True}


def test_the_tolerance_by_hand() -> None:
    def run(scores: tuple[float, ...], rates: tuple[float, ...]) -> list[PictureScore]:
        return [
            replace(row, score=score, bits_per_pixel=rate)
            for row, score, rate in zip(rows()[::2], scores, rates, strict=False)
        ]

    there = run((0.2, 0.4, 0.6, 0.8), (0.01, 0.02, 0.02, 0.03))
    here = run((0.21, 0.43, 0.61, 0.83), (0.01, 0.02, 0.02, 0.028))
    scores, rates = compare(there, here)
    assert (scores.original, scores.replicated) == pytest.approx((0.5, 0.52))
    assert scores.largest_difference == pytest.approx(0.03)
    # A tenth of the deviation 0.2582, and two errors of 0.01155 / 2.
    assert scores.tolerance == pytest.approx(0.02582 + 2 * 0.005774, rel=1e-3)
    assert scores.agrees
    # The files are 2.5 % smaller.
    assert (rates.original, rates.replicated) == pytest.approx((0.02, 0.0195))
    assert (rates.largest_difference, rates.tolerance) == pytest.approx((0.002, 0.0004))
    assert not rates.agrees


def test_one_picture_in_fifty_may_be_scored_on_one_side_alone() -> None:
    lost = [replace(row, score=None) if n < 2 else row for n, row in enumerate(rows())]
    assert [(one.one_sided, one.agrees) for one in compare(rows(), lost)] == [
        (1, True),
        (0, True),
        (1, True),
    ]


@pytest.mark.parametrize("rate", [0.021, 0.019])
def test_a_larger_or_smaller_file_does_not_agree(rate: float) -> None:
    found = {one.what: one.agrees for one in compare(rows(), rows(rate=rate))}
    assert found == {"fr": True, "nr": True, "bits_per_pixel": False}


def test_pictures_scored_on_one_side_alone_do_not_agree() -> None:
    lost = [replace(row, score=None) if n < 4 else row for n, row in enumerate(rows())]
    agreements = [one for one in compare(rows(), lost) if one.what != "bits_per_pixel"]
    assert [(one.one_sided, one.agrees) for one in agreements] == [(2, False), (2, False)]
    both = [one for one in compare(lost, lost) if one.what == "fr"]
    assert both[0].agrees
    assert both[0].images == 48


def test_a_row_with_other_pictures_does_not_agree() -> None:
    others = [replace(row, name=f"NSI_other_{n:03}.png") for n, row in enumerate(rows())]
    assert not any(one.agrees for one in compare(others, rows()))
