"""The matrix of pairs, and the comparisons of two runs."""

import json
from dataclasses import replace

from list_source import ListSource
from make_results import make_codec, make_result

from protocol.boards import bench_of, published_rows
from protocol.published import PUBLISHED_CAPTIONER
from protocol.rules import Content, Dimension, Mode, Track
from protocol.statistics.boards import ImageScores, board_statistics, track_cells
from space.pairs import pair_lines, pair_tables
from space.rows import Rows
from space.site import build_site
from space.snapshot import read_snapshot


def test_pairs_of_the_paper_are_one_row_and_one_column() -> None:
    (table,) = [t for t in pair_tables([]) if t.content == "all"]
    assert None not in table.values["full_fr"]
    captioner, painter = table.i2t.index("GPT-4o"), table.t2i.index("RealVis")
    assert {column for row, column in table.places if row == captioner} == {*range(12)}
    assert {row for row, column in table.places if column == painter} == {*range(6)}
    assert len(table.places) == len(table.values["full_fr"]) == 12 + 6 - 1


def test_a_published_pair_has_the_overall_that_was_printed() -> None:
    printed = {
        row.model: row.overall for row in published_rows(Track.T2I, None) if not row.missing_modes
    }
    overalls = {
        line["t2i"]: line["overall_t2i"]
        for line in pair_lines(pair_tables([]))
        if (line["content"], line["i2t"]) == ("all", PUBLISHED_CAPTIONER)
    }
    # From the means it would be 2.3154.
    assert overalls["RealVis"] == 2.3155
    assert {model: overalls[model] for model in printed} == printed


def test_pairs_that_were_not_run_take_no_room() -> None:
    results = [
        replace(made, request=replace(made.request, i2t=replace(made.request.i2t, model=f"i{n}")))
        for n in range(30)
        if (made := make_result(f"t{n}")).request.i2t
    ]
    table = pair_tables(results)[0]
    assert (len(table.i2t), len(table.t2i)) == (30, 30)
    assert table.places == tuple((n, n) for n in range(30))
    assert {len(values) for values in table.values.values()} == {30}


def test_two_revisions_of_a_model_are_two_columns_of_the_pairs() -> None:
    first, other = make_result("painter", consistency=0.3), make_result("echo")
    t2i = first.request.t2i
    assert t2i
    newer = replace(
        make_result("painter", consistency=0.8),
        request=replace(first.request, t2i=replace(t2i, revision="b" * 40)),
    )
    (table,) = (t for t in pair_tables([first, newer, other]) if t.content == "all" and not t.about)
    assert table.t2i == ("painter [aaaaaaaa]", "painter [bbbbbbbb]", "echo")
    older_score, newer_score, _ = table.values["full_fr"]
    assert older_score is not None
    assert newer_score is not None
    assert newer_score > older_score


def test_a_matrix_of_a_content_holds_its_scores_and_there_is_none_without_a_picture_of_it() -> None:
    screens = make_result("echo", contents=(None, Content.SCI))
    (score,) = (
        one.mean
        for one in screens.scores
        if (one.content, one.mode, one.dimension) == (Content.SCI, Mode.FULL, Dimension.FR)
    )
    measured = {table.content: table for table in pair_tables([screens]) if not table.about}
    assert sorted(measured) == ["SCI", "all"]
    assert measured["SCI"].values["full_fr"] == (score,)


def test_a_pair_has_no_measure_that_was_not_scored_and_is_not_there_if_an_audit_differs() -> None:
    kept = make_result("echo", unscored=(Mode.TEXT,))
    full = make_result("only-full", modes=(Mode.FULL,))
    contradicted = replace(make_result("claimed", source="self-reported"), audit="means are off")
    codec = make_codec("vvc", 53, bpp=0.02, consistency=0.6, perception=0.2)
    (table,) = (
        table
        for table in pair_tables([contradicted, codec, kept, full])
        if table.content == "all" and not table.about
    )
    assert table.t2i == ("echo", "only-full")
    keys = {measure.key for measure in table.measures}
    assert not {"text_fr", "text_nr", "overall_t2i"} & keys
    assert [value is None for value in table.values["pixel_nr"]] == [False, True]
    assert None not in table.values["full_fr"]


def test_a_track_of_codecs_is_there_where_any_result_is_of_one() -> None:
    painter = make_result("echo")
    codec = make_codec("vvc", 53, bpp=0.02, consistency=0.6, perception=0.2)
    assert not Rows([painter]).has(Track.CODEC)
    assert Rows([painter, codec]).has(Track.CODEC)


def test_who_compares_two_runs_reads_the_pairs_of_one_and_not_those_of_all() -> None:
    results = [make_result(name) for name in ("one", "two", "three")]
    systems = [
        ImageScores(
            request_id=result.request.request_id,
            model="",
            partner="",
            per_image_sha256=result.per_image_sha256,
            scores={
                cell: {f"NSI_made_00{image}.png": place + image % 3 for image in range(4)}
                for cell in track_cells(Track.T2I)
            },
        )
        for place, result in enumerate(results)
    ]
    label = bench_of(results[0]).label
    stored = board_statistics(systems, Track.T2I, label, resamples=50)
    source = ListSource([*results, make_result("of-another-board", protocol="demo-1")])
    snapshot = replace(read_snapshot(source, "now"), statistics=(stored,))
    site = build_site(snapshot, Rows.of(snapshot), source)
    first, *others = (result.request.request_id for result in results)
    (found,) = json.loads(site.read(f"data/comparisons/{first}.json"))
    assert (found["track"], found["bench"], found["content"]) == ("t2i", label, None)
    assert [{one["first"], one["second"]} for one in found["comparisons"]] == [
        {first, other} for other in reversed(others)
    ]
    (whole,) = json.loads(site.read("data/statistics.json"))
    assert all(one in whole["comparisons"] for one in found["comparisons"])
    last = source.content[-1].request.request_id
    assert json.loads(site.read(f"data/comparisons/{last}.json")) == []
