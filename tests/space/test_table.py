"""What the page shows is what the boards say, and only what may be compared stands together."""

import json

import pytest
from make_results import make_result, make_store

from protocol.boards import PUBLISHED_BENCH, published_rows, result_rows
from protocol.records import Result
from protocol.rules import Content, Mode, Role, Track
from space.board_files import board_record
from space.lines import Line
from space.rows import Rows
from space.table import CONTENTS, TRACKS_SHOWN, Table, board
from space.verdict import Verdict

RELEASED = "lcysyzxdxc/CMC-Bench@abc/topiq-fr.pth"


def only_table(
    track: Track, results: list[Result], tag: str = "measured", content: str = "all"
) -> Table:
    (found,) = [one for one in board(track, content, Rows(results)).tables if one.tag == tag]
    return found


def find(lines: tuple[Line, ...], model: str) -> Line:
    (line,) = [line for line in lines if line.model == model]
    return line


@pytest.mark.parametrize("track", [Track.T2I_ULB, Track.T2I_ELB, Track.I2T])
@pytest.mark.parametrize("content", CONTENTS)
def test_published_table_shows_every_published_row_in_order(track: Track, content: str) -> None:
    table = only_table(track, [], "published", content)
    rows = published_rows(track, CONTENTS[content])
    assert [line.model for line in table.lines] == [row.model for row in rows]
    assert [line.values["overall"] for line in table.lines] == [row.overall for row in rows]
    assert [line.rank for line in table.lines] == list(range(1, len(rows) + 1))


def test_without_results_there_is_no_codec_bench() -> None:
    assert board(Track.CODEC, "all", Rows([])).tables == ()


def test_measured_bench_comes_first_and_shares_no_table_with_the_published() -> None:
    first, second = board(Track.T2I_ULB, "all", Rows(make_store())).tables
    assert (first.tag, second.tag) == ("measured", "published")
    assert {line.source for line in first.lines} == {"verified", "self-reported"}
    assert {line.source for line in second.lines} == {"published"}


def test_rows_measured_as_published_stand_on_the_published_table() -> None:
    result = make_result(
        "DiffBIR-again",
        protocol="cmc-1",
        dataset="CMC-Bench",
        indicators=("topiq_fr", "topiq_nr"),
        weights_origin=RELEASED,
        consistency=3.0,
        perception=3.0,
    )
    (bench,) = board(Track.T2I_ULB, "all", Rows([result])).tables
    assert bench.key == PUBLISHED_BENCH.label
    assert bench.tag == "published and measured"
    assert bench.lines[0].model == "DiffBIR-again"
    assert bench.lines[1].source == "published"


def test_other_indicators_are_another_bench() -> None:
    results = [make_result("a"), make_result("b", indicators=("ssim", "piqe"))]
    measured = [b for b in board(Track.T2I_ULB, "all", Rows(results)).tables if b.tag == "measured"]
    assert [[line.model for line in b.lines] for b in measured] == [["a"], ["b"]]


def test_a_row_that_lacks_a_mode_comes_last_without_rank_and_says_so() -> None:
    results = [make_result("whole"), make_result("half", modes=(Mode.FULL,), consistency=0.99)]
    whole, half = only_table(Track.T2I_ULB, results, "measured", "all").lines
    assert (whole.rank, whole.lacks) == (1, "")
    assert (half.rank, half.lacks) == (None, "lacks image")
    assert "overall" not in half.values
    assert half.values["full_fr"] == pytest.approx(0.99 + 0.15)


def test_a_mode_with_pictures_that_were_not_scored_counts_as_lacking() -> None:
    results = [make_result("whole"), make_result("broken", unscored=(Mode.IMAGE,))]
    lines = only_table(Track.T2I_ULB, results, "measured", "all").lines
    broken = find(lines, "broken")
    assert (broken.rank, broken.lacks) == (None, "lacks image")
    assert "image_fr" not in broken.values
    (flag,) = broken.flags
    assert flag.text == "No score for 1 of 9 pictures in image mode: no mean and no Overall there."


