"""Figures of the paper's tables that are no board."""

from collections.abc import Iterator
from functools import partial

from protocol.published import read_table, table_rows
from protocol.rules import Role, Track
from protocol.systems import find_system
from space.drawings.pareto import Point, pareto_figure
from space.drawings.tables import (
    complexity_figure,
    correlation_figure,
    prompt_figure,
    quality_figure,
)
from space.figure_entry import Drawn, Numbers, entry


def published_figures() -> Iterator[Drawn]:
    """Yield them."""
    points = _costs()
    tables = (
        (
            "pareto",
            "T2I · ULB, paper, table 6",
            "Seconds of the paper's table 6 (1024 x 1024, one GPU) against its table 3.",
            partial(pareto_figure, points, "seconds to decode"),
            [
                {"model": name, "seconds to decode": seconds, "overall": overall}
                for name, seconds, overall in points
            ],
        ),
        (
            "quality",
            "Paper, table A1",
            "VVC alone and what is painted from it, at four QPs. LPIPS and FID: lower is better.",
            quality_figure,
            _numbers("reference_quality"),
        ),
        (
            "prompt",
            "GPT-4o paper, table 1",
            "Text mode on DIV2K. DISTS: lower is better. Figure A4 has no numbers.",
            prompt_figure,
            _numbers("raster_scan_prompt"),
        ),
        (
            "correlation",
            "Paper, table 2",
            "Spearman's rank correlation of fine-tuned indicators with mean opinion scores.",
            correlation_figure,
            _numbers("indicator_correlation"),
        ),
        (
            "complexity",
            "Paper, table 6",
            "Encoding and decoding one picture of 1024 x 1024: models on one GPU, VVC at QP 41.",
            complexity_figure,
            _numbers("complexity_seconds"),
        ),
    )
    for kind, of, about, draw, numbers in tables:
        yield Drawn(entry=entry(kind, "published", of, about), draw=draw, numbers=numbers)


def _numbers(table: str) -> Numbers:
    return [{key: _number(text) for key, text in line.items()} for line in read_table(table)]


def _number(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _costs() -> list[Point]:
    seconds = {
        _plain(line["system"]): float(line["seconds"])
        for line in read_table("complexity_seconds")
        if line["stage"] == "decode"
    }
    return [
        Point(row.model, seconds[_plain(row.model)], row.overall or 0.0)
        for row in table_rows(Track.T2I_ULB, None)
        if row.role is Role.T2I and _plain(row.model) in seconds
    ]


def _plain(name: str) -> str:
    """Return one spelling of a system's name for all that the paper uses."""
    known = find_system(name)
    return known.name if known else name
