"""The VVC rows of the paper's table A1 on other real pictures: SSIM and rate by QP.

    python benchmarks/table_a1.py IMAGES [-o benchmarks/results/table_a1.md] [--cache DIR]

IMAGES is a folder of pictures with the benchmark's names. The other columns of the table need
networks whose weights are fetched; these rows need none.
"""

import argparse
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

import numpy as np

from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.codecs import load_codec
from evaluator.rate_points import RatePoint, measure_ladder
from protocol.published import read_table
from protocol.rules import IMAGES_PER_CONTENT, Content
from protocol.samples import parse_name
from protocol.scores import mean_over_contents
from protocol.statistics.bootstrap import deviations, draw_resamples, estimates


def main() -> None:
    """Print the table, and write it down where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("~/.cache/cmc-bench").expanduser())
    options = parser.parse_args()
    paper = {
        int(row["vvc_qp"]): float(row["ssim"])
        for row in read_table("reference_quality")
        if row["image"] == "VVC"
    }
    bench = Bench(
        images=options.images,
        cache=Cache(options.cache),
        weights=None,
        device="cpu",
        batch_size=1,
    )
    points = measure_ladder("vvc", list(paper), ["ssim"], bench)
    text = "\n".join([*head(points), *rows(points, paper)]) + "\n"
    print(text)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(text, encoding="utf-8")


def head(points: list[RatePoint]) -> Iterator[str]:
    """Yield what stands above the rows."""
    contents = [parse_name(name).content for name in {point.name for point in points}]
    counts = ", ".join(f"{contents.count(c)} {c}" for c in Content)
    yield "# Table A1: the VVC picture alone, SSIM by QP"
    yield ""
    yield f"`python benchmarks/table_a1.py IMAGES`, {time.strftime('%Y-%m-%d')}, "
    yield f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()}. "
    yield f"{load_codec('vvc').description()}; pyiqa's SSIM on luma. {len(contents)} real pictures "
    yield f"({counts}), which are not the paper's 1,000: its column is to be set beside, not equal."
    yield "Means weigh the contents as the benchmark does (0.4, 0.3, 0.3); 95 % intervals are over "
    yield "pictures, stratified by content."
    yield ""
    yield "| QP | bpp | SSIM | 95 % | paper's SSIM | NSI | SCI | AIGI |"
    yield "|---:|---:|---:|---|---:|---:|---:|---:|"


def rows(points: list[RatePoint], paper: dict[int, float]) -> Iterator[str]:
    """Yield one line a QP."""
    for qp, printed in paper.items():
        group = [point for point in points if point.setting == str(qp)]
        rate = mean_over_contents(by_content(group, [p.bits_per_pixel for p in group]))
        scores = [float("nan") if p.score is None else p.score for p in group]
        means = by_content(group, scores)
        low, high = interval(group, scores)
        cells = " | ".join(f"{means[c]:.3f}" for c in Content)
        yield (
            f"| {qp} | {rate:.4f} | {mean_over_contents(means):.3f} | {low:.3f} to {high:.3f} "
            f"| {printed:.3f} | {cells} |"
        )


def by_content(group: list[RatePoint], values: list[float]) -> dict[Content, float]:
    """Return the means of the contents."""
    contents = [parse_name(point.name).content for point in group]
    return {
        wanted: fmean(v for v, c in zip(values, contents, strict=True) if c is wanted)
        for wanted in Content
    }


def interval(group: list[RatePoint], scores: list[float]) -> tuple[float, float]:
    """Return the interval of the mean with the benchmark's weights."""
    contents = [parse_name(point.name).content for point in group]
    total = sum(IMAGES_PER_CONTENT.values())
    shares = {c: IMAGES_PER_CONTENT[c] / total * len(group) / contents.count(c) for c in Content}
    values = np.array([s * shares[c] for s, c in zip(scores, contents, strict=True)])[:, None]
    drawn = draw_resamples(contents)
    (found,) = estimates(values.mean(axis=0), deviations(values, drawn), drawn.degrees_of_freedom)
    return found.low, found.high


if __name__ == "__main__":
    main()
