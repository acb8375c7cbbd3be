"""Figures show the rows they are given, and names stay names."""

import json
from typing import Any

from make_results import make_codec, make_result, make_store

from protocol.boards import PUBLISHED_BENCH, Row, bench_of
from protocol.records import Result
from protocol.rules import Mode, Track
from space.drawings.labels import place_labels
from space.drawings.pareto import Point, pareto_figure
from space.drawings.plane import plane_figure
from space.drawings.radar import radar_figure
from space.drawings.rate import rate_figure
from space.rows import Rows
from space.table import ranked_rows


def draw(track: Track, results: list[Result]) -> dict[str, Any]:
    bench = bench_of(results[0]) if results else PUBLISHED_BENCH

    def rows(of: Track) -> list[Row]:
        return Rows(results).by_bench(of, None).get(bench, [])

    if results:
        drawing = rate_figure(rows(track), rows(Track.CODEC))
    else:
        drawing = plane_figure(track, ranked_rows(rows(track)))
    plain: dict[str, Any] = json.loads(drawing.to_json())
    return plain


def named(drawing: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [trace for trace in drawing["data"] if trace.get("name") == name]


def test_published_rows_stand_in_the_plane_of_perception_and_consistency() -> None:
    drawing = draw(Track.T2I_ULB, [])
    points = drawing["data"][-1]
    assert drawing["layout"]["xaxis"]["title"]["text"] == "mean consistency"
    assert len(points["text"]) == 12
    assert points["text"][0] == "DiffBIR"
    assert points["hovertext"][0].startswith("<b>DiffBIR</b><br>Overall 2.6464")


def test_measured_rows_stand_over_the_rate_in_two_panels_with_codecs_as_lines() -> None:
    drawing = draw(Track.T2I_ELB, make_store())
    assert {trace["xaxis"] for trace in named(drawing, "VVC")} == {"x", "x2"}
    vvc = named(drawing, "VVC")[0]
    assert vvc["x"] == [0.024, 0.05, 0.101]
    assert vvc["mode"] == "lines+markers"
    tiny = named(drawing, "tiny-sd-random-weights")[0]
    assert tiny["mode"] == "markers"
    assert tiny["marker"]["symbol"] == ["cross", "diamond"]
    assert drawing["layout"]["xaxis"]["type"] == drawing["layout"]["xaxis2"]["type"] == "log"


def test_ticks_say_the_rate_and_the_compression_ratio() -> None:
    ticks = draw(Track.T2I_ELB, make_store())["layout"]["xaxis"]["ticktext"]
    assert "0.01<br><i>2,400:1</i>" in ticks


def test_codec_board_draws_codecs_alone() -> None:
    drawing = draw(Track.CODEC, make_store())
    assert {trace["name"] for trace in drawing["data"]} == {"AVC", "HEVC", "VVC"}


def test_two_codec_points_at_the_same_place_can_be_drawn() -> None:
    twice = [make_codec("vvc", qp, bpp=0.02, consistency=0.5, perception=0.2) for qp in (50, 53)]
    assert named(draw(Track.CODEC, twice), "VVC")[0]["x"] == [0.02, 0.02]


def test_a_name_with_tags_is_escaped_everywhere() -> None:
    text = json.dumps(draw(Track.T2I_ULB, [make_result("<a href=//x>b</a>")]))
    assert "<a href" not in text
    assert "&lt;a href" in text


def test_a_system_that_lacks_a_mode_is_drawn_where_it_has_one() -> None:
    drawing = draw(Track.T2I_ULB, [make_result("half", modes=(Mode.FULL,))])
    assert named(drawing, "half")[0]["marker"]["symbol"] == ["circle"]


def test_labels_of_neighbours_go_to_different_sides() -> None:
    places = [(0.0, 0.0), (1.0, 1.0), (1.001, 1.0)]
    left, right = place_labels(places, [3, 8, 8])[1:]
    assert left != right


def test_radar_closes_every_polygon_and_leaves_out_who_lacks_a_score() -> None:
    rows = Rows().by_bench(Track.T2I, None)[PUBLISHED_BENCH]
    traces = json.loads(radar_figure(Track.T2I, rows).to_json())["data"]
    assert len(traces) == 8
    assert all(len(t["theta"]) == 9 and t["theta"][0] == t["theta"][-1] for t in traces)


def test_pareto_front_holds_who_is_beaten_by_nobody_on_both() -> None:
    points = [Point("fast", 1, 1), Point("good", 9, 3), Point("poor", 9.5, 2)]
    front, beaten = json.loads(pareto_figure(points, "seconds").to_json())["data"]
    assert front["text"] == ["fast", "good"]
    assert beaten["text"] == ["poor"]


def test_marks_that_turn_the_direction_turn_the_name_alone_and_endless_names_end() -> None:
    results = [make_result("safe\u202egnp.exe"), make_result("x" * 10_000)]
    traces = draw(Track.T2I_ULB, results)["data"]
    names = [trace["hovertext"][0] for trace in traces if trace.get("hovertext")]
    assert any("\u2068safe\u202egnp.exe\u2069" in name for name in names)
    assert all(len(name) < 300 for name in names)
