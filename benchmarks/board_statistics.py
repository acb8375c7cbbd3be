"""Time and memory of a whole board's statistics.

    python benchmarks/board_statistics.py [-o benchmarks/results/board_statistics.md]

40 systems, 8 indicators (four modes, consistency and perception), 1,000 images, 2,000 resamples:
intervals of all means and Overalls, standings, all 780 comparisons, leaders by weight.
"""

import argparse
import os
import platform
import resource
import time
from pathlib import Path

import numpy as np

from protocol.rules import IMAGES_PER_CONTENT, Dimension, Mode, Track
from protocol.statistics.boards import ImageScores, board_statistics

SYSTEMS = 40
CELLS = [(mode, dimension) for mode in Mode for dimension in Dimension]


def main() -> None:
    """Print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    systems = make_systems()
    started, cpu = time.perf_counter(), time.process_time()
    made = board_statistics(systems, Track.T2I, "benchmark")
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    text = (
        "# A whole board's statistics\n\n"
        f"`python benchmarks/board_statistics.py`, {time.strftime('%Y-%m-%d')}, {machine()}.\n\n"
        "| systems | indicators | images | resamples | comparisons | seconds | CPU seconds "
        "| peak memory, MiB |\n|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        f"| {SYSTEMS} | {len(CELLS)} | {made.images:,} | {made.resamples:,} "
        f"| {len(made.comparisons)} | {seconds:.2f} | {cpu:.2f} | {peak:.0f} |\n\n"
        "Memory is the whole process's, with numpy and the scores. The machine was not idle where "
        "seconds and CPU seconds differ.\n"
    )
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


def make_systems() -> list[ImageScores]:
    """Return systems whose scores share what is hard about each image."""
    rng = np.random.default_rng(0)
    names = [
        f"{content}_made_{number:03d}.png"
        for content, count in IMAGES_PER_CONTENT.items()
        for number in range(count)
    ]
    hardness = rng.normal(2.5, 0.5, len(names))
    return [
        ImageScores(
            request_id=f"{index:020x}",
            model=f"system {index}",
            partner="",
            per_image_sha256="",
            scores={
                cell: dict(
                    zip(
                        names,
                        (hardness + index / 100 + rng.normal(0, 0.2, len(names))).tolist(),
                        strict=True,
                    )
                )
                for cell in CELLS
            },
        )
        for index in range(SYSTEMS)
    ]


def machine() -> str:
    """Return what the figures were measured on."""
    cores = os.cpu_count()
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    return f"{platform.machine()} with {cores} cores, {versions}"


if __name__ == "__main__":
    main()
