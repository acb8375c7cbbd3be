"""Costs grow with what is asked, and a smoke test narrows them."""

from dataclasses import replace

import pytest

from protocol.gpus import GPUS, find_gpu
from protocol.rules import Mode
from protocol.versions import find_protocol
from submission.cost import (
    TRANSFORMER_SHARE,
    UNET_SHARE,
    Work,
    cost_from_smoke,
    estimate_cost,
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


def test_the_bounds_hold_the_estimate() -> None:
    cost = estimate_cost(WORK, LLAVA, SDXL)
    assert 0 < cost.lowest < cost.gpu_minutes < cost.highest
    assert "GPU-minutes on one A100" in cost.sentence


@pytest.mark.parametrize(
    "work",
    [
        replace(WORK, images=2000),
        replace(WORK, steps=80),
    ],
)
def test_more_work_costs_more(work: Work) -> None:
    assert estimate_cost(work, None, SDXL).gpu_minutes > estimate_cost(WORK, None, SDXL).gpu_minutes


def test_guidance_doubles_the_calls_and_a_single_pass_is_cheap() -> None:
    full = estimate_cost(WORK, None, SDXL).gpu_minutes
    assert estimate_cost(replace(WORK, guided=False), None, SDXL).gpu_minutes < 0.7 * full
    small = model(1e7, "")
    once = estimate_cost(replace(WORK, in_steps=False), None, small)
    assert once.gpu_minutes < full


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