def test_a_row_without_a_whole_mean_stands_where_it_ran_and_nowhere_else() -> None:
    results = [
        make_result("whole", contents=(None, Content.NSI, Content.SCI)),
        make_result("broken", contents=(None, Content.NSI), unscored=(Mode.IMAGE, Mode.FULL)),
    ]
    for content, shown in (("all", ["whole", "broken"]), ("SCI", ["whole"])):
        lines = only_table(Track.T2I_ULB, results, "measured", content).lines
        assert [line.model for line in lines] == shown
    broken = only_table(Track.T2I_ULB, results, "measured", "all").lines[1]
    assert (broken.rank, broken.lacks) == (None, "lacks full and image")


def test_i2t_for_one_content_says_that_text_scores_were_not_published_and_ranks() -> None:
    table = only_table(Track.I2T, [], "published", "NSI")
    assert table.note == (
        "Text scores were not published per content; Overall is the mean of full and pixel."
    )
    assert [line.lacks for line in table.lines] == [""] * 6
    assert table.lines[0].rank == 1


def test_an_overall_of_one_content_is_said_to_be_computed_and_the_printed_ones_are_not() -> None:
    for track in (Track.T2I_ULB, Track.T2I_ELB, Track.T2I):
        assert only_table(track, [], "published", "all").note == ""
        assert only_table(track, [], "published", "SCI").note == (
            "The paper prints no Overall of one content; those here follow from its cells."
        )


def test_published_i2t_rows_lose_their_rank_beside_complete_ones() -> None:
    result = make_result(
        "complete",
        role=Role.I2T,
        protocol="cmc-1",
        dataset="CMC-Bench",
        indicators=("topiq_fr", "topiq_nr"),
        weights_origin=RELEASED,
    )
    (table,) = board(Track.I2T, "NSI", Rows([result])).tables
    first, *others = table.lines
    assert (first.model, first.rank) == ("complete", 1)
    assert {(line.rank, line.lacks) for line in others} == {(None, "lacks text")}
    assert all("overall" not in line.values for line in others)


def test_equal_overalls_share_a_rank_and_the_next_is_skipped() -> None:
    results = [
        make_result("a", consistency=0.7),
        make_result("b", consistency=0.7),
        make_result("c", consistency=0.1),
    ]
    lines = only_table(Track.T2I_ULB, results, "measured", "all").lines
    assert [(line.model, line.rank) for line in lines] == [("a", 1), ("b", 1), ("c", 3)]


def test_values_are_those_of_the_boards_for_each_content() -> None:
    results = make_store()
    for name, content in CONTENTS.items():
        for row in result_rows(results, Track.T2I_ELB, content):
            lines = only_table(Track.T2I_ELB, results, content=name).lines
            line = find(lines, row.model)
            assert line.values["overall"] == row.overall
            assert line.values["text_fr"] == row.indicators["text_fr"]
            assert line.values["text_rate"] == row.bits_per_pixel[Mode.TEXT]


def test_a_content_without_scores_has_no_lines() -> None:
    result = make_result(contents=(None, Content.NSI))
    tables = [only_table(Track.T2I_ULB, [result], content=name) for name in CONTENTS]
    assert [len(table.lines) for table in tables] == [1, 1, 0, 0]


def test_rate_and_request_columns_stand_only_where_there_are_any() -> None:
    measured, published = board(Track.T2I_ULB, "all", Rows([make_result()])).tables
    assert [column.key for column in published.columns if column.shown] == (
        ["rank", "model", "overall", "source", "full_fr", "full_nr", "image_fr", "image_nr"]
    )
    assert {"full_rate", "image_rate", "request"} <= {column.key for column in measured.columns}


def test_bench_says_which_indicators_made_its_numbers() -> None:
    measured, published = board(Track.T2I_ULB, "all", Rows([make_result()])).tables
    assert "consistency is ms_ssim, perception is piqe" in measured.about
    assert "All runs: captions by gpt4v.csv." in measured.about
    assert "TOPIQ" in published.about


