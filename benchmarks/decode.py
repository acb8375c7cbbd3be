"""Decoding on a GPU: the released loop against ours, with model FLOPs utilisation and a profile.

    python benchmarks/decode.py --model sdxl [--device cuda] [--batch 8] [--compile]
    python benchmarks/decode.py --model tiny --device cpu --side 128 --pictures 2   # to try it

Image-to-image at 1024x1024, 20 of 40 steps, random weights in the real shapes. The released loop is
eager, fp16, one picture at a time, the prompt and the picture encoded each time. Ours: batches,
channels_last, bf16, prompts and pictures encoded once, the denoiser compiled when told. The two
take turns. Utilisation is the denoiser's floating-point operations, counted by torch in one step,
over what the device could do in the time of the denoising loop.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from full_size import build
from material import machine
from PIL import Image

from evaluator.decoders._memo import remember_inputs
from evaluator.decoders._pipelines import speed_up
from evaluator.devices import peak_flops
from protocol.rules import IMAGE_PROMPT

STEPS, STRENGTH = 40, 0.5


def main() -> None:
    """Print both rates, their ratio, utilisation and profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["sdxl", "sd15", "tiny"], default="sdxl")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--pictures", type=int, default=8, help="a turn")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    import torch

    print(machine(), flush=True)
    if options.device != "cpu":
        print(torch.cuda.get_device_name(), flush=True)
    half = options.device != "cpu"
    _, released = build(options.model, options.device, torch.float16 if half else torch.float32)
    _, ours = build(options.model, options.device, torch.bfloat16 if half else torch.float32)
    speed_up(ours, options.device, channels_last=True, compiled=options.compile)
    remember_inputs(ours)
    pictures = [
        Image.effect_noise((options.side, options.side), 30 + n).convert("RGB")
        for n in range(options.pictures)
    ]
    ways: dict[str, Callable[[], None]] = {
        "released": lambda: paint(released, pictures, 1),
        "ours": lambda: paint(ours, pictures, options.batch),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for turn in range(options.turns + 1):
        for way, work in ways.items():
            took = clock(work, options.device)
            # The first turn chooses algorithms and compiles.
            if turn:
                seconds[way].append(took / len(pictures))
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    for way, median in medians.items():
        print(f"{way:<9} {median:8.3f} s a picture, {1 / median:7.3f} pictures a second")
    print(f"ours over released: {medians['released'] / medians['ours']:.2f}x")
    utilisation(ours, pictures[: options.batch], options.device)
    profile(ours, pictures[: options.batch])


def paint(pipeline: Any, pictures: list[Image.Image], batch: int) -> None:
    """Run image-to-image on all pictures."""
    import torch

    for start in range(0, len(pictures), batch):
        part = pictures[start : start + batch]
        with torch.inference_mode():
            pipeline(
                prompt=[IMAGE_PROMPT] * len(part),
                image=part,
                strength=STRENGTH,
                num_inference_steps=STEPS,
                generator=[torch.Generator("cpu").manual_seed(42) for _ in part],
                output_type="np",
            )


def clock(work: Callable[[], None], device: str) -> float:
    """Return the seconds of `work`, the device's queue emptied before and after."""
    import torch

    if device != "cpu":
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def utilisation(pipeline: Any, pictures: list[Image.Image], device: str) -> None:
    """Print the FLOPs of a step, the denoiser's time and its share of the device's peak."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    forward = pipeline.unet.forward
    took: list[float] = []
    flops: list[int] = []

    def counted(*args: Any, **options: Any) -> Any:
        if not flops:
            with FlopCounterMode(display=False) as counter:
                answer = forward(*args, **options)
            flops.append(counter.get_total_flops())
            return answer
        answer = None

        def step() -> None:
            nonlocal answer
            answer = forward(*args, **options)

        took.append(clock(step, device))
        return answer

    pipeline.unet.forward = counted
    paint(pipeline, pictures, len(pictures))
    pipeline.unet.forward = forward
    rate = flops[0] / statistics.median(took)
    print(
        f"denoiser: {flops[0] / len(pictures) / 1e12:.4g} TFLOP a picture and step, "
        f"{statistics.median(took):.4f} s a step of {len(pictures)}, {rate / 1e12:.4g} TFLOP/s"
    )
    peak = peak_flops(torch.cuda.get_device_name()) if device != "cpu" else None
    if peak is not None:
        print(f"utilisation of {peak / 1e12:.0f} TFLOP/s dense bf16: {rate / peak:.1%}")
    else:
        print("utilisation: this device's peak is not known")


def profile(pipeline: Any, pictures: list[Image.Image]) -> None:
    """Print where the time of one batch goes."""
    import torch
    from torch.profiler import ProfilerActivity

    activities = [ProfilerActivity.CPU]
    key = "self_cpu_time_total"
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
        key = "self_cuda_time_total"
    with torch.profiler.profile(activities=activities) as found:
        paint(pipeline, pictures, len(pictures))
    print(found.key_averages().table(sort_by=key, row_limit=15, max_name_column_width=50))


if __name__ == "__main__":
    main()
