"""Decoding on a GPU: the released loop against ours, with model FLOPs utilisation and a profile.

    python benchmarks/decode.py --model sdxl [--batch 8] [--ways released,batches,compiled]
    python benchmarks/decode.py --model tiny --device cpu --side 128 --pictures 2   # to try it

Image-to-image at 1024x1024, 20 of 40 steps, random weights in the real shapes. The released loop is
eager, fp16, one picture at a time, the prompt and the picture encoded each time. Ours are bf16, in
batches, prompts and pictures encoded once, and then one thing more each: channels_last, cuDNN's
attention first, the denoiser compiled. All take turns; the first turn chooses algorithms and
compiles. Utilisation is the denoiser's floating-point operations, as `cmc evaluate` counts them,
over what the device could do in the seconds of the denoising loop.
"""

import argparse
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from full_size import build
from material import machine
from PIL import Image

from evaluator.decoders._memo import remember_inputs
from evaluator.decoders._pipelines import ready, speed_up
from evaluator.devices import peak_flops
from evaluator.operations import counting
from protocol.rules import IMAGE_PROMPT

STEPS, STRENGTH = 40, 0.5


@dataclass(frozen=True)
class Way:
    """How pictures are decoded."""

    ours: bool = True
    channels_last: bool = False
    cudnn_attention: bool = False
    compiled: bool = False


WAYS = {
    "released": Way(ours=False),
    "batches": Way(),
    "channels_last": Way(channels_last=True),
    "attention": Way(channels_last=True, cudnn_attention=True),
    "compiled": Way(channels_last=True, compiled=True),
    "both": Way(channels_last=True, cudnn_attention=True, compiled=True),
}


class Contender:
    """One way's pipeline, and what it took so far."""

    def __init__(self, way: Way, options: argparse.Namespace) -> None:
        """Build the pipeline on its device."""
        import torch

        self.way, self.device = way, options.device
        self.batch = options.batch if way.ours else 1
        self.seconds: list[float] = []
        half = torch.bfloat16 if way.ours else torch.float16
        dtype = torch.float32 if self.device == "cpu" else half
        _, self.pipeline = build(options.model, self.device, dtype)
        if way.ours:
            speed_up(
                self.pipeline,
                self.device,
                channels_last=way.channels_last,
                compiled=way.compiled,
            )
            ready(self.pipeline, self.device)
            remember_inputs(self.pipeline)

    def paint(self, pictures: list[Image.Image], **options: Any) -> None:
        """Run image-to-image on all pictures."""
        import torch

        with torch.inference_mode(), preferring_cudnn(asked=self.way.cudnn_attention):
            for start in range(0, len(pictures), self.batch):
                part = pictures[start : start + self.batch]
                self.pipeline(
                    prompt=[IMAGE_PROMPT] * len(part),
                    image=part,
                    strength=STRENGTH,
                    num_inference_steps=STEPS,
                    generator=[torch.Generator("cpu").manual_seed(42) for _ in part],
                    output_type="np",
                    **options,
                )

    def now(self) -> float:
        """Return the time when the device has done all that it was given, in seconds."""
        import torch

        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()


@contextmanager
def preferring_cudnn(*, asked: bool) -> Iterator[None]:
    """Let attention be computed by cuDNN where it can; for the whole process, so only here."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    if not asked:
        yield
        return
    order = [
        SDPBackend.CUDNN_ATTENTION,
        SDPBackend.FLASH_ATTENTION,
        SDPBackend.EFFICIENT_ATTENTION,
        SDPBackend.MATH,
    ]
    with sdpa_kernel(order, set_priority=True):
        yield


def main() -> None:
    """Print the rates, their ratios to the released loop, utilisation and a profile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=["sdxl", "sd15", "tiny"], default="sdxl")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--pictures", type=int, default=8, help="a turn")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ways", default=",".join(WAYS))
    options = parser.parse_args()
    import torch

    print(machine(), flush=True)
    name = torch.cuda.get_device_name() if options.device != "cpu" else "cpu"
    shape = f"{options.side}x{options.side}, {STEPS} steps at strength {STRENGTH}"
    print(f"{name}, {options.model}, {shape}, batches of {options.batch}, random weights")
    contenders = {way: Contender(WAYS[way], options) for way in options.ways.split(",")}
    pictures = [
        Image.effect_noise((options.side, options.side), 30 + n).convert("RGB")
        for n in range(options.pictures)
    ]
    for turn in range(options.turns + 1):
        for contender in contenders.values():
            started = contender.now()
            contender.paint(pictures)
            if turn:
                contender.seconds.append((contender.now() - started) / len(pictures))
    report(contenders, pictures, peak_flops(name))


def report(
    contenders: dict[str, Contender], pictures: list[Image.Image], peak: float | None
) -> None:
    """Print a line a way, and the profile of the fastest."""
    medians = {way: statistics.median(c.seconds) for way, c in contenders.items()}
    print(f"{'':<14}{'s a picture':>12}{'a second':>10}{'ratio':>8}{'TFLOP/s':>9}  utilisation")
    for way, contender in contenders.items():
        rate = denoising_rate(contender, pictures) if contender.way.ours else None
        ratio = medians["released"] / medians[way] if "released" in medians else float("nan")
        print(
            f"{way:<14}{medians[way]:>12.3f}{1 / medians[way]:>10.3f}{ratio:>7.2f}x"
            f"{'' if rate is None else f'{rate / 1e12:.4g}':>9}"
            f"  {f'{rate / peak:.1%} of {peak / 1e12:.0f}' if rate and peak else ''}",
            flush=True,
        )
    fastest = min(contenders, key=lambda way: medians[way])
    print(f"one batch, {fastest}:")
    profile(contenders[fastest], pictures)


def denoising_rate(contender: Contender, pictures: list[Image.Image]) -> float:
    """Return the floating-point operations a second of the denoising loop, over one batch."""
    denoiser = contender.pipeline.unet
    forward = denoiser.forward
    begun: list[float] = []
    ended: list[float] = []

    def timed(*args: Any, **options: Any) -> Any:
        if not begun:
            begun.append(contender.now())
        return forward(*args, **options)

    def after_step(pipeline: Any, step: int, _time: Any, values: dict[str, Any]) -> Any:
        # Only after the last one, or the device would wait for the processor at each.
        if step == pipeline.num_timesteps - 1:
            ended.append(contender.now())
        return values

    denoiser.forward = timed
    try:
        with counting() as tally:
            contender.paint(pictures[: contender.batch], callback_on_step_end=after_step)
    finally:
        denoiser.forward = forward
    return tally.operations / (ended[-1] - begun[0])


def profile(contender: Contender, pictures: list[Image.Image]) -> None:
    """Print where the time of one batch goes."""
    import torch
    from torch.profiler import ProfilerActivity

    activities, key = [ProfilerActivity.CPU], "self_cpu_time_total"
    if contender.device != "cpu":
        activities, key = [*activities, ProfilerActivity.CUDA], "self_device_time_total"
    with torch.profiler.profile(activities=activities) as found:
        contender.paint(pictures[: contender.batch])
    print(found.key_averages().table(sort_by=key, row_limit=15, max_name_column_width=50))


if __name__ == "__main__":
    main()
