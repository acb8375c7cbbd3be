"""What keeping freed memory saves on a CPU: the same run with glibc's defaults and with ours.

    python benchmarks/allocator.py [--pictures 4] [--rounds 2] [--steps 10]

Pictures of 512x512 in four modes, the demo's T2I model and TOPIQ's networks with random weights,
batches of four, two lanes of one thread; each side in a process of its own, in turn.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from material import ask_four_modes, machine, make_pictures, save_topiq, write_captions
from sides import Side

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.demo.models import build_t2i
from evaluator.run import evaluate
from protocol.records import Request


def main() -> None:
    """Print both sides' seconds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, Side(1) as plain, Side(1, True) as keeping:
        folder = Path(name)
        make_pictures(None, folder / "large", options.pictures, sizes=[(512, 512)])
        write_captions(folder / "large", folder / "captions.csv")
        save_topiq(folder / "weights")
        request = ask_four_modes(
            folder / "large",
            f"file:{folder / 'captions.csv'}",
            f"diffusers:{build_t2i(folder)}?steps={options.steps}&channels_last=true",
        )
        for number in range(options.rounds):
            for side in (plain, keeping):
                cache = folder / f"cache-{number}-{side.keeps_freed_memory}"
                side.take("run", run, request, cache)
    for clock in ("wall", "cpu"):
        before, after = (
            statistics.median(getattr(side, clock)["run"]) for side in (plain, keeping)
        )
        print(
            f"{clock}: {before:.2f} s with glibc's defaults, {after:.2f} s, {before / after:.2f}x"
        )


def run(request: Request, cache: Path) -> None:
    """Evaluate with an empty cache."""
    images, weights = cache.parent / "large", cache.parent / "weights"
    bench = Bench(
        images=images, cache=Cache(cache), weights=weights, device="cpu", batch_size=4, lanes=2
    )
    evaluate(request, bench)


if __name__ == "__main__":
    main()
