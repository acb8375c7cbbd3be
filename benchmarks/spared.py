"""What a CPU is spared of a Stable Diffusion pipeline, against diffusers' own computation of it.

    python benchmarks/spared.py [--sides 256 384 512] [--batch 4] [--steps 6]
                                [--rounds 5] [--lanes 1]

A text-to-image call of the demo's model, random weights, on one thread with channels last: as it
is, with both halves of a guided batch computed once, with doubled pictures convolved as small ones,
with feed-forward layers in pieces, and with all of it. All take turns; medians are of the rounds'
ratios. With more lanes, each paints such a batch at the same time as the others, on a model of its
own.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from material import machine

from evaluator.allocator import keep_freed_memory
from evaluator.decoders._feed_forward import feed_forward_in_pieces
from evaluator.decoders._guidance import share_guided_halves
from evaluator.decoders._upsampling import double_by_transposed_convolution
from evaluator.demo.models import build_t2i

WAYS = ("as it is", "halves once", "doubling", "in pieces", "all")


def load(model: Path, way: str) -> Any:
    """Return a pipeline that computes this way."""
    import torch
    from diffusers import AutoPipelineForText2Image

    pipeline = AutoPipelineForText2Image.from_pretrained(model)
    pipeline.set_progress_bar_config(disable=True)
    for part in (pipeline.unet, pipeline.vae):
        part.to(memory_format=torch.channels_last)
        if way in ("doubling", "all"):
            double_by_transposed_convolution(part)
        if way in ("in pieces", "all"):
            feed_forward_in_pieces(part)
    if way in ("halves once", "all"):
        share_guided_halves(pipeline.unet)
    return pipeline


def paint(lanes: Sequence[Any], side: int, options: argparse.Namespace) -> float:
    """Paint one batch a lane and return the seconds that they took."""
    import torch

    def paint_one(pipeline: Any) -> None:
        with torch.inference_mode():
            pipeline(
                ["a quiet scene"] * options.batch,
                width=side,
                height=side,
                num_inference_steps=options.steps,
                output_type="np",
            )

    begin = time.perf_counter()
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(paint_one, lanes))
    return time.perf_counter() - begin


def main() -> None:
    """Print a line a size: seconds as it is, and how many times as fast each other way is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 384, 512])
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lanes", type=int, default=1)
    options = parser.parse_args()
    keep_freed_memory()
    import torch

    torch.set_num_threads(1)
    print(machine())
    print(f"{'pixels':<8} {'as it is':>9} " + " ".join(f"{way:>12}" for way in WAYS[1:]))
    with tempfile.TemporaryDirectory() as name:
        model = build_t2i(Path(name))
        pipelines = {way: [load(model, way) for _ in range(options.lanes)] for way in WAYS}
        for side in options.sides:
            taken: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(options.rounds + 1):
                for way, lanes in pipelines.items():
                    taken[way].append(paint(lanes, side, options))
            # The first round allocates.
            plain, *others = (values[1:] for values in taken.values())
            ratios = [
                statistics.median(a / b for a, b in zip(plain, other, strict=True))
                for other in others
            ]
            print(
                f"{side:<8} {statistics.median(plain):>7.2f} s "
                + " ".join(f"{ratio:>11.2f}x" for ratio in ratios),
                flush=True,
            )


if __name__ == "__main__":
    main()
