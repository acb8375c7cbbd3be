"""Time of `cmc mos` on as many ratings as the benchmark has: 20 viewers, 4,000 images, 2 scores.

    python benchmarks/mos.py [-o benchmarks/results/mos.md]

The viewers are simulated: bias, scale, shifts between groups and 5 % noise of their own, one of
them clicks at random. From the CSV on disk to the CSV with the scores.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from evaluator.opinions import read_ratings, write_opinions
from protocol.mos import nsfw_reports, opinions
from protocol.ratings import COLUMNS, GROUP_IMAGES, Rated

VIEWERS, IMAGES = 20, 4000


def main() -> None:
    """Print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ratings = Path(folder) / "ratings.csv"
        count = write_ratings(ratings)
        started, cpu = time.perf_counter(), time.process_time()
        parsed = read_ratings(ratings)
        read = time.perf_counter() - started
        found = [opinions(parsed, part) for part in (Rated.CONSISTENCY, Rated.PERCEPTION)]
        refused = [item for part in found for item in part.refused]
        write_opinions(Path(folder) / "mos.csv", found, nsfw_reports(parsed), refused)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    removed = {v.viewer for part in found for v in part.viewers if v.reason is not None}
    text = (
        "# Mean opinion scores from ratings\n\n"
        f"`python benchmarks/mos.py`, {time.strftime('%Y-%m-%d')}, {platform.machine()} with "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {np.__version__}.\n\n"
        "| ratings | viewers | images | removed | seconds | of these reading "
        "| CPU seconds |\n|---:|---:|---:|---|---:|---:|---:|\n"
        f"| {count:,} | {VIEWERS} | {IMAGES:,} | {', '.join(sorted(removed))} (clicks at random) "
        f"| {seconds:.2f} | {read:.2f} | {cpu:.2f} |\n\n"
        "The machine was not idle where seconds and CPU seconds differ.\n"
    )
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


def write_ratings(path: Path) -> int:
    """Write the ratings and return how many there are."""
    rng = np.random.default_rng(0)
    lines = [",".join(COLUMNS)]
    for dimension in (Rated.CONSISTENCY, Rated.PERCEPTION):
        truth = rng.uniform(1, 4, IMAGES)
        for viewer in range(VIEWERS):
            shift = np.repeat(rng.normal(0, 0.3, IMAGES // GROUP_IMAGES), GROUP_IMAGES)
            given = rng.normal(0, 0.4) + rng.uniform(0.7, 1.2) * (truth - 2.5) + 2.5 + shift
            given = np.clip(given + rng.normal(0, 0.25, IMAGES), 0, 5)
            if viewer == VIEWERS - 1:
                given = rng.uniform(0, 5, IMAGES)
            lines += [
                f"v{viewer:02d},image_{at:04d}.png,{dimension},{value:.2f},"
                f"2026-01-{1 + at // GROUP_IMAGES:02d}T10:00:00Z,g{at // GROUP_IMAGES}"
                for at, value in enumerate(given)
            ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines) - 1


if __name__ == "__main__":
    main()
