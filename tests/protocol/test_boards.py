"""Rows of a board and the facts beside them, from results whose every number is another."""

from dataclasses import replace
from typing import Any

import pytest
from made_provenance import make_provenance

from protocol.boards import Row, bench_of, best_first, result_rows
from protocol.eligibility import unscored
from protocol.facts import facts_of_published, facts_of_result
from protocol.records import (
    Cost,
    IndicatorUse,
    Rate,
    Request,
    Result,
    RunReport,
    Score,
    System,
)
from protocol.rules import Content, Dimension, Mode, Role, Track
from protocol.scores import mean_score

CONTENTS = (None, *Content)
CAPTIONS = System(adapter="file", model="captions.csv", revision="c" * 40, path="")
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


def number(mode: Mode, content: Content | None) -> int:
    return 1 + 10 * list(Mode).index(mode) + CONTENTS.index(content)


def result(adapter: str = "diffusers", model: str = SDXL, **changes: Any) -> Result:
    role, modes = changes.pop("role", Role.T2I), changes.pop("modes", tuple(Mode))
    system = System(adapter=adapter, model=model, revision="a" * 40, path="")
    places = [(mode, content) for mode in modes for content in CONTENTS]
    use = IndicatorUse(
        dimension=Dimension.FR,
        name="topiq_fr",
        implementation="",
        weights_sha256="1" * 64,
        weights_origin="lcysyzxdxc/CMC-Bench at a commit",
    )
    fields: dict[str, Any] = {
        "schema_version": 1,
        "request": Request(
            role=role,
            i2t={Role.T2I: CAPTIONS, Role.I2T: system}.get(role),
            t2i={Role.T2I: system, Role.I2T: CAPTIONS}.get(role),
            codec=system if role is Role.CODEC else None,
            modes=modes,
            protocol="cmc-1",
            dataset="CMC-Bench",
            dataset_sha256="d" * 64,
            submitter="ada",
            submitted_at="2026-01-01T00:00:00.000Z",
        ),
        "source": "verified",
        "images": 9,
        "scores": tuple(
            Score(
                mode=mode,
                dimension=dimension,
                content=content,
                images=9,
                not_scored=0,
                mean=number(mode, content) / (100 if dimension is Dimension.FR else 200),
            )
            for mode, content in places
            for dimension in Dimension
        ),
        "rates": tuple(
            Rate(
                mode=mode,
                content=content,
                bits_per_pixel=number(mode, content) / 1000,
                file_bytes=0.0,
                text_bytes=number(mode, content),
                pixels_bytes=number(mode, content) + 0.25,
                image_bytes=number(mode, content) + 0.5,
                caption_bytes=0.0,
            )
            for mode, content in places
        ),
        "costs": tuple(
            Cost(mode=mode, encode_seconds=number(mode, None), decode_seconds=at)
            for at, mode in enumerate(modes)
        ),
        "provenance": make_provenance(
            indicators=(
                replace(use, dimension=Dimension.NR, name="topiq_nr", weights_sha256="2" * 64),
                use,
            ),
        ),
        "per_image_sha256": "",
    }
    return Result(**{**fields, **changes})


def test_a_row_has_the_numbers_of_its_content_and_of_its_board_s_modes() -> None:
    (row,) = result_rows([result()], Track.T2I_ULB, Content.SCI)
    full, image = (number(mode, Content.SCI) for mode in (Mode.FULL, Mode.IMAGE))
    assert row.bits_per_pixel == {Mode.FULL: full / 1000, Mode.IMAGE: image / 1000}
    assert row.part_bits == {
        mode: {"text": 8 * at, "pixels": 8 * at + 2, "image": 8 * at + 4}
        for mode, at in ((Mode.FULL, full), (Mode.IMAGE, image))
    }
    assert row.encode_seconds == {mode: number(mode, None) for mode in (Mode.FULL, Mode.IMAGE)}
    assert set(row.decode_seconds) == {Mode.FULL, Mode.IMAGE}
    assert (row.missing_modes, row.replications, row.submissions) == ((), 0, None)
    # Perception is half of consistency: (2 + 1 / 2) / 3 of its mean.
    assert row.overall == pytest.approx((full + image) / 2 / 100 * 2.5 / 3)


def test_a_board_has_the_results_of_its_role_that_ran_one_of_its_modes() -> None:
    words = result(modes=(Mode.TEXT,))
    captioner = result("transformers", "a/b", role=Role.I2T, modes=(Mode.FULL,))
    assert result_rows([words, captioner], Track.T2I_ULB, None) == []
    (row,) = result_rows([words, captioner], Track.T2I_ELB, None)
    assert (row.overall, row.missing_modes) == (None, (Mode.PIXEL,))


def test_a_mode_with_one_of_its_two_scores_is_missing_and_said_to_be() -> None:
    whole = result()
    torn = tuple(
        replace(score, mean=None, not_scored=2)
        if (score.mode, score.dimension) == (Mode.FULL, Dimension.NR)
        else score
        for score in whole.scores
    )
    broken = replace(whole, scores=torn)
    (row,) = result_rows([broken], Track.T2I_ULB, None)
    assert (row.overall, row.missing_modes) == (None, (Mode.FULL,))
    assert (Mode.FULL, Dimension.FR) in row.scores
    lost = "no score for 2 of 9 pictures in full mode (perception): no mean and no Overall there"
    assert unscored(broken) == lost
    assert unscored(whole) == ""


