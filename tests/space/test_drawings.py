"""Figures show the rows they are given, and names stay names."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from make_evidence import scored_by
from make_results import make_codec, make_result, make_store

from protocol.boards import PUBLISHED_BENCH, Row, bench_of
from protocol.evidence import Evidence
from protocol.ranks import ranked_rows
from protocol.records import Result
from protocol.rules import Content, Mode, Track
from space.board_figures import board_figures
from space.drawings import labels
from space.drawings.labels import MOST_NAMED, place_labels
from space.drawings.pareto import Point, pareto_figure
from space.drawings.plane import plane_figure
from space.drawings.radar import radar_figure
from space.drawings.rate import rate_figure
from space.drawings.style import LEAST_AXIS, LEVEL, log_axis, short
from space.drawings.tables import Bar, seconds_figure
from space.published_figures import published_figures
from space.rows import Rows

ROOT = Path(__file__).parents[2]


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
    assert points["hovertext"][0].startswith("<b>DiffBIR</b><br>Overall 2.6465")


@pytest.mark.parametrize("places", [[(0.5, 0.4)], [(0.5, 0.4), (0.6, 0.2)]])
def test_rows_of_one_overall_have_level_lines_around_them(places: list[tuple[float, ...]]) -> None:
    rows = [make_result(f"{fr}", consistency=fr, perception=nr) for fr, nr in places]
    shown = ranked_rows(Rows(rows).by_bench(Track.T2I_ULB, None)[bench_of(rows[0])])
    *lines, _ = json.loads(str(plane_figure(Track.T2I_ULB, shown).to_json()))["data"]
    levels = {float(line["text"][0].removeprefix("Overall ")) for line in lines}
    assert 2 <= len(levels) == len(lines) <= 8
    assert max(abs(level - (shown[0].overall or 0.0)) for level in levels) < 0.1


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


def test_over_the_rate_sixty_systems_are_named_and_the_rest_are_points_of_one_name() -> None:
    results = [make_result(f"decoder {at}", consistency=0.9 - at / 1000) for at in range(200)]
    drawing = draw(Track.T2I_ULB, results)
    assert len(named(drawing, "decoder 59")) == 2
    assert named(drawing, "decoder 60") == []
    rest, _ = named(drawing, "140 more")
    assert len(rest["x"]) == 140 * len([Mode.FULL, Mode.IMAGE])
    assert drawing["layout"]["height"] < 150 + 22 * (MOST_NAMED + 5)
    abouts = [one.entry.about for one in board_figures(Rows(results)) if one.entry.kind == "rate"]
    assert abouts
    assert all(about.endswith("60 are named, the pointer names the rest.") for about in abouts)
    (radar, *_) = (one for one in board_figures(Rows(results)) if one.entry.kind == "radar")
    assert radar.entry.about.endswith("At most the 12 best are drawn.")


def test_further_indicators_stand_over_the_rate_where_rows_were_scored_by_them() -> None:
    results = [make_result("a"), make_result("b")]
    scored = [scored_by(results[0], name, (None,)) for name in ("lpips", "psnr", "ssim")]
    scored += [scored_by(results[1], "legibility", (Content.SCI,))]
    shown = board_figures(Rows(results, evidence=Evidence(secondary=tuple(scored))))
    (figure,) = (f for f in shown if f.entry.key.startswith("rate-further-t2i-ulb"))
    # Its own words come first: the list of figures cuts long names.
    assert figure.entry.of.startswith("Further indicators, T2I")
    assert figure.draw is not None
    drawing = json.loads(str(figure.draw().to_json()))
    axes = [drawing["layout"][f"yaxis{at}"]["title"]["text"] for at in ("", "2", "3")]
    assert axes == ["lpips", "psnr", "ssim"]
    assert "yaxis4" not in drawing["layout"]
    # Drawn is what has a mean over all contents; the numbers are its points, in the board's modes.
    (points, *_) = named(drawing, "a")
    (line,) = figure.numbers
    assert (points["x"], points["y"]) == ([line["full_bpp"]], [line["full_lpips"]])
    assert not [key for key in line if key.startswith(("text_", "pixel_"))]
    assert named(drawing, "b") == []
    everything = board_figures(Rows(results))
    assert not [one for one in everything if one.entry.key.startswith("rate-further")]


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


def test_of_many_names_each_is_held_against_those_around_it_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held: list[int] = []
    cost = labels._cost

    def counted(box: labels._Box, taken: Sequence[labels._Box]) -> float:
        held.append(len(taken))
        return cost(box, taken)

    monkeypatch.setattr(labels, "_cost", counted)
    place_labels([(x, y) for x in range(20) for y in range(20)], [2] * 400)
    assert max(held) < 80


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


def test_no_name_is_struck_through_by_the_line_of_those_that_are_not_beaten() -> None:
    points = [Point("cheap", 1.0, 0.2), Point("middle", 10.0, 0.5), Point("dear", 100.0, 0.6)]
    (front, _) = json.loads(str(pareto_figure(points, "seconds").to_json()))["data"]
    # From each the line goes right, and comes into the next from below.
    assert front["textposition"] == ["top right", "top right", "middle right"]


def test_who_costs_as_much_and_scores_less_is_beaten_but_not_on_both() -> None:
    points = [Point("good", 3, 2), Point("poor", 3, 1)]
    front, beaten = json.loads(pareto_figure(points, "bits per pixel").to_json())["data"]
    assert (front["text"], beaten["text"]) == (["good"], ["poor"])
    assert (front["name"], beaten["name"]) == ("not beaten", "beaten")


def test_the_paper_s_costs_have_the_overall_that_its_table_prints() -> None:
    (costs,) = (one for one in published_figures() if one.entry.kind == "pareto")
    assert costs.numbers[0] == {"model": "RealVis", "seconds to decode": 5.48, "overall": 2.331}


def test_a_group_of_bars_has_one_colour_whichever_is_the_fastest() -> None:
    colours = []
    for fast, slow in (("decode", "encode"), ("encode", "decode")):
        drawing = seconds_figure("", [Bar(fast, "fast", 1.0), Bar(slow, "slow", 9.0)])
        traces = json.loads(str(drawing.to_json()))["data"]
        colours.append({trace["name"]: trace["marker"]["color"] for trace in traces})
    assert colours[0] == colours[1]


def test_marks_that_turn_the_direction_turn_the_name_alone_and_endless_names_end() -> None:
    results = [make_result("safe\u202egnp.exe"), make_result("x" * 10_000)]
    traces = draw(Track.T2I_ULB, results)["data"]
    names = [trace["hovertext"][0] for trace in traces if trace.get("hovertext")]
    assert any("\u2068safe\u202egnp.exe\u2069" in name for name in names)
    assert all(len(name) < 300 for name in names)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((0.0361, 0.0428), ["0.036", "0.038", "0.04", "0.042"]),
        ((0.4, 3.4), ["0.5", "0.7", "1", "2", "3", "4"]),
        ((1e-5, 10.0), ["1e-05", "0.001", "0.1", "1", "10"]),
        ((2.0, 2.0), ["1.96", "1.98", "2", "2.02", "2.04"]),
    ],
)
def test_a_logarithmic_axis_has_round_ticks_for_any_range_and_writes_them_out(
    values: tuple[float, float], texts: list[str]
) -> None:
    axis = log_axis(values, "seconds")
    assert axis["ticktext"] == texts
    low, high = (10**end for end in axis["range"])
    assert low < min(values)
    assert max(values) < high


@pytest.mark.parametrize("values", [(0.066, 0.146), (0.0031, 0.0272), (0.09, 0.1), (1e-5, 10.0)])
def test_texts_of_ticks_have_room_in_the_narrowest_figure(values: tuple[float, float]) -> None:
    axis = log_axis(values, "bits per pixel", lambda tick: f"{24 / tick:,.0f}:1")
    low, high = axis["range"]
    places = [(math.log10(tick) - low) / (high - low) * LEAST_AXIS for tick in axis["tickvals"]]
    texts = [re.sub("<br>|</?i>", " ", text).split() for text in axis["ticktext"]]
    # A digit is 7 pixels wide at most.
    halves = [3.5 * max(map(len, lines)) for lines in texts]
    ends = list(zip(places, halves, strict=True))
    assert len(ends) >= 3
    assert all(a + half <= b - other for (a, half), (b, other) in pairwise(ends))


def test_a_level_line_is_faint_and_its_name_is_not() -> None:
    lines = draw(Track.T2I_ULB, [])["data"][:-1]
    assert all("opacity" not in line and "color" not in line["textfont"] for line in lines)
    assert {line["line"]["color"] for line in lines} == {LEVEL}


def test_long_names_are_told_apart_by_their_ends() -> None:
    names = [short(f"tiny-sd-random-weights (steps {count})") for count in (4, 20)]
    assert names == ["tiny-sd-random…hts (steps 4)", "tiny-sd-random…ts (steps 20)"]
    assert all(len(name) == 28 for name in names)
    assert short("echo") == "echo"


def test_names_in_a_pareto_figure_stay_inside_it() -> None:
    points = [Point("a-cheap-system-with-a-name", 0.1, 1.0), Point("a-dear-one-with-a-name", 9, 2)]
    traces = json.loads(pareto_figure(points, "seconds").to_json())["data"]
    assert traces[0]["textposition"] == ["top right", "middle left"]
    assert traces[0]["cliponaxis"] is False


def test_of_very_many_points_the_first_are_named_and_all_are_drawn() -> None:
    points = [Point(f"system-{at}", 1 + at % 7, 500.0 - at) for at in range(500)]
    traces = json.loads(str(pareto_figure(points, "seconds").to_json()))["data"]
    named = {text for trace in traces for text in trace["text"] if text}
    assert named == {f"system-{at}" for at in range(MOST_NAMED)}
    assert sum(len(trace["x"]) for trace in traces) == 500
    places = [(point.cost, point.overall) for point in points]
    assert len(place_labels(places, [9] * 500)) == 500


def test_a_figure_is_drawn_while_another_thread_loads_pandas() -> None:
    code = """if True:
        import sys, threading, plotly.graph_objects
        from space.figure_files import figure_makers
        from space.rows import Rows
        makers = figure_makers(Rows())
        (path,) = [path for path in makers if "pareto" in path and path.endswith(".json")]
        assert "pandas" not in sys.modules
        threading.Thread(target=__import__, args=("pandas",), daemon=True).start()
        while "pandas" not in sys.modules:
            pass
        print(len(makers[path]()))
    """
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 1000
