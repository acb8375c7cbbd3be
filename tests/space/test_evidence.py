"""What lies beside the results reaches the page: kept, read, drawn, and flagged on the rows."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from make_evidence import (
    IMAGES,
    STRATA,
    make_ablation,
    make_controls,
    make_correlations,
    make_evidence,
    make_study,
)
from make_results import make_codec, make_result, make_store

from protocol.ablations import Repeated
from protocol.boards import bench_of
from protocol.evidence import Evidence, current_evidence
from protocol.families import family_of_system
from protocol.records import Result, RunReport
from protocol.rules import Content, Mode, Role, Track
from protocol.statistics.components import separate
from protocol.statistics.records import BoardStatistics, RowStatistics
from space.drawings.sweep import sweep_figure
from space.drawings.tables import measured_correlation_figure, quality_figure
from space.evidence_figures import evidence_figures
from space.figure_files import all_figures, figure_makers
from space.flags import row_flags
from space.rows import Rows
from space.table import board, cells
from submission.beside import FolderBeside
from submission.evidence import put_evidence, read_evidence

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


def keep_all(beside: FolderBeside, evidence: Evidence) -> None:
    for pieces in (
        evidence.effects,
        evidence.ablations,
        evidence.controls,
        evidence.studies,
        evidence.correlations,
    ):
        for piece in pieces:
            put_evidence(beside, piece)


def test_what_is_kept_is_read_again_and_the_same_again_takes_its_own_place(tmp_path: Path) -> None:
    beside = FolderBeside(tmp_path)
    evidence = make_evidence(make_store())
    keep_all(beside, evidence)
    before = beside.revision()
    found = read_evidence(beside)
    assert sorted(one.plan.name for one in found.ablations) == ["of-strength", "of-vvc_qp"]
    assert replace(found, ablations=()) == replace(evidence, ablations=())
    put_evidence(beside, replace(evidence.studies[0], images=7))
    assert [study.images for study in read_evidence(beside).studies] == [7]
    assert beside.revision() != before


def test_a_piece_of_another_form_is_as_good_as_absent(tmp_path: Path) -> None:
    beside = FolderBeside(tmp_path)
    place = put_evidence(beside, make_study("mine"))
    (tmp_path / place / "studies.json").write_text('{"form": "of tomorrow"}')
    assert read_evidence(beside) == Evidence()


def test_effects_of_other_results_than_are_shown_are_left_out() -> None:
    results = make_store()
    evidence = make_evidence(results)
    assert current_evidence(evidence, results).effects == evidence.effects
    assert current_evidence(evidence, [*results, make_result("one more")]).effects == ()


def test_a_study_numbers_its_viewers_by_mean_and_says_who_was_removed() -> None:
    study = make_study("mine")
    means = [viewer.mean for viewer in study.viewers]
    assert means == sorted(means)
    assert [viewer.number for viewer in study.viewers] == [1, 2, 3, 4, 5, 6]
    assert sum(not viewer.is_used for viewer in study.viewers) == 1
    assert all(sum(viewer.counts) == 40 for viewer in study.viewers)


def test_every_kind_of_figure_is_drawn_from_what_there_is_or_says_what_it_would_be() -> None:
    results = make_store()
    published = all_figures(Rows())
    measured = all_figures(Rows(results, evidence=make_evidence(results)))
    drawn = {one.entry.kind for one in published if one.draw}
    assert drawn == {"plane", "radar", "pareto", "quality", "prompt", "correlation", "complexity"}
    empty = {one.entry.kind: one.entry.about for one in published if not one.draw}
    measured_only = {"rate", "bd-rate", "size", "money", "effects", "strength", "repeats"}
    assert {*empty} == {*measured_only, "opinions", "viewers"}
    assert all("cmc mos" in empty[kind] for kind in ("opinions", "viewers"))
    kinds = [one.entry.kind for one in measured if one.draw]
    assert {*kinds} >= {"effects", "strength", "opinions", "viewers", "rate", "size"}
    assert kinds.count("correlation") == kinds.count("complexity") == kinds.count("quality") == 2


def test_the_paper_s_points_have_their_line_s_colour_and_every_qp_of_table_a1_a_tick() -> None:
    point = make_ablation("vvc_qp", "s").points[0]
    both = (point, replace(point, system="vvc", mode=Mode.IMAGE))
    drawing = sweep_figure(replace(make_ablation("vvc_qp", "s"), points=both))
    lines = {one["name"]: one["line"] for one in json.loads(str(drawing.to_json()))["data"]}
    assert lines["full mode"]["color"] == lines["full mode, paper"]["color"]
    assert lines["vvc"]["color"] == lines["vvc, paper"]["color"] != lines["full mode"]["color"]
    layout = json.loads(str(quality_figure().to_json()))["layout"]
    # As the sweep has it: fewer bits at the left.
    assert layout["xaxis8"]["tickvals"] == [53, 51, 48, 45]
    assert layout["xaxis8"]["autorange"] == "reversed"


def test_a_value_that_has_no_score_keeps_its_place_in_the_figure_of_what_was_varied() -> None:
    ablation = make_ablation("strength", "s")
    first, *others = ablation.points
    points = (replace(first, means={"lpips": None, "ssim": None}), *others)
    drawing = sweep_figure(replace(ablation, points=points))
    of_sets, measured, paper, unscored = json.loads(str(drawing.to_json()))["data"]
    assert {(*one["x"],) for one in (of_sets, measured, paper, unscored)} == {ablation.plan.values}
    assert [value is None for value in measured["y"]] == [True, False, False]
    assert measured["error_y"]["array"][0] is None
    assert unscored["y"] == [None, None, None]


def test_a_measured_correlation_names_the_dimension_in_the_paper_s_words() -> None:
    drawing = measured_correlation_figure(make_correlations("mine").rows)
    layout = json.loads(str(drawing.to_json()))["layout"]
    assert layout["yaxis"]["ticktext"] == ["lpips (consistency)"]


def test_opinions_are_drawn_as_bars_of_a_quarter_point_and_as_a_box_a_folder() -> None:
    study = make_study("mine")
    bars, boxes = (
        one for one in evidence_figures(Evidence(studies=(study,))) if one.entry.kind == "opinions"
    )
    assert bars.draw is not None
    assert boxes.draw is not None
    (trace,) = json.loads(str(bars.draw().to_json()))["data"]
    assert [line["images"] for line in bars.numbers] == trace["y"]
    assert sum(trace["y"]) == 40
    # The bar of 2.25 to 2.5 stands between them.
    assert trace["x"][9] == 2.375
    assert (bars.numbers[9]["from"], bars.numbers[9]["to"]) == (2.25, 2.5)
    (trace,) = json.loads(str(boxes.draw().to_json()))["data"]
    # The best is the last, on top, and the first of the numbers.
    assert [line["mean"] for line in boxes.numbers] == sorted(trace["mean"], reverse=True)
    assert [line["median"] for line in boxes.numbers][::-1] == trace["median"]
    # A bar may hold more than its ends say, and only then that is told.
    assert "off the scale" not in bars.entry.about
    beyond = tuple(replace(one, high=5.1) for one in study.opinions)
    bars, _ = evidence_figures(Evidence(studies=(replace(study, opinions=beyond, viewers=()),)))
    assert bars.entry.about.endswith("off the scale are in the outermost bars.")


def test_a_figures_numbers_are_files_for_spreadsheets_and_for_programs() -> None:
    import io

    import pyarrow.parquet as pq

    results = make_store()
    makers = figure_makers(Rows(results, evidence=make_evidence(results)))
    (key,) = (path for path in makers if path.startswith("data/figures/effects") and "json" in path)
    stem = key.removesuffix(".json")
    rows = json.loads(makers[key]())["rows"]
    assert pq.read_table(io.BytesIO(makers[f"{stem}.parquet"]())).to_pylist() == rows
    assert makers[f"{stem}.csv"]().decode().splitlines()[0] == "part,name,effect,low,high"


def test_what_a_picture_cost_is_in_the_figures_numbers_of_the_rows_that_have_it() -> None:
    priced = [
        replace(make_result(name, consistency=level), run=RunReport(cost=cost))
        for name, level, cost in (("dear", 0.5, 18.0), ("cheap", 0.4, 3.6))
    ]
    figures = all_figures(Rows([*priced, make_result("unpriced", consistency=0.3)]))
    drawn = next(one for one in figures if one.entry.kind == "money" and one.draw)
    costs = {line["model"]: line["cost of a picture"] for line in drawn.numbers}
    # 9 pictures in 4 modes.
    assert costs == {"dear": 0.5, "cheap": 0.1}


def test_every_point_of_a_boards_figures_is_among_their_numbers() -> None:
    codecs = [
        make_codec("vvc", qp, bpp=qp / 1000, consistency=0.9 - qp / 100, perception=0.2)
        for qp in (39, 53)
    ]
    figures = all_figures(Rows([make_result("a", consistency=0.3), make_result("b"), *codecs]))
    for kind, axes in (
        ("plane", ("mean_fr", "mean_nr")),
        ("rate", ("image_bpp", "image_fr")),
        ("size", ("bits per pixel", "overall")),
    ):
        drawn = next(f for f in figures if f.entry.kind == kind and f.entry.of.startswith("T2I"))
        assert drawn.draw is not None
        traces = json.loads(str(drawn.draw().to_json()))["data"]
        points = {
            point
            for trace in traces
            if "markers" in trace["mode"] and trace.get("xaxis", "x") == "x"
            for point in zip(trace["x"], trace["y"], strict=True)
        }
        known = {(line.get(axes[0]), line.get(axes[1])) for line in drawn.numbers}
        if kind == "rate":
            known |= {(line.get("full_bpp"), line.get("full_fr")) for line in drawn.numbers}
        assert points - {(None, None)} <= known, kind


def test_repeated_decodings_say_what_the_seed_and_what_the_choice_of_images_does() -> None:
    scores = np.random.default_rng(0).normal(0.5, 0.1, (3, IMAGES))
    parts = separate(scores, STRATA, resamples=200)
    found = replace(
        make_ablation("seed", "painter"),
        repeated=(Repeated(mode=Mode.FULL, indicator="lpips", components=parts),),
    )
    (drawn,) = evidence_figures(Evidence(ablations=(found,)))
    assert drawn.entry.kind == "repeats"
    assert (
        f"lpips in full mode {parts.standard_error_seed:.4f} and {parts.standard_error_image:.4f}."
    ) in drawn.entry.about
    lines = {line["indicator"]: line for line in drawn.numbers}
    assert lines["lpips"]["error_from_seed"] == parts.standard_error_seed
    assert "error_from_seed" not in lines["ssim"]


def family_statistics(result: Result, count: int) -> BoardStatistics:
    row = RowStatistics(
        request_id=result.request.request_id,
        model="",
        partner="",
        per_image_sha256="",
        cells={},
        not_scored={},
        overall=None,
        standing=None,
        own_family=count,
    )
    return BoardStatistics(
        schema_version=1,
        track=Track.T2I_ULB,
        bench="",
        content=None,
        images=9,
        images_per_content={Content.AIGI: 3},
        resamples=0,
        seed=0,
        level=0.95,
        rows=(row,),
        comparisons=(),
        leads=(),
    )


def test_a_row_says_that_its_decoders_family_made_pictures_and_that_its_score_is_disputed() -> None:
    result, other = make_result(SDXL), make_result("other")
    assert family_of_system(result.request.t2i) == "SDXL"
    # What is counted over one content says nothing of all pictures.
    natural = replace(family_statistics(result, 0), content=Content.NSI)
    statistics = [family_statistics(result, 2), natural]
    evidence = Evidence(controls=(replace(make_controls(other, "other"), own_family=()),))
    flags = row_flags([result, other], statistics, evidence)
    (own,) = flags[result.request.request_id]
    assert own.text.startswith("2 of the AI-generated pictures were made by a model of")
    (dispute,) = flags[other.request.request_id]
    assert "ms_ssim, which ranks here, puts the system above the control 'blur'" in dispute.text
    assert "ssim puts the system below it" in dispute.text
    (table,) = board(
        Track.T2I_ULB, "all", Rows([result, other], statistics, None, evidence)
    ).tables[:1]
    assert sorted(cells(table)["flags"], key=str) == ["disputed score", "own pictures"]


def test_a_dispute_says_how_many_more_comparisons_say_so_where_any_do() -> None:
    result = make_result("other")
    found = replace(make_controls(result, "other"), own_family=())
    texts = []
    for times in (1, 3):
        evidence = Evidence(controls=(replace(found, flags=found.flags[:1] * times),))
        ((flag,),) = row_flags([result], (), evidence).values()
        texts.append(flag.text)
    assert "more comparisons" not in texts[0]
    assert texts[1] == f"{texts[0]} So do 2 more comparisons."


def test_a_board_without_flags_has_no_such_column() -> None:
    (table,) = board(Track.T2I_ULB, "all", Rows([make_result()])).tables[:1]
    assert "flags" not in cells(table)


def test_what_statistics_say_of_codecs_stands_before_their_bd_rates() -> None:
    results = make_store()
    codec = next(result for result in results if result.request.role is Role.CODEC)
    known = family_statistics(codec, 0)
    known = replace(known, track=Track.CODEC, bench=bench_of(codec).label)
    for statistics, before in (([], "mean_nr"), ([known], "tie_group")):
        (table,) = board(Track.CODEC, "all", Rows(results, statistics)).tables
        keys = [column.key for column in table.columns]
        assert keys[keys.index(before) + 1] == "bd_rate_fr"
