"""The calibration pairs, and when two scorers are not alike."""

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_store import add_result

from protocol.calibration import SIDE, TOLERANCE, difference, is_off, pairs, unlike
from protocol.records import IndicatorUse, Result
from protocol.rules import Dimension
from submission.store import FolderStore


@pytest.fixture
def row(tmp_path: Path) -> Result:
    return add_result(FolderStore(tmp_path), "org/a", 1.0)


def scored(row: Result, at: str, *scores: float, source: str = "verified") -> Result:
    known = replace(row.provenance, calibration={"ms_ssim": scores}, finished_at=at)
    return replace(row, provenance=known, source=source)


def test_the_pairs_are_the_same_pictures_on_every_machine_and_for_ever() -> None:
    found = [hashlib.sha256(p.tobytes()).hexdigest()[:12] for pair in pairs() for p in pair]
    assert found == ["2e4f47d1d827", "eb9f61093968", "23c1e9606c19", "8527e96716aa"]
    assert {(p.shape, p.dtype) for pair in pairs() for p in pair} == {
        ((SIDE, SIDE, 3), np.dtype(np.uint8))
    }


def test_a_row_is_held_to_the_first_verified_row_of_its_table(row: Result) -> None:
    first, later = scored(row, "2026-01-01", 0.5, 0.7), scored(row, "2026-01-02", 0.6, 0.8)
    libraries = {"torch": "2.9", "numpy": "2.3", "pyiqa": "0.1"}
    first = replace(first, provenance=replace(first.provenance, libraries=libraries))
    said = unlike(scored(row, "2026-01-03", 0.6, 0.8), [later, first])
    assert "ms_ssim is 0.1000 off from request " + row.request.request_id in said
    assert said.endswith(
        "that one was scored with torch 2.9, pyiqa 0.1 on cpu, this one with unnamed libraries on "
        "cpu"
    )
    assert not unlike(scored(row, "2026-01-03", 0.5 + TOLERANCE / 2, 0.7), [later, first])


def test_a_self_reported_row_is_no_measure(row: Result) -> None:
    reported = scored(row, "2026-01-01", 0.1, 0.1, source="self-reported")
    assert not unlike(scored(row, "2026-01-02", 0.5, 0.7), [reported])
    assert unlike(reported, [scored(row, "2026-01-02", 0.5, 0.7)])


def test_rows_of_other_weights_and_from_before_there_were_pairs_are_no_measure(row: Result) -> None:
    other = IndicatorUse(
        dimension=Dimension.FR,
        name="ms_ssim",
        implementation="",
        weights_sha256="f" * 64,
        weights_origin="elsewhere",
    )
    elsewhere = scored(row, "2026-01-01", 0.1, 0.1)
    elsewhere = replace(elsewhere, provenance=replace(elsewhere.provenance, indicators=(other,)))
    before = replace(row, provenance=replace(row.provenance, finished_at="2025-01-01"))
    assert not unlike(scored(row, "2026-01-03", 0.5, 0.7), [elsewhere, before])
    assert unlike(scored(row, "2026-01-03", 0.5, 0.7), [before, scored(row, "2026-01-02", 0.1)])
    assert not unlike(row, [scored(row, "2026-01-01", 0.1, 0.1)])


def test_an_indicator_that_memory_was_too_short_for_is_no_measure(row: Result) -> None:
    known = replace(row.provenance, calibration={"piqe": (0.5, 0.7)})
    assert not unlike(
        scored(row, "2026-01-03", 0.1, 0.1),
        [replace(row, source="verified", provenance=known)],
    )


@pytest.mark.parametrize("other", [(), (0.5,), (0.5, math.nan), (0.5, math.inf)])
def test_scores_that_cannot_be_compared_are_off(other: tuple[float, ...]) -> None:
    assert is_off((0.5, 0.7), other)
    assert is_off((), ())


def test_a_difference_is_the_mean_over_the_pairs_without_signs() -> None:
    assert difference((0.5, 0.7), (0.6, 0.5)) == pytest.approx(0.15)
