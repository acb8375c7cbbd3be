"""What the way from YUV back to RGB costs: ffmpeg's own conversion against ours, the same streams.

    python benchmarks/colour.py --images DIR [--each 3]

Of each content the first pictures by name. Printed are means over the pictures: how much brighter a
decoded channel is than the original's, in levels of 255, and the PSNR. Prints Markdown.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

import numpy as np
from material import machine
from PIL import Image

from evaluator import ffmpeg
from evaluator.codecs import load_codec
from evaluator.pictures import read_picture
from protocol.samples import list_samples

POINTS = (("vvc", 53), ("vvc", 37), ("vvc", 22), ("hevc", 37), ("avc", 37), ("av1", 50))
FFMPEG = "bicubic"
"""ffmpeg's default."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--each", type=int, default=3, help="pictures of each content")
    options = parser.parse_args()
    taken: Counter[str] = Counter()
    pictures = []
    for sample in list_samples(options.images):
        if taken[sample.content] < options.each:
            taken[sample.content] += 1
            pictures.append(read_picture(options.images / sample.name))
    print(f"{machine()}\n\n{len(pictures)} pictures.\n")
    print("| codec | quality | brighter, ffmpeg's | ours | PSNR, ffmpeg's, dB | ours |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, quality in POINTS:
        cells = " | ".join(numbers(name, quality, pictures))
        print(f"| {name} | {quality} | {cells} |", flush=True)
    white = Image.new("RGB", (64, 64), "white")
    shown = {way: compare("vvc", 53, white, way)[0] for way in (FFMPEG, ffmpeg.CONVERSION)}
    print(f"\nWhite by VVC: {255 + shown[FFMPEG]:.0f}, {255 + shown[ffmpeg.CONVERSION]:.0f}.")


def numbers(name: str, quality: int, pictures: Sequence[Image.Image]) -> Iterator[str]:
    """Yield a row's cells: the offsets of both ways, then their PSNRs."""
    found = [
        [compare(name, quality, picture, way) for picture in pictures]
        for way in (FFMPEG, ffmpeg.CONVERSION)
    ]
    yield from (f"{fmean(offset for offset, _ in way):+.2f}" for way in found)
    yield from (f"{fmean(psnr for _, psnr in way):.2f}" for way in found)


def compare(name: str, quality: int, picture: Image.Image, way: str) -> tuple[float, float]:
    """Return how much brighter a picture comes back, and its PSNR in dB."""
    codec = load_codec(name)
    stream = codec.encode(picture, quality)
    with patch.object(ffmpeg, "CONVERSION", way):
        decoded = codec.decode(stream, *picture.size)
    error = np.asarray(decoded, dtype=float) - np.asarray(picture, dtype=float)
    square = float((error**2).mean())
    return float(error.mean()), float("inf") if not square else 10 * np.log10(255**2 / square)


if __name__ == "__main__":
    main()
