"""How often the intervals hold the truth, on simulated experiments; nominal 95 %.

    python benchmarks/coverage.py [-o benchmarks/results/coverage.md] [--experiments 2000]

Scores are skewed (gamma), their mean and spread depend on the content, and what is hard about an
image is hard for all systems. Resamples are 2,000, as in `cmc statistics`.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocol.statistics.bootstrap import Array, deviations, draw_resamples, estimates
from protocol.statistics.ranking import rank_intervals, separable_pairs

SIZES = ((4, 4, 4), (10, 10, 10), (24, 18, 18), (40, 30, 30), (400, 300, 300))
Places: TypeAlias = NDArray[np.integer[Any]]

CONTENTS = ("NSI", "SCI", "AIGI")
MEAN, SPREAD = (2.0, 3.0, 1.0), (0.3, 0.6, 0.2)
GAPS = np.array([0.0, 1.0, 2.0, 4.0, 5.0, 10.0])
"""Of six systems' true means, in standard errors of a difference."""


def main() -> None:
    """Print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--experiments", type=int, default=2000)
    options = parser.parse_args()
    machine = f"{platform.machine()} with {os.cpu_count()} cores"
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    lines = [
        "# How often the intervals hold the truth",
        "",
        f"`python benchmarks/coverage.py --experiments {options.experiments}`, ",
        f"{time.strftime('%Y-%m-%d')}, {machine}, {versions}.",
        "Nominal is 95 %. A rank interval holds for all pairs at once and is wider by design; the",
        "last column is the share of experiments in which any two of six equal systems are called",
        "separable, nominal 5 %. Ranks are from fewer experiments, a quarter.",
        "Plain is the mean's interval by n draws of n and the percentiles 2.5 and 97.5.",
        "",
        "| images (NSI, SCI, AIGI) | mean | plain | difference | win rate | rank | separated |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *(line for sizes in SIZES for line in row(sizes, options.experiments)),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


def row(sizes: Sequence[int], experiments: int) -> Iterator[str]:
    """Yield the line of one number of images."""
    rng = np.random.default_rng(sum(sizes))
    places = np.repeat(np.arange(3), sizes)
    total = len(places)
    truth = sum(mean * size for mean, size in zip(MEAN, sizes, strict=True)) / total
    hardness = scores(rng, places, experiments)
    first, second = (hardness + rng.normal(0, 0.2, hardness.shape) for _ in range(2))
    cells = [
        covered(first, places, truth),
        covered_plainly(rng, first, places, truth),
        covered(first + 0.05 - second, places, 0.05),
        # First is 0.05 + normal noise of 0.2 * sqrt(2) above: it wins with probability 0.570.
        covered((first + 0.05 > second).astype(float), places, 0.570158),
    ]
    ranks = rank_rows(rng, places, max(50, experiments // 4))
    names = ", ".join(str(size) for size in sizes)
    yield (
        f"| {total:,} ({names}) | "
        + " | ".join(f"{100 * c:.1f} %" for c in [*cells, *ranks])
        + (" |")
    )


def scores(rng: np.random.Generator, places: Places, columns: int) -> Array:
    """Return `(images, columns)` of skewed scores with the contents' means."""
    noise = (rng.gamma(4.0, 0.5, (len(places), columns)) - 2.0) * np.array(SPREAD)[places, None]
    made: Array = np.array(MEAN)[places, None] + noise
    return made


def covered(values: Array, places: Places, truth: float) -> float:
    """Return the share of columns whose interval holds the truth."""
    drawn = draw_resamples([CONTENTS[at] for at in places], seed=1)
    moved = deviations(values, drawn)
    found = estimates(values.mean(axis=0), moved, drawn.degrees_of_freedom)
    return float(np.mean([item.low <= truth <= item.high for item in found]))


def covered_plainly(rng: np.random.Generator, values: Array, places: Places, truth: float) -> float:
    """Return the same for the textbook's percentile bootstrap in each stratum."""
    weights = np.zeros((2000, len(places)))
    for content in np.unique(places):
        (columns,) = np.nonzero(places == content)
        drawn = rng.multinomial(len(columns), np.full(len(columns), 1 / len(columns)), 2000)
        weights[:, columns] = drawn / len(places)
    low, high = np.quantile(weights @ values, (0.025, 0.975), axis=0)
    return float(np.mean((low <= truth) & (truth <= high)))


def rank_rows(rng: np.random.Generator, places: Places, experiments: int) -> tuple[float, float]:
    """Return how often rank intervals hold, and how often equal systems are separated."""
    drawn = draw_resamples([CONTENTS[at] for at in places], seed=1)
    error = 0.2 * np.sqrt(2 / len(places))
    held, wrong = [], []
    for _ in range(experiments):
        hardness = scores(rng, places, 1)
        equal = hardness + rng.normal(0, 0.2, (len(places), len(GAPS)))
        apart = equal + GAPS * error
        spans = rank_intervals(
            apart.mean(axis=0), deviations(apart, drawn), drawn.degrees_of_freedom
        )
        held += [low <= len(GAPS) - at <= high for at, (low, high) in enumerate(spans)]
        called = separable_pairs(
            equal.mean(axis=0), deviations(equal, drawn), drawn.degrees_of_freedom
        )
        wrong.append(called.any())
    return float(np.mean(held)), float(np.mean(wrong))


if __name__ == "__main__":
    main()
