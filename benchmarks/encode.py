"""VVC at QP 53 on all cores: single-threaded ffmpegs side by side, against one after the other.

    python benchmarks/encode.py [--images DIR] [--pictures 8] [--repeats 3]

The ways take turns; printed are medians. The paper's table 6 has 83.88 s a picture.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from material import machine, make_pictures
from PIL import Image

from evaluator import ffmpeg
from evaluator.codecs import vvc
from evaluator.pictures import read_picture

PAPER_SECONDS = 83.88
QP = 53


def main() -> None:
    """Print seconds a picture for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, help="default: the demo's, cut to 256 to 512 px")
    parser.add_argument("--pictures", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = options.images
        if folder is None:
            folder = Path(name) / "images"
            make_pictures(None, folder, options.pictures)
        paths = sorted(folder.glob("*.png"))[: options.pictures]
        pictures = [read_picture(path) for path in paths]
    seconds: dict[str, list[float]] = {}
    for _ in range(options.repeats):
        for way, work in WAYS.items():
            started = time.perf_counter()
            streams = work(pictures)
            seconds.setdefault(way, []).append((time.perf_counter() - started) / len(pictures))
    rate = statistics.fmean(
        8 * len(stream) / (picture.width * picture.height)
        for stream, picture in zip(streams, pictures, strict=True)
    )
    print(f"{len(pictures)} pictures, {rate:.4f} bpp")
    for way, values in seconds.items():
        median = statistics.median(values)
        print(f"{way:<42} {median:7.3f} s a picture, {PAPER_SECONDS / median:6.0f}x the paper's")


def one_by_one(pictures: Sequence[Image.Image]) -> list[bytes]:
    """Code one picture after the other, ffmpeg with one thread."""
    return [vvc.encode(picture, QP) for picture in pictures]


def one_by_one_threaded(pictures: Sequence[Image.Image]) -> list[bytes]:
    """Code one picture after the other, ffmpeg with a thread a core."""
    run = ffmpeg._run

    def threaded(arguments: Sequence[str], data: bytes, *, seconds: int | None = None) -> bytes:
        changed = list(arguments)
        changed[changed.index("-threads") + 1] = str(os.cpu_count())
        return run(changed, data, seconds=seconds)

    ffmpeg._run = threaded
    try:
        return one_by_one(pictures)
    finally:
        ffmpeg._run = run


def side_by_side(pictures: Sequence[Image.Image]) -> list[bytes]:
    """Code one picture a core, as an evaluation does."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda picture: vvc.encode(picture, QP), pictures))


WAYS: dict[str, Callable[[Sequence[Image.Image]], list[bytes]]] = {
    "one ffmpeg, one thread": one_by_one,
    "one ffmpeg, a thread a core": one_by_one_threaded,
    "an ffmpeg with one thread a core (ours)": side_by_side,
}

if __name__ == "__main__":
    main()
