"""Systems as curves of rate and score, and what one takes beside another."""

import pytest
from make_results import make_codec, make_result

from protocol.boards import bench_of
from protocol.rate_curves import bjontegaard, by_request, find_anchor, system_curves
from protocol.rates import bd_indicator, bd_rate
from protocol.records import Result
from protocol.rules import Content, Dimension, Mode
from space.bjontegaard import bd_figures
from submission.exports.compressai import compressai

QUALITIES = ((53, 0.02, 0.50), (48, 0.05, 0.62), (43, 0.10, 0.71), (38, 0.20, 0.80))


def ladder(name: str = "vvc", factor: float = 1.0) -> list[Result]:
    # The last first: a curve is by rate, whatever order results come in.
    return [
        make_codec(name, qp, bpp=bpp * factor, consistency=fr, perception=fr / 2)
        for qp, bpp, fr in reversed(QUALITIES)
    ]


def test_a_codec_s_points_are_its_qualities_and_a_pair_s_are_its_modes() -> None:
    pair = make_result("painter")
    codec, system = system_curves([pair, *ladder()])
    assert (codec.name, [point.setting for point in codec.points]) == (
        "VVC",
        ["53", "48", "43", "38"],
    )
    assert system.name == "painter + gpt4v.csv"
    assert [point.setting for point in system.points] == ["text", "pixel", "image", "full"]
    assert by_request([codec, system])[pair.request.request_id] is system


def test_controls_have_a_file_and_no_place_in_the_figure() -> None:
    results = [*ladder(), *ladder("av1", 1.5), make_result("painter"), make_result("control-blur")]
    assert set(compressai(results)) == {result.request.request_id for result in results}
    drawn = next(bd_figures(bench_of(results[0]), "a bench", results))
    assert {line["system"] for line in drawn.numbers} == {"AV1", "painter + gpt4v.csv"}


def test_the_difference_is_that_of_the_means_of_one_content() -> None:
    curves = system_curves([*ladder(), *ladder("av1", 1.5)], Content.SCI)
    anchor, test = find_anchor(curves), find_anchor(curves, "AV1")
    assert anchor is not None
    assert test is not None
    found = bjontegaard(anchor, test, Dimension.FR)
    assert found.rate_percent == pytest.approx(50)
    both = (anchor.of(Dimension.FR), test.of(Dimension.FR))
    assert found.rate_percent == bd_rate(*both).value
    assert found.share == pytest.approx(1)
    assert found.score == bd_indicator(*both).value
    nothing = bjontegaard(None, test, Dimension.FR)
    assert (nothing.rate_percent, nothing.share, nothing.score) == (None, None, None)
    assert nothing.rate_reason == nothing.score_reason == "VVC was not run on these pictures"


def test_a_pair_whose_score_falls_with_the_rate_has_a_reason_and_a_score() -> None:
    # Of the made pairs, perception falls from text to full.
    curves = system_curves([*ladder(), make_result("painter", perception=0.6)])
    found = bjontegaard(curves[0], curves[1], Dimension.NR)
    assert found.rate_percent is None
    assert "does not rise with the rate" in found.rate_reason
    assert found.score is not None


def test_compressai_s_form_has_arrays_of_one_length_by_rate() -> None:
    results = [*ladder(), make_result("painter"), *ladder("av1", 1.5)]
    files = compressai(results)
    assert set(files) == {result.request.request_id for result in results}
    made = files[results[0].request.request_id]
    assert made["name"] == "VVC"
    assert made["results"]["bpp"] == [bpp for _, bpp, _ in QUALITIES]
    assert made["results"]["ms_ssim"] == pytest.approx([fr + 0.1 for _, _, fr in QUALITIES])
    assert set(made["results"]) == {"bpp", "ms_ssim", "piqe", "encoding_time", "decoding_time"}
    assert {len(array) for array in made["results"].values()} == {4}
    assert "qualities: 53, 48, 43, 38" in made["description"]


def test_a_point_without_a_score_is_left_out_of_all_arrays_and_counted() -> None:
    (made,) = compressai([make_result("painter", unscored=(Mode.PIXEL,))]).values()
    assert {len(array) for array in made["results"].values()} == {3}
    assert "modes: text, image, full" in made["description"]
    assert "1 point without all scores left out" in made["description"]


def test_another_bench_is_another_curve() -> None:
    results = [*ladder(), make_codec("vvc", 30, bpp=0.5, consistency=0.9, perception=0.5)]
    odd = make_result("vvc:25", role=results[0].request.role, modes=(Mode.IMAGE,), dataset="other")
    assert len(compressai([*results, odd])[odd.request.request_id]["results"]["bpp"]) == 1
