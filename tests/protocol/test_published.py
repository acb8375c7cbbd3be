"""The published numbers follow from the cells, as the transcription's notes say."""

import pytest

from protocol.boards import published_rows
from protocol.published import PublishedRow, aggregates, read_table, table_rows
from protocol.rules import TRACKS, Content, Dimension, Mode, Role, Track
from protocol.scores import cell_name, mean_over_contents, overall

TRACK_OF_ROLE = {Role.T2I: Track.T2I, Role.I2T: Track.I2T}
KNOWN_TO_DIFFER = {("InstructBLIP", "full_fr"), ("SSD-1B", "text_nr")}


@pytest.mark.parametrize("track", [Track.T2I_ULB, Track.T2I_ELB])
def test_every_overall_of_tables_3_and_4_follows_from_the_cells(track: Track) -> None:
    rows = table_rows(track, None)
    assert len(rows) == {Track.T2I_ULB: 12, Track.T2I_ELB: 8}[track]
    for row in rows:
        assert overall(track, row.scores) == pytest.approx(row.overall, abs=6e-4), row.model


@pytest.mark.parametrize("row", aggregates(), ids=lambda row: row.model)
def test_every_overall_of_the_public_leaderboard_follows_from_its_aggregates_and_is_shown(
    row: PublishedRow,
) -> None:
    track = TRACK_OF_ROLE[row.role]
    (shown,) = [r for r in published_rows(track, None) if r.model == row.model]
    modes = tuple(mode for mode in TRACKS[track].modes if mode not in shown.missing_modes)
    assert overall(track, row.scores, modes) == pytest.approx(row.overall, abs=2e-4)
    assert shown.overall == row.overall


@pytest.mark.parametrize("track", [Track.T2I_ULB, Track.T2I_ELB, Track.I2T])
def test_every_overall_of_tables_3_to_5_is_shown_with_the_digits_that_were_printed(
    track: Track,
) -> None:
    shown = {row.model: f"{row.overall:.3f}" for row in published_rows(track, None)}
    number = {Track.T2I_ULB: "3", Track.T2I_ELB: "4", Track.I2T: "5"}[track]
    printed = {
        row["model"]: row["overall"] for row in read_table("overall") if row["table"] == number
    }
    assert shown == printed
    assert list(shown) == list(printed)
    for row in published_rows(track, None):
        assert {mode for mode, _ in row.scores} == set(TRACKS[track].modes)


def test_all_but_two_aggregates_follow_from_the_cells() -> None:
    differing, compared = set(), 0
    computed = {
        row.model: row.scores for track in (Track.T2I, Track.I2T) for row in table_rows(track, None)
    }
    for row in aggregates():
        for cell, score in row.scores.items():
            if cell in computed[row.model]:
                compared += 1
                if abs(computed[row.model][cell] - score) > 6e-4:
                    differing.add((row.model, cell_name(cell)))
    assert compared == 104
    assert differing == KNOWN_TO_DIFFER


def test_i2t_is_the_plain_mean_of_six_and_not_two_to_one() -> None:
    (gpt,) = [row for row in aggregates() if row.model == "GPT-4o"]
    assert overall(Track.I2T, gpt.scores) == pytest.approx(2.4394, abs=2e-4)
    assert overall(Track.T2I, gpt.scores, (Mode.FULL, Mode.PIXEL, Mode.TEXT)) == pytest.approx(
        2.3299, abs=2e-4
    )


def test_published_boards_are_best_first_and_complete_for_every_content() -> None:
    for track in (Track.T2I_ULB, Track.T2I_ELB, Track.T2I, Track.I2T):
        for content in (None, *Content):
            overalls = [row.overall for row in published_rows(track, content)]
            assert None not in overalls
            assert overalls == sorted(overalls, key=lambda value: -(value or 0))


def test_a_content_board_shows_the_cells_as_printed() -> None:
    printed = {
        (row["model"], row["mode"], row["indicator"].lower()): float(row["score"])
        for row in read_table("cells")
        if row["table"] == "3" and row["content"] == "SCI"
    }
    for row in published_rows(Track.T2I_ULB, Content.SCI):
        for (mode, dimension), score in row.scores.items():
            assert score == printed[row.model, mode, dimension]


def test_i2t_by_content_says_that_text_was_not_published() -> None:
    for row in published_rows(Track.I2T, Content.NSI):
        assert row.missing_modes == (Mode.TEXT,)
        assert "text_fr" not in row.indicators


def test_a_mean_over_contents_weighs_by_the_number_of_images() -> None:
    assert mean_over_contents({Content.NSI: 1, Content.SCI: 0, Content.AIGI: 0}) == 0.4
    assert mean_over_contents({Content.NSI: 0, Content.SCI: 1, Content.AIGI: 0}) == 0.3


def test_an_overall_with_a_missing_cell_is_none_and_not_a_smaller_mean() -> None:
    scores = {(Mode.FULL, Dimension.FR): 3.0, (Mode.FULL, Dimension.NR): 3.0}
    assert overall(Track.T2I_ULB, scores) is None
    assert overall(Track.T2I_ULB, scores, (Mode.FULL,)) == 3.0
    assert overall(Track.T2I_ULB, scores, ()) is None
