"""How throughput grows with workers whose models only wait: what the evaluator itself costs.

    OMP_NUM_THREADS=1 python benchmarks/scale.py [--workers 1,2,4,8,16] [--seconds 2.0]

Each worker is a process of its own with a simulated GPU (a decoder that sleeps) and takes every
n-th picture of one set; all share one cache. Then the 58,000 pictures of the benchmark are planned
from figures that are given or measured here, in hours and money.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from material import machine
from PIL import Image

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.requests import make_request
from protocol.records import Request
from protocol.rules import Mode, Role

PICTURES_OF_THE_BENCHMARK = 58_000
SIDE = 64


def main() -> None:
    """Print a line a number of workers, then the plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="1,2,4,8,16")
    parser.add_argument("--seconds", type=float, default=2.0, help="a simulated picture")
    parser.add_argument("--pictures", type=int, default=10, help="for each worker")
    parser.add_argument(
        "--planned-seconds", type=float, help="a picture on one H200; default: --seconds"
    )
    parser.add_argument("--price", type=float, default=5.0, help="of an H200 for an hour, USD")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work is not None:
        work(options.work, options.seconds)
        return
    print(machine(), flush=True)
    print(f"each worker decodes {options.pictures} pictures that wait {options.seconds} s each")
    efficiency = 1.0
    for count in map(int, options.workers.split(",")):
        wall = measure(count, options.pictures, options.seconds)
        efficiency = options.pictures * options.seconds / wall
        print(f"{count:>3} workers {wall:7.2f} s  {efficiency:.3f} of linear", flush=True)
    seconds = options.planned_seconds or options.seconds
    print(
        f"{PICTURES_OF_THE_BENCHMARK:,} pictures at {seconds} s each on one GPU "
        f"and {efficiency:.3f} of linear, at {options.price} an hour:"
    )
    for gpus in (1, 8, 64):
        hours = PICTURES_OF_THE_BENCHMARK * seconds / 3600 / gpus / efficiency
        print(f"{gpus:>3} GPUs {hours:8.1f} h  {hours * gpus * options.price:10,.0f}")


def measure(workers: int, pictures: int, seconds: float) -> float:
    """Return the wall time from when all workers are loaded until the last one is done."""
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / f"images{number}" for number in range(workers)]
        for number, folder in enumerate(folders):
            folder.mkdir()
            for picture in range(pictures):
                colour = (number * 16 % 256, picture * 20 % 256, 90)
                Image.new("RGB", (SIDE, SIDE), colour).save(folder / f"NSI_pgc_{picture:03d}.png")
        processes = [
            subprocess.Popen(
                [sys.executable, __file__, "--work", str(folder), "--seconds", str(seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for folder in folders
        ]
        if [said(process) for process in processes] != ["ready\n"] * workers:
            raise RuntimeError("a worker did not start")
        started = time.perf_counter()
        for process in processes:
            tell(process, "go\n")
        answers = [json.loads(said(process)) for process in processes]
        wall = time.perf_counter() - started
        for process in processes:
            process.communicate()
        if answers != [pictures] * workers:
            raise RuntimeError(f"workers decoded {answers}, wanted {pictures} each")
        return wall


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line of a worker; an empty one when it has ended."""
    return process.stdout.readline() if process.stdout else ""


def tell(process: subprocess.Popen[str], line: str) -> None:
    """Send a line to a worker."""
    if process.stdin:
        process.stdin.write(line)
        process.stdin.flush()


def write_captions(images: Path) -> Path:
    """Return a caption file for a folder of pictures."""
    path = images.parent / f"{images.name}.csv"
    lines = [f"{image.name},{images.name} {image.stem}" for image in sorted(images.iterdir())]
    path.write_text("name,text\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def work(images: Path, seconds: float) -> None:
    """Evaluate one folder with a decoder that waits; the models are loaded before the start."""
    from waiting import put_waiting_models

    from evaluator.run import evaluate

    # Before the clock starts: what is imported and loaded once, however long the run is.
    put_waiting_models(0.0)
    with tempfile.TemporaryDirectory() as name:
        one = Path(name) / "images"
        one.mkdir()
        Image.new("RGB", (SIDE, SIDE)).save(one / "NSI_pgc_000.png")
        evaluate(*job(one))
    put_waiting_models(seconds)
    request, bench = job(images)
    print("ready", flush=True)
    sys.stdin.readline()
    print(len(evaluate(request, bench).decoded), flush=True)
    # Interpreters take their time to end, and would take it from those still at work.
    sys.stdin.readline()


def job(images: Path) -> tuple[Request, Bench]:
    """Return a request about a folder, and a bench beside it."""
    request = make_request(
        role=Role.T2I,
        i2t=f"file:{write_captions(images)}",
        t2i="start-image",
        codec=None,
        # No VVC: the simulated GPUs are more than the cores that would have to feed them.
        modes=(Mode.PIXEL,),
        protocol="demo-0",
        images=images,
        dataset="waiting",
        submitter="benchmark",
    )
    cache = Cache(images.parent / "cache")
    return request, Bench(images=images, cache=cache, weights=None, device="cpu", batch_size=1)


if __name__ == "__main__":
    main()
