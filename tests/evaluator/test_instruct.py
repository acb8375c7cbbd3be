"""Editors: a picture and an instruction, no strength."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import paint
from made_received import received
from PIL import Image
from tiny_models import build

from evaluator.bench import Bench
from evaluator.decoders import Decoder, Received, find_decoder
from evaluator.requests import make_request
from evaluator.run import evaluate
from protocol.errors import DecodeError, InputError, ModelError
from protocol.rules import Mode, Role
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]


def load(model: Path, settings: str = "steps=4") -> Any:
    system = pin_system(f"instruct:{model}?{settings}")
    return find_decoder("instruct").load(system, DEMO, "cpu")


def values(decoder: Decoder, *items: Received) -> Any:
    outcomes = decoder.decode(items)
    assert all(isinstance(outcome, Image.Image) for outcome in outcomes)
    return np.stack([np.asarray(outcome, int) for outcome in outcomes])


@pytest.mark.parametrize("family", ["instruct-pix2pix", "kontext", "flux2-klein"])
def test_a_batch_has_the_pictures_of_its_members_to_one_grey_level(
    family: str, models: Path
) -> None:
    decoder = load(build(models, family))
    for mode in (Mode.IMAGE, Mode.FULL):
        items = [received(mode, 1), received(mode, 2, "a longer caption of a blue house by a lake")]
        together = values(decoder, *items)
        alone = np.concatenate([values(decoder, item) for item in items])
        assert np.abs(together - alone).max() <= 1
        assert together.shape == (2, 75, 101, 3)
        assert np.abs(together[0] - together[1]).max() > 1


@pytest.mark.parametrize("family", ["qwen-edit", "qwen-edit-plus"])
def test_qwens_editors_paint_at_the_working_size(family: str, models: Path) -> None:
    # One step of one picture: they look at every picture in a megapixel.
    decoder = load(build(models, family), "steps=1")
    assert values(decoder, received(Mode.FULL)).std() > 1
    account = decoder.account(received(Mode.FULL))
    assert (account.width, account.height) == (96, 64)


@pytest.mark.parametrize("family", ["instruct-pix2pix", "kontext", "flux2-klein"])
def test_an_editor_sees_the_picture(family: str, models: Path) -> None:
    decoder = load(build(models, family))
    item = received(Mode.IMAGE)
    other = Received(
        mode=item.mode, width=101, height=75, caption=None, start=paint(101, 75, 9), seed=item.seed
    )
    assert np.any(values(decoder, item) != values(decoder, other))


def test_the_instruction_is_the_caption_or_the_protocols_prompt(models: Path) -> None:
    model = build(models, "instruct-pix2pix")
    decoder = load(model)
    assert decoder.instruction(received(Mode.FULL)) == "a blue house"
    assert decoder.instruction(received(Mode.IMAGE)) == DEMO.image_prompt
    told = load(
        model, "steps=4&instruction=restore it; it shows {caption}&image_instruction=restore it"
    )
    assert told.instruction(received(Mode.FULL)) == "restore it; it shows a blue house"
    assert told.instruction(received(Mode.IMAGE)) == "restore it"
    for mode in (Mode.FULL, Mode.IMAGE):
        assert np.any(values(decoder, received(mode)) != values(told, received(mode)))
    with pytest.raises(ModelError, match=r"wanted \{caption\} in it"):
        load(model, "instruction=restore it")


def test_both_guidances_default_to_the_model_cards(models: Path) -> None:
    model = build(models, "instruct-pix2pix")
    item = received(Mode.FULL)
    plain = values(load(model), item)
    spelt_out = load(model, "steps=4&guidance=7.5&image_guidance=1.5")
    assert np.array_equal(values(spelt_out, item), plain)
    for setting in ("guidance=3.0", "image_guidance=2.5"):
        assert np.any(values(load(model, f"steps=4&{setting}"), item) != plain)


def test_editing_starts_at_pure_noise_whatever_the_mode(models: Path) -> None:
    decoder = load(build(models, "instruct-pix2pix"), "steps=40")
    values(decoder, received(Mode.IMAGE))
    account = decoder.account(received(Mode.IMAGE))
    # SD1.5's last timestep of 40.
    assert account.start_sigma == pytest.approx(12.74, abs=0.01)
    assert (account.width, account.height) == (96, 72)
    assert account.details["pipeline"] == "StableDiffusionInstructPix2PixPipeline"


def test_a_model_that_is_no_editor_and_a_setting_it_has_not_are_refused(models: Path) -> None:
    with pytest.raises(ModelError, match="is a StableDiffusionPipeline, which edits no picture"):
        load(models / "tiny-sd-random-weights")
    with pytest.raises(ModelError, match="FluxKontextPipeline has no image_guidance_scale"):
        load(build(models, "kontext"), "image_guidance=1.5")
    with pytest.raises(ModelError, match="negative_prompt has no effect here without true_cfg"):
        load(build(models, "kontext"), "negative_prompt=blurry")
    with pytest.raises(ModelError, match="true_cfg has no effect here without a negative_prompt"):
        load(build(models, "qwen-edit"), "true_cfg=4")


def test_an_editor_is_evaluated_in_its_two_modes_alone(
    models: Path, images: Path, captions: Path, make_bench: Callable[..., Bench]
) -> None:
    import io

    import pyarrow.parquet as pq

    def ask(modes: list[Mode]) -> Any:
        return make_request(
            role=Role.T2I,
            i2t=f"file:{captions}",
            t2i=f"instruct:{build(models, 'instruct-pix2pix')}?steps=2",
            codec=None,
            modes=modes,
            protocol="demo-0",
            images=images,
            dataset="three",
            submitter="test",
        )

    assert set(ask([]).modes) == {Mode.IMAGE, Mode.FULL}
    with pytest.raises(InputError, match="cannot do pixel"):
        evaluate(ask([Mode.PIXEL]), make_bench())
    evaluation = evaluate(ask([]), make_bench())
    details = evaluation.result.provenance.t2i_details
    assert details["pipeline"] == "StableDiffusionInstructPix2PixPipeline"
    assert evaluation.result.provenance.asked_sigma == {}
    rows = pq.read_table(io.BytesIO(evaluation.per_image)).to_pylist()
    assert {(row["width"], row["working_width"]) for row in rows} == {(192, 192), (201, 200)}
    assert {(row["height"], row["working_height"]) for row in rows} == {(176, 176), (179, 176)}
    assert not [d for d in evaluation.decoded if isinstance(d.entry, DecodeError)]