def test_what_an_audit_contradicts_and_a_control_have_scores_and_no_overall() -> None:
    contradicted = result(source="self-reported", audit="They do not agree.")
    for one in (contradicted, result("control", "")):
        (row,) = result_rows([one], Track.T2I_ULB, None)
        assert (row.overall, len(row.scores), row.missing_modes) == (None, 4, ())


def test_rows_without_an_overall_come_last_whatever_the_others_have() -> None:
    (row,) = result_rows([result()], Track.T2I_ULB, None)

    def named(model: str, overall: float | None) -> Row:
        return replace(row, model=model, overall=overall)

    rows = [named("a", None), named("b", -0.5), named("c", 0.5), named("d", 0.5)]
    assert [one.model for one in best_first(rows[::-1])] == ["c", "d", "b", "a"]


def test_other_pictures_or_weights_are_another_table() -> None:
    one = result()
    assert bench_of(one).label == "cmc-1 · CMC-Bench · topiq_fr, topiq_nr (released weights)"

    def with_uses(**changes: Any) -> Result:
        first, second = one.provenance.indicators
        changed = replace(one.provenance, indicators=(first, replace(second, **changes)))
        return replace(one, provenance=changed)

    own = with_uses(weights_origin="somewhere", weights_sha256="3" * 64)
    assert bench_of(own).indicators == "topiq_fr, topiq_nr (weights 33333333, 22222222)"
    none = with_uses(weights_sha256="", weights_origin="")
    assert bench_of(none).indicators == "topiq_fr, topiq_nr (released weights)"
    test = replace(one, request=replace(one.request, dataset="test"))
    assert bench_of(test).dataset == "test (dddddddd)"


def test_one_picture_without_a_score_leaves_its_mean_unknown() -> None:
    made = mean_score(Mode.FULL, Dimension.FR, None, [0.5, None, 0.25])
    assert (made.images, made.not_scored, made.mean) == (3, 1, None)
    whole = mean_score(Mode.FULL, Dimension.FR, None, [0.5, 0.25])
    assert (whole.images, whole.not_scored, whole.mean) == (2, 0, 0.375)


def test_what_the_decoder_found_and_the_run_took_are_facts_of_the_row() -> None:
    one = result()
    details = {"pipeline": "XL", "unet.parameters": "12", "adapter.parameters": "3", "steps": "9"}
    ran = replace(
        one,
        provenance=replace(one.provenance, t2i_details=details),
        run=RunReport(peak_memory_bytes=5, peak_gpu_bytes=7),
    )
    found = facts_of_result(ran)
    assert (found.family, found.licence, found.open_weights) == ("XL", "OpenRAIL++-M", True)
    assert (found.parameters, found.peak_memory_bytes) == (15, 7)
    without_gpu = facts_of_result(replace(ran, run=RunReport(peak_memory_bytes=5)))
    assert without_gpu.peak_memory_bytes == 5
    unknown = facts_of_result(result("diffusers", "acme/painter"))
    assert (unknown.family, unknown.licence, unknown.parameters) == ("diffusers", "", None)
    assert unknown.peak_memory_bytes is None
    # What the decoder found is no fact of the captions' model.
    captioner = replace(ran, request=result("sharegpt4v", "a/b", role=Role.I2T).request)
    assert facts_of_result(captioner).family == "sharegpt4v"
    codec = result("vvc", "53", role=Role.CODEC, modes=(Mode.IMAGE,))
    assert (facts_of_result(codec).family, facts_of_result(codec).licence[:5]) == ("VVC", "VVenC")


@pytest.mark.parametrize(
    ("model", "licence", "is_open"),
    [
        ("gpt-4o-2024-11-20", "API terms", False),
        ("Qwen/Qwen-VL-Chat", "Tongyi Qianwen", True),
        # Nobody's terms are known, and those of one provider are not everybody's.
        ("llava-hf/llava-1.5-7b-hf", "", None),
    ],
)
def test_a_model_on_a_server_has_its_own_licence_or_none(
    model: str, licence: str, is_open: bool | None
) -> None:
    found = facts_of_result(result("openai", model, role=Role.I2T))
    assert (found.licence, found.open_weights) == (licence, is_open)


@pytest.mark.parametrize(
    ("model", "role", "family", "is_open"),
    [
        ("PASD", Role.T2I, "restorative", True),
        ("SDXL", Role.T2I, "generative", True),
        ("Animate", Role.T2I, "generative", None),
        ("GPT-4o", Role.I2T, "published I2T", False),
    ],
)
def test_a_published_system_is_of_the_kind_that_the_paper_calls_it(
    model: str, role: Role, family: str, is_open: bool | None
) -> None:
    found = facts_of_published(model, role)
    assert (found.family, found.open_weights) == (family, is_open)
