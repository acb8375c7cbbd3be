"""Costs grow with what is asked, and a smoke test narrows them."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.gpus import GPUS, find_gpu
from protocol.records import Request, System
from protocol.rules import Mode, Role
from protocol.versions import find_protocol
from submission.cost import (
    TRANSFORMER_SHARE,
    UNET_SHARE,
    Work,
    cost_from_smoke,
    estimate_cost,
    work_of,
)
from submission.facts import FileFact, ModelFacts

WORK = Work(protocol=find_protocol("cmc-1"), modes=tuple(Mode), images=1000)


def model(parameters: float, folder: str = "unet") -> ModelFacts:
    file = FileFact(
        name=f"{folder}/model.fp16.safetensors",
        file_bytes=int(2 * parameters),
        parameters=int(parameters),
    )
    return ModelFacts(name="a/b", is_local=False, files=(file,))


SDXL, FLUX, LLAVA = model(2.57e9), model(11.9e9, "transformer"), model(7.06e9, "")


SMALL = model(1.67e7, "")


def test_the_estimate_lies_between_its_bounds() -> None:
    cost = estimate_cost(WORK, LLAVA, SDXL)
    assert cost.gpu_minutes**2 == pytest.approx(cost.lowest * cost.highest)
    assert cost.sentence.startswith("about 290 GPU-minutes on one A100, between 124 and 676 (")
    few = estimate_cost(replace(WORK, images=10), None, SDXL)
    assert few.sentence.startswith("about 3.0 GPU-minutes on one A100, between 1.3 and 7.1 (")


@pytest.mark.parametrize(
    ("work", "t2i", "lowest", "highest"),
    [
        # 40 + 32 + 20 + 20 steps, twice each, of 4.80 to 10.48 * 10^12 operations at half and a
        # fifth of 312 * 10^12; eight scores; 5.14 GB to load.
        (WORK, SDXL, (6.893 + 0.4) * 1000 + 2.6, (37.637 + 2.4) * 1000 + 25.7),
        # 80 + 64 + 40 + 40 steps.
        (replace(WORK, steps=80), SDXL, 2 * 6893 + 402.6, 2 * 37637 + 2425.7),
        # 112 steps, once each, of 39.48 to 97.97 * 10^12.
        (replace(WORK, guided=False), FLUX, 28346 + 411.9, 175848 + 2519),
        # Two operations for each weight and pixel, in four modes.
        (replace(WORK, in_steps=False), SMALL, 673.5 + 400, 1683.8 + 2400.2),
    ],
    ids=["sdxl", "steps", "flux", "one-go"],
)
def test_minutes_on_an_a100_by_hand(
    work: Work, t2i: ModelFacts, lowest: float, highest: float
) -> None:
    cost = estimate_cost(work, None, t2i)
    assert (cost.lowest, cost.highest) == pytest.approx((lowest / 60, highest / 60), rel=1e-4)


def test_a_caption_is_a_question_at_once_and_forty_words_in_batches_of_eight() -> None:
    alone, both = estimate_cost(WORK, None, SDXL), estimate_cost(WORK, LLAVA, SDXL)
    # 14.12 * 10^12 operations, then 14.12 GB through memory for each word; 14.12 GB to load.
    assert both.lowest - alone.lowest == pytest.approx((90.513 + 69.250 + 7.06) / 60, rel=1e-4)
    assert both.highest - alone.highest == pytest.approx((226.28 + 173.12 + 70.6) / 60, rel=1e-4)
    wordless = replace(WORK, modes=(Mode.IMAGE,))
    costs = [estimate_cost(wordless, i2t, SDXL).lowest for i2t in (LLAVA, None)]
    assert costs[0] - costs[1] == pytest.approx(7.06 / 60)


def test_work_is_what_the_settings_and_the_pipeline_tell(ask: Callable[..., Request]) -> None:
    told = work_of(ask(), {}, 1000)
    assert (told.steps, told.guided, told.in_steps, told.images) == (0, True, True, 1000)
    asked = ask(t2i=f"diffusers:acme/painter@{'a' * 40}?steps=7")
    flux = replace(SDXL, pipeline_class="FluxPipeline")
    assert work_of(asked, {"t2i": flux}, 3).steps == 7
    assert not work_of(asked, {"t2i": flux}, 3).guided
    spandrel = System(adapter="spandrel", model="small.pth", revision="", path="")
    restorer = replace(asked, t2i=spandrel)
    assert not work_of(restorer, {"t2i": SMALL}, 3).in_steps
    assert work_of(ask(role=Role.CODEC, i2t=None, t2i=None, codec="jpeg:30"), {}, 3).in_steps


def test_a_larger_model_costs_more_and_a_faster_gpu_less() -> None:
    costs = [estimate_cost(WORK, None, one).gpu_minutes for one in (model(0.86e9), SDXL, FLUX)]
    assert costs == sorted(costs)
    by_gpu = [estimate_cost(WORK, None, SDXL, gpu).gpu_minutes for gpu in ("t4", "a100", "h200")]
    assert by_gpu == sorted(by_gpu, reverse=True)
    assert set(GPUS) >= {"t4", "l4", "a10g", "l40s", "a100", "h200"}


def test_the_shares_are_those_that_were_counted() -> None:
    from pathlib import Path

    table = Path(__file__).parents[2] / "benchmarks" / "results" / "flops.md"
    rows = [line.split("|")[1:-1] for line in table.read_text().splitlines() if "|" in line]
    shares: dict[str, list[float]] = {"UNet": [], "transformer": []}
    for row in rows:
        kind = row[0].split()[0] if len(row) == 5 else ""
        if kind in shares:
            shares[kind].append(float(row[4]))
    assert (min(shares["UNet"]), max(shares["UNet"])) == UNET_SHARE
    counted = (min(shares["transformer"]), max(shares["transformer"]))
    assert counted == pytest.approx(TRANSFORMER_SHARE, abs=0.01)


def test_a_smoke_test_narrows_the_bounds() -> None:
    guess = estimate_cost(WORK, None, SDXL)
    seen = cost_from_smoke(WORK, dict.fromkeys(Mode, 1.5), "a100")
    assert seen.gpu_minutes == pytest.approx(1000 * 4 * 1.5 / 60)
    assert seen.highest / seen.lowest == pytest.approx(1.4**2)
    assert seen.highest / seen.lowest < guess.highest / guess.lowest


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("NVIDIA H100 PCIe", "h100-pcie"),
        ("NVIDIA H100 80GB HBM3", "h100"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA L4", "l4"),
        ("NVIDIA A10G", "a10g"),
        ("Tesla T4", "t4"),
    ],
)
def test_a_driver_s_name_finds_its_gpu(name: str, key: str) -> None:
    assert find_gpu(name) == GPUS[key]
    assert find_gpu("AMD Instinct") is None
