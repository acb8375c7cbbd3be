"""Peak resident memory of a run at 100 pictures and at 1,000.

    OMP_NUM_THREADS=1 python benchmarks/memory.py [--pictures 100,1000] [--side 128]

Each size is a run in a process of its own, image mode with the start picture and demo-0's
indicators, cold cache; JPEG instead of VVC, which runs in processes of its own anyway.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from material import machine
from PIL import Image

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.requests import make_request
from protocol.rules import Mode, Role


def main() -> None:
    """Print the peaks and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", default="100,1000")
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.work)
        return
    print(machine(), flush=True)
    peaks = {}
    for count in map(int, options.pictures.split(",")):
        with tempfile.TemporaryDirectory() as name:
            images = Path(name) / "images"
            images.mkdir()
            rng = np.random.default_rng(0)
            for number in range(count):
                small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
                picture = small.resize((options.side, options.side), Image.Resampling.BICUBIC)
                picture.save(images / f"NSI_pgc_{number:04d}.png")
            done = subprocess.run(
                [sys.executable, __file__, "--work", str(images)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        peaks[count] = int(done.stdout)
        print(f"{count:>6} pictures  {peaks[count] / 1e6:8.1f} MB", flush=True)
    first, last = peaks[min(peaks)], peaks[max(peaks)]
    print(f"{last / first - 1:+.1%} from {min(peaks)} to {max(peaks)} pictures")


def work(images: Path) -> None:
    """Evaluate and print the peak in bytes."""
    from evaluator.run import evaluate

    request = make_request(
        role=Role.CODEC,
        i2t=None,
        t2i=None,
        codec="jpeg:20",
        modes=(Mode.IMAGE,),
        protocol="demo-0",
        images=images,
        dataset="memory",
        submitter="benchmark",
    )
    bench = Bench(
        images=images,
        cache=Cache(images.parent / "cache"),
        weights=None,
        device="cpu",
        batch_size=4,
    )
    print(evaluate(request, bench).result.run.peak_memory_bytes)


if __name__ == "__main__":
    main()
