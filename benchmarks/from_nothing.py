"""What the 1st, the 2nd and the 10th decoder cost from nothing, and which models they call.

    python benchmarks/from_nothing.py [--decoders 10] [--pictures 2] [--largest 256]

One cache; the captions are a model's and the pictures VVC's. Every decoder is the demo's T2I model
with another guidance, so that nothing of its own is in the cache. All models have random weights.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from material import ask_four_modes, machine, make_pictures, save_topiq

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.demo.models import build_i2t, build_t2i
from evaluator.run import evaluate
from protocol.records import RunReport

TOLD = (1, 2, 10)


def main() -> None:
    """Print a line for each decoder that is told of."""
    parser = argparse.ArgumentParser(description=__doc__)
    cores = os.cpu_count() or 1
    parser.add_argument("--decoders", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--largest", type=int, default=256, help="largest side of a picture")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--lanes", type=int, default=cores)
    parser.add_argument("--steps", type=int, default=20)
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(None, folder / "all", options.pictures, largest=options.largest)
        save_topiq(folder / "weights")
        paths = sorted((folder / "all").iterdir())
        add_decoders(folder / "work", paths, build_t2i(folder), folder / "weights", options)


def add_decoders(
    folder: Path, paths: list[Path], t2i: Path, weights: Path, options: argparse.Namespace
) -> None:
    """Evaluate decoder after decoder on one empty cache, and print what some of them took."""
    images = folder / "images"
    images.mkdir(parents=True)
    for path in paths:
        shutil.copy(path, images)
    i2t = build_i2t(folder)
    bench = Bench(
        images=images,
        cache=Cache(folder / "cache"),
        weights=weights,
        device="cpu",
        batch_size=options.batch,
        lanes=options.lanes,
        features="float32",
    )
    print(f"from nothing: {len(paths)} pictures in four modes, captions and VVC included")
    print(f"{'decoder':<8} {'seconds':>8} {'captions':>9} {'VVC':>5} {'pictures':>9} {'scores':>7}")
    for number in range(1, options.decoders + 1):
        t2i_line = f"diffusers:{t2i}?steps={options.steps}&guidance={1 + number}"
        request = ask_four_modes(images, f"transformers:{i2t}", t2i_line)
        report = evaluate(request, bench).result.run
        if number in TOLD:
            print(f"{number:<8} {line(report)}", flush=True)


def line(report: RunReport) -> str:
    """Return the seconds, and how often each thing was made and not found."""
    made = [report.cache_misses.get(kind, 0) for kind in ("caption", "reference", "picture")]
    scores = report.cache_misses.get("score", 0)
    return f"{report.wall_seconds:>8.2f} {made[0]:>9} {made[1]:>5} {made[2]:>9} {scores:>7}"


if __name__ == "__main__":
    main()
