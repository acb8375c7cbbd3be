"""The statistics of a board's rows, as a record."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from protocol.errors import StatisticsError
from protocol.jsonable import from_json, to_json
from protocol.rules import TRACKS, Content, Dimension, Mode, Track
from protocol.scores import Cell, overall
from protocol.statistics.boards import ImageScores, board_statistics
from protocol.statistics.records import BoardStatistics

NAMES = [
    f"{c}_made_{i:03d}.png" for c, n in (("NSI", 8), ("SCI", 6), ("AIGI", 6)) for i in range(n)
]
CELLS: list[Cell] = [(mode, dimension) for mode in Mode for dimension in Dimension]


def make_system(name: str, level: float, cells: list[Cell] = CELLS) -> ImageScores:
    rng = np.random.default_rng(len(name))
    return ImageScores(
        request_id=name,
        model=f"model {name}",
        partner="",
        per_image_sha256="0" * 64,
        scores={
            cell: dict(zip(NAMES, (level + rng.normal(0, 0.1, 20)).tolist(), strict=True))
            for cell in cells
        },
    )


def without(system: ImageScores, cell: Cell, name: str, *, drop: bool = False) -> ImageScores:
    scores: dict[Cell, Mapping[str, float | None]] = dict(system.scores)
    changed: dict[str, float | None] = {**scores[cell], name: None}
    if drop:
        del changed[name]
    scores[cell] = changed
    return ImageScores(
        request_id=system.request_id,
        model=system.model,
        partner="",
        per_image_sha256="0" * 64,
        scores=scores,
    )


@pytest.mark.parametrize("track", list(Track))
def test_overall_and_cells_are_those_of_the_board(track: Track) -> None:
    system = make_system("a", 2.0)
    (row,) = board_statistics([system], track, "bench").rows
    means = {cell: float(np.mean(list(images.values()))) for cell, images in system.scores.items()}
    assert row.overall is not None
    assert row.overall.value == pytest.approx(overall(track, means))
    for mode in TRACKS[track].modes:
        assert row.cells[f"{mode}_fr"].value == pytest.approx(means[mode, Dimension.FR])


def test_rows_come_best_first_with_all_their_comparisons() -> None:
    made = board_statistics(
        [make_system("a", 1.0), make_system("bb", 3.0), make_system("ccc", 2.0)],
        Track.T2I,
        "bench",
    )
    assert [row.request_id for row in made.rows] == ["bb", "ccc", "a"]
    assert [row.standing.rank for row in made.rows if row.standing] == [1, 2, 3]
    pairs = [(c.first, c.second, c.is_separable) for c in made.comparisons]
    assert pairs == [("bb", "ccc", True), ("bb", "a", True), ("ccc", "a", True)]
    assert [lead.model for lead in made.leads] == ["bb"]
    assert made.images_per_content == {Content.NSI: 8, Content.SCI: 6, Content.AIGI: 6}


@pytest.mark.parametrize("drop", [True, False])
def test_a_row_that_lacks_an_image_is_not_ranked_and_not_averaged(drop: bool) -> None:
    cell = (Mode.FULL, Dimension.FR)
    short = without(make_system("bb", 9.0), cell, NAMES[0], drop=drop)
    made = board_statistics([make_system("a", 1.0), short], Track.T2I_ULB, "bench")
    assert [row.request_id for row in made.rows] == ["a", "bb"]
    row = made.rows[1]
    assert row.overall is None
    assert row.standing is None
    assert "full_fr" not in row.cells
    assert "full_nr" in row.cells
    assert row.not_scored == {"full_fr": 1}
    assert made.comparisons == ()
    assert [lead.model for lead in made.leads] == ["a"]


def test_a_row_without_a_mode_is_not_ranked() -> None:
    some = make_system("a", 1.0, [c for c in CELLS if c[0] is Mode.FULL])
    made = board_statistics([some], Track.T2I_ULB, "bench")
    assert made.rows[0].overall is None
    assert made.rows[0].not_scored == {"image_fr": 20, "image_nr": 20}


def test_one_content_takes_its_own_images_only() -> None:
    system = make_system("a", 1.0)
    made = board_statistics([system], Track.T2I_ULB, "bench", Content.SCI)
    assert made.images == 6
    expected = np.mean([system.scores[Mode.FULL, Dimension.FR][name] for name in NAMES[8:14]])
    assert made.rows[0].cells["full_fr"].value == pytest.approx(expected)


def test_the_record_survives_json() -> None:
    made = board_statistics([make_system("a", 1.0), make_system("bb", 1.0)], Track.I2T, "bench")
    assert from_json(BoardStatistics, to_json(made)) == made


def test_one_image_of_a_content_is_refused() -> None:
    system = make_system("a", 1.0)
    few = {
        c: {n: s for n, s in images.items() if n in (*NAMES[:8], NAMES[8])}
        for c, images in system.scores.items()
    }
    short = ImageScores(request_id="a", model="a", partner="", per_image_sha256="", scores=few)
    with pytest.raises(StatisticsError, match="one image of SCI"):
        board_statistics([short], Track.I2T, "bench")
    with pytest.raises(StatisticsError, match="no scored image"):
        board_statistics([], Track.I2T, "bench")


def test_equal_systems_are_equal_in_every_resample() -> None:
    one = make_system("a", 1.0)
    twins = [replace(one, request_id=str(number)) for number in range(3)]
    made = board_statistics([*twins, make_system("bb", 0.2)], Track.T2I, "bench")
    assert [row.standing.rank for row in made.rows if row.standing] == [1, 1, 1, 4]
    shares = [row.standing.probability_first for row in made.rows if row.standing]
    assert shares == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert [c.is_separable for c in made.comparisons] == [False, False, True, False, True, True]
    assert [c.result.images_needed for c in made.comparisons[:2]] == [None, None]
    assert made.leads[0].also == ("1", "2")


def test_a_control_is_shown_and_compared_with_nothing() -> None:
    systems = [make_system("a", 1.0), make_system("bb", 9.0)]
    made = board_statistics(systems, Track.T2I, "bench", unranked={"bb"})
    assert [(row.request_id, row.standing is not None) for row in made.rows] == [
        ("a", True),
        ("bb", False),
    ]
    assert set(made.rows[1].cells) == set(made.rows[0].cells)
    assert made.rows[1].overall is None
    assert made.comparisons == ()
