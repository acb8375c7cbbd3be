"""Ablations: one thing varied, nothing run twice, a table and a figure at the end."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from conftest import paint

from evaluator import ablation
from evaluator.ablation import plan_names, published_row, read_plan, run_ablation
from evaluator.ablation_text import ablation_figure, ablation_table
from evaluator.bench import Bench
from evaluator.codecs import load_codec
from evaluator.indicators import find_indicator
from evaluator.set_indicators import find_set_indicator
from protocol.ablations import AblationResult, Point
from protocol.errors import InputError, WeightsError
from protocol.jsonable import from_json
from protocol.prompts import find_prompt
from protocol.records import Request
from protocol.rules import Mode
from protocol.versions import find_protocol, variant_name
from submission.beside import FolderBeside
from submission.evidence import read_evidence

Ask = Callable[..., Request]
MakeBench = Callable[..., Bench]


@pytest.mark.parametrize("name", plan_names())
def test_every_plan_names_indicators_and_variants_that_there_are(name: str) -> None:
    plan = read_plan(name)
    assert plan.name == name
    assert all(find_indicator(indicator) for indicator in plan.indicators)
    assert all(find_set_indicator(indicator) for indicator in plan.set_indicators)
    for value in plan.values:
        if plan.vary == "prompt":
            assert find_prompt(value).words
        else:
            find_protocol(variant_name("cmc-1", {plan.vary: value}))


def test_the_lengths_of_both_papers_have_a_plan() -> None:
    asked = [find_prompt(value).words for value in read_plan("raster-length").values]
    assert asked == [15, 30, 120]
    assert [find_prompt(v).words for v in read_plan("caption-length").values] == [5, 10, 20, 50]


def run(request: Request, bench: Bench, name: str, **changes: Any) -> AblationResult:
    plan = replace(read_plan(name), indicators=("ssim",), set_indicators=(), **changes)
    return run_ablation(plan, request, bench)


def test_a_better_reference_costs_more_and_scores_more(
    ask: Ask, make_bench: MakeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = make_bench()
    found = run(ask(), bench, "reference-qp", values=("53", "45"))
    points = {(point.system, point.value): point for point in found.points}
    assert set(points) == {("vvc", "53"), ("vvc", "45"), ("system", "53"), ("system", "45")}
    for system in ("vvc", "system"):
        low, high = points[system, "53"], points[system, "45"]
        assert low.bits_per_pixel < high.bits_per_pixel
        means = [point.means["ssim"] for point in (low, high)]
        assert means[0] is not None
        assert means[1] is not None
        assert means[0].value < means[1].value
    assert points["vvc", "53"].published["ssim"] == 0.677
    assert points["system", "45"].published["lpips"] == pytest.approx(1 - 0.327)
    assert points["system", "45"].published["fid"] == -254.0
    alone, painted = (points[system, "53"].means["ssim"] for system in ("vvc", "system"))
    assert alone is not None
    assert painted is not None
    assert f"| {painted.value / alone.value - 1:+.2%} |" in ablation_table(found)

    def refuse(picture: object, quality: int) -> bytes:
        raise AssertionError(f"{picture} was coded again at {quality}")

    monkeypatch.setattr(load_codec("vvc"), "encode", refuse)
    assert run(ask(), bench, "reference-qp", values=("053", "45", "53")) == found


# What P table A1 prints of CLIPSIM to TOPIQ-NR; it cuts some digits and rounds others.
ORDER = ("clipsim", "clipiqa", "lpips", "liqe", "ssim", "fid", "topiq_fr", "topiq_nr")
PRINTED = {
    "53": (7.88, 270, 20.2, 189, -15.6, 17.5, 16.4, 109),
    "51": (5.15, 276, 16.1, 157, -18.8, 12.3, 10.9, 117),
    "48": (2.08, 228, 6.29, 103, -21.0, 10.5, 3.12, 112),
    "45": (0.11, 171, -7.65, 62.4, -24.1, 6.67, -3.35, 97.9),
}


def test_the_papers_improvements_follow_from_its_rows() -> None:
    plan = read_plan("reference-qp")
    point = Point(
        system="", value="", mode=Mode.FULL, bits_per_pixel=0.02, means=dict.fromkeys(ORDER),
        sets={}, published={},
    )  # fmt: skip
    points = [
        replace(point, system=s, value=qp, published=published_row(plan, s, qp, mode))
        for qp in PRINTED
        for s, mode in (("vvc", Mode.IMAGE), ("system", Mode.FULL))
    ]
    found = AblationResult(
        plan=plan, system="", partner="", protocol="", dataset="", images=1, points=tuple(points),
        repeated=(),
    )  # fmt: skip
    table = ablation_table(found)
    assert table.startswith("# QP of the reference picture (CMC-Bench's paper, table A1)\n")
    assert "the paper's rows are of its own pictures" in table
    lines = [line for line in table.splitlines() if "| improve, paper |" in line]
    for line, printed in zip(lines, PRINTED.values(), strict=True):
        counted = [float(cell.strip(" %")) for cell in line.split("|")[5:-1]]
        for ours, percent in zip(counted, printed, strict=True):
            last_digit = 1 if abs(percent) >= 100 else 0.1 if abs(percent) >= 10 else 0.02
            assert ours == pytest.approx(percent, abs=last_digit)


@pytest.mark.parametrize(("values", "pictures"), [(("42",), 3), (("42", "43"), 1)])
def test_one_seed_or_one_picture_has_a_table_and_no_variance(
    ask: Ask, make_bench: MakeBench, images: Path, values: tuple[str, ...], pictures: int
) -> None:
    for path in sorted(images.glob("*.png"))[pictures:]:
        path.unlink()
    found = run(ask(), make_bench(), "repeats", values=values, modes=(Mode.PIXEL,))
    assert [point.value for point in found.points] == list(values)
    assert found.repeated == ()
    assert ablation_table(found).count("| pixel | system |") == len(values)


@pytest.mark.parametrize(
    ("plan", "value", "mode"),
    [("repeats", "45", Mode.FULL), ("reference-qp", "45", Mode.IMAGE)],
)
def test_the_papers_qps_are_beside_no_seed_and_no_other_mode(
    ask: Ask, make_bench: MakeBench, plan: str, value: str, mode: Mode
) -> None:
    found = run(ask(), make_bench(), plan, values=(value,), modes=(mode,))
    assert not [point for point in found.points if point.system == "system" and point.published]


def test_start_images_three_decodings_are_equal_and_have_no_variance(
    ask: Ask, make_bench: MakeBench
) -> None:
    found = run(ask(), make_bench(), "repeats", modes=(Mode.PIXEL,))
    assert {point.value for point in found.points} == {"42", "43", "44"}
    for row in found.repeated:
        assert row.components.seeds == 3
        assert row.components.standard_error_seed == pytest.approx(0, abs=1e-12)
        mean = found.points[0].means[row.indicator]
        assert mean is not None
        line = f"| pixel | {row.indicator} | 3 | {mean.value:.4f} | 0.00000 |"
        assert line in ablation_table(found)


def test_what_no_decoding_scored_hides_no_other_indicator(
    ask: Ask, make_bench: MakeBench, images: Path
) -> None:
    for path in images.glob("*.png"):
        # MS-SSIM takes no picture of fewer than 161 pixels a side.
        paint(128, 96, seed=1).save(path)
    found = run(ask(), make_bench(), "repeats", modes=(Mode.PIXEL,))
    measured = {repeated.indicator for repeated in found.repeated}
    assert "piqe" in measured
    assert "ms_ssim" not in measured


def test_a_system_without_a_prompt_cannot_be_asked_for_a_length(
    ask: Ask, make_bench: MakeBench
) -> None:
    with pytest.raises(InputError, match="cannot be asked for a length"):
        run(ask(), make_bench(), "caption-length")


def test_a_captioner_is_asked_for_every_length(ask: Ask, make_bench: MakeBench, i2t: str) -> None:
    found = run(
        ask(i2t=i2t), make_bench(), "caption-length", values=("q5", "q50"), modes=(Mode.PIXEL,)
    )
    assert [point.value for point in found.points] == ["q5", "q50"]


def test_a_prompt_that_there_is_not_costs_no_run_of_the_others(
    ask: Ask, make_bench: MakeBench, i2t: str
) -> None:
    bench = make_bench()
    with pytest.raises(InputError, match="no prompt 'q7'; there are q5, q10"):
        run(ask(i2t=i2t), bench, "caption-length", values=("q5", "q7"), modes=(Mode.PIXEL,))
    assert not bench.cache.folder.exists()


def test_a_diffusion_model_paints_another_picture_at_another_strength(
    ask: Ask, make_bench: MakeBench, t2i: str
) -> None:
    found = run(
        ask(t2i=t2i), make_bench(), "strength-pixel", values=("0.4", "0.9"), modes=(Mode.PIXEL,)
    )
    weak, strong = (point.means["ssim"] for point in found.points)
    assert weak is not None
    assert strong is not None
    assert weak.value != strong.value


def test_missing_weights_are_found_out_before_anything_is_painted(
    ask: Ask, make_bench: MakeBench
) -> None:
    bench = make_bench()
    with pytest.raises(WeightsError, match="curl -L -o"):
        run_ablation(read_plan("strength-pixel"), ask(), bench)
    assert not bench.cache.folder.exists()


def test_a_variant_cannot_be_varied_again(ask: Ask, make_bench: MakeBench) -> None:
    with pytest.raises(InputError, match="is a variant already"):
        run(ask(protocol="demo-0?seed=1"), make_bench(), "repeats")


@pytest.mark.parametrize(
    ("plan", "value", "message"),
    [
        ("reference-qp", "99", "vvc:99 names no quality"),
        ("reference-qp", "low", "vvc_qp wants a number, found 'low'"),
        ("strength-full", "2", "at most 1"),
    ],
)
def test_a_value_that_cannot_be_meant_costs_no_run_of_the_others(
    ask: Ask, make_bench: MakeBench, plan: str, value: str, message: str
) -> None:
    bench = make_bench()
    asked = replace(read_plan(plan), values=("53" if "qp" in plan else "0.5", value))
    asked = replace(asked, indicators=(), set_indicators=())
    with pytest.raises(InputError, match=message):
        run_ablation(asked, ask(), bench)
    assert not bench.cache.folder.exists()


def test_a_plan_that_cannot_be_run_is_refused_when_it_is_read(tmp_path: Path) -> None:
    plan = json.loads((ablation.PLANS / "repeats.json").read_text())
    for message, changes in (
        ("varies 'weather'", {"vary": "weather"}),
        ("has no values", {"values": []}),
        ("has no modes", {"modes": []}),
        ("leave `codec` empty, which is 'avc'", {"codec": "avc"}),
        ("colour", {"colour": "red"}),
    ):
        (tmp_path / "mine.json").write_text(json.dumps({**plan, **changes}))
        with pytest.raises(InputError, match=message):
            read_plan(str(tmp_path / "mine.json"))
    with pytest.raises(InputError, match="reference-qp, repeats"):
        read_plan("nothing")


def test_the_table_and_the_figure_show_every_point(ask: Ask, make_bench: MakeBench) -> None:
    found = run(ask(), make_bench(), "strength-pixel", values=("0.4", "0.8"))
    table = ablation_table(found)
    assert "| strength | mode | system | bpp | ms_ssim | piqe | ssim |" in table
    assert table.count("| pixel | system |") == 2
    assert "the paper's rows" not in table
    page = ablation_figure(found)
    assert page.count('"legendgroup":"system, pixel"') == 3
    points = [replace(point, sets={"fid": -250.5}) for point in found.points]
    page = ablation_figure(replace(found, points=tuple(points)))
    assert page.count('"legendgroup":"system, pixel"') == 4
    assert '"x":["0.4","0.8"],"y":[-250.5,-250.5]' in page
    assert "<html>" in page


def test_the_command_writes_table_figure_and_data_and_keeps_them_for_the_page(
    images: Path, captions: Path, tmp_path: Path, cmc: Callable[..., CompletedProcess[str]]
) -> None:
    out = tmp_path / "out"
    done = cmc(
        *("ablate", "strength-pixel", "--i2t", f"file:{captions}", "--t2i", "start-image"),
        *("--protocol", "demo-0", "--images", images, "--out", out, "--values", "0.4"),
        *("--indicator", "none", "--store", tmp_path / "store"),
    )
    assert "| 0.4 | pixel | system |" in done.stdout
    (kept,) = read_evidence(FolderBeside(tmp_path / "store")).ablations
    assert kept == from_json(AblationResult, (out / "strength-pixel.json").read_bytes())
    assert sorted(path.suffix for path in out.iterdir()) == [".html", ".json", ".md"]


def test_the_modes_and_values_that_are_asked_for_take_the_plans_place(
    images: Path, captions: Path, tmp_path: Path, cmc: Callable[..., CompletedProcess[str]]
) -> None:
    study = (
        *("ablate", "reference-qp", "--i2t", f"file:{captions}", "--t2i", "start-image"),
        *("--protocol", "demo-0", "--images", images, "--indicator", "none"),
        *("--values", "53, 45", "--store", tmp_path / "store"),
    )
    done = cmc(*study, "--modes", "image", "--out", tmp_path / "image")
    assert "| 45 | image | system |" in done.stdout
    assert "| full |" not in done.stdout
    cmc(*study, "--out", tmp_path / "full")
    kept = read_evidence(FolderBeside(tmp_path / "store")).ablations
    assert {one.plan.modes for one in kept} == {(Mode.IMAGE,), (Mode.FULL,)}