def test_codecs_stand_on_their_own_board_by_name_and_quality() -> None:
    (bench,) = board(Track.CODEC, "all", Rows(make_store())).tables
    assert bench.lines[0].model == "VVC QP 43"
    assert len(bench.lines) == 9


def test_codec_board_has_no_weighting_and_no_leader() -> None:
    table = only_table(Track.CODEC, make_store())
    assert table.leads == ()
    assert table.verdict.lead.startswith("Codecs spend different rates")


def test_board_is_plain_json_without_nan() -> None:
    for track in TRACKS_SHOWN:
        record = board_record(board(track, "all", Rows(make_store())))
        text = json.dumps(record, allow_nan=False)
        assert json.loads(text)["track"] == track


def test_cells_of_every_column_are_those_of_the_lines() -> None:
    shown = board(Track.T2I_ULB, "all", Rows(make_store()))
    for table, record in zip(shown.tables, board_record(shown)["tables"], strict=True):
        cells = record["cells"]
        assert {len(values) for values in cells.values()} == {record["count"]}
        assert {column["key"] for column in record["columns"]} <= set(cells)
        for key in ("rank", "model", "source", "lacks"):
            assert cells[key] == [getattr(line, key) for line in table.lines]
        assert cells["overall"] == [line.values.get("overall") for line in table.lines]


def test_two_mode_systems_stand_unranked_on_the_board_of_all_modes() -> None:
    lines = only_table(Track.T2I, [], "published").lines
    assert [line.rank for line in lines] == [*range(1, 9), None, None, None, None]
    diffbir = find(lines, "DiffBIR")
    assert diffbir.lacks == "lacks pixel and text"
    assert "overall" not in diffbir.values


def test_published_verdict_names_leader_and_lead_and_claims_no_certainty() -> None:
    table = only_table(Track.T2I_ULB, [], "published")
    assert table.verdict == Verdict(
        "DiffBIR leads by 0.152 before PASD.",
        "Scores by image were not published, so whether this lead is more than chance is not "
        "known.",
    )


@pytest.mark.parametrize(
    ("models", "lead"),
    [
        ("a", "a is the only ranked row."),
        ("ab", "a and b share the lead."),
        ("abc", "a, b and c share the lead."),
        ("abcd", "a, b and 2 others share the lead."),
    ],
)
def test_all_that_share_the_lead_are_named_or_counted(models: str, lead: str) -> None:
    rows = [make_result(model) for model in models]
    # One that follows them shares nothing.
    behind = [make_result("z", consistency=0.1)] if len(models) > 1 else []
    assert only_table(Track.T2I_ULB, [*rows, *behind]).verdict == Verdict(lead)


def test_a_name_with_a_full_stop_in_it_does_not_end_the_sentence() -> None:
    rows = [make_result("a. b"), make_result("c", consistency=0.4)]
    found = only_table(Track.T2I_ULB, rows).verdict
    assert found.lead.startswith("a. b leads by 0.0")
    assert found.lead.endswith(" before c.")
    assert found.doubt.startswith("No statistics are stored")


def test_leads_say_where_the_paper_s_two_weightings_part() -> None:
    first, second = only_table(Track.T2I_ULB, [], "published").leads
    assert (first.model, second.model) == ("PG25", "DiffBIR")
    assert 1 / 2 - 0.03 < first.weight_high < 1 / 2


def test_facts_of_published_rows_come_from_the_registry() -> None:
    line = find(only_table(Track.T2I_ULB, [], "published").lines, "SSD-1B")
    assert (line.values["licence"], line.values["open_weights"]) == ("Apache-2.0", True)
    assert (
        find(only_table(Track.I2T, [], "published").lines, "GPT-4o").values["open_weights"] is False
    )


def test_bits_by_part_and_seconds_are_columns_where_they_were_measured() -> None:
    table = only_table(Track.T2I_ULB, [make_result()])
    keys = {column.key for column in table.columns}
    assert {"full_text_bits", "full_encode_seconds", "full_decode_seconds", "full_ratio"} <= keys
    assert "full_image_bits" not in keys
    assert table.lines[0].values["full_text_bits"] == 800.0
