"""The figures as files: `data/figures.json` lists them, each has its drawing and its numbers."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Any, TypeAlias

from protocol.boards import Row
from protocol.published import read_table
from protocol.rules import Mode, Role, Track
from protocol.systems import find_system
from space.drawings.pareto import Point, pareto_figure
from space.drawings.plane import plane_figure
from space.drawings.published import (
    complexity_figure,
    correlation_figure,
    prompt_figure,
    quality_figure,
)
from space.drawings.radar import radar_figure
from space.drawings.rate import rate_figure
from space.plain import plain_json
from space.rows import Rows
from space.table import TRACKS_SHOWN, bench_title, ranked_rows, row_name
from space.words import TRACK_WORDS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Make: TypeAlias = Callable[[], bytes]
Numbers: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One figure in the list."""

    key: str
    kind: str
    title: str
    of: str
    """What it is drawn of, where there are several."""
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A figure with the numbers in it."""

    entry: Entry
    draw: "Callable[[], Figure]"
    numbers: Numbers


def figure_makers(rows: Rows) -> dict[str, Make]:
    """Return the list of figures and every figure's file."""
    drawn = [*_board_figures(rows), *_published_figures()]
    makers: dict[str, Make] = {
        "data/figures.json": lambda: plain_json([one.entry for one in drawn])
    }
    return makers | {f"data/figures/{one.entry.key}.json": partial(_file, one) for one in drawn}


def _file(drawn: Drawn) -> bytes:
    # Plotly's own JSON: it knows its types.
    figure = json.loads(str(drawn.draw().to_json()))
    return plain_json({"figure": figure, "rows": drawn.numbers})


def _board_figures(rows: Rows) -> list[Drawn]:
    drawn: list[Drawn] = []
    codecs = rows.by_bench(Track.CODEC, None)
    for track in TRACKS_SHOWN:
        for bench in rows.benches(track):
            of = f"{TRACK_WORDS[track].tab}, {bench_title(bench)}"
            # The key stands in links: it has to be the same after every refresh.
            key = f"{track}-{hashlib.sha256(bench.label.encode()).hexdigest()[:8]}"
            shown = rows.by_bench(track, None)[bench]
            drawn += _of_board(key, of, shown, codecs.get(bench, []))
    kinds = ["plane", "rate", "radar", "pareto", "size"]
    return sorted(drawn, key=lambda one: kinds.index(one.entry.kind))


def _of_board(key: str, of: str, rows: Sequence[Row], codecs: Sequence[Row]) -> list[Drawn]:
    track, ranked = rows[0].track, ranked_rows(rows)
    drawn = []
    numbers = [_numbers(row) for row in rows]

    def add(kind: str, title: str, about: str, draw: "Callable[[], Figure]") -> None:
        entry = Entry(key=f"{kind}-{key}", kind=kind, title=title, of=of, about=about)
        drawn.append(Drawn(entry=entry, draw=draw, numbers=numbers))

    if track is not Track.CODEC and ranked:
        add(
            "plane",
            "Consistency and perception",
            "Each system by its two means; the dotted lines join equal Overalls.",
            partial(plane_figure, track, ranked),
        )
        add(
            "radar",
            "All scores at once",
            "Press a name to show or hide it. Systems that lack a score are left out.",
            partial(radar_figure, track, ranked),
        )
    if any(row.bits_per_pixel for row in rows):
        add(
            "rate",
            "Scores against the size of the file",
            "Systems as points, one a mode; codecs as lines over their qualities.",
            partial(rate_figure, rows, codecs),
        )
    seconds = _points((row, row.decode_seconds) for row in ranked)
    if seconds:
        add(
            "pareto",
            "What a score costs",
            "Mean decoding seconds over the board's modes; compare rows of one device only.",
            partial(pareto_figure, seconds, "seconds to decode"),
        )
    sizes = _points((row, row.bits_per_pixel) for row in ranked)
    if sizes:
        add(
            "size",
            "What a score costs in bits",
            "Mean bits per pixel over the board's modes against the Overall.",
            partial(pareto_figure, sizes, "bits per pixel"),
        )
    return drawn


def _points(costs: Iterable[tuple[Row, Mapping[Mode, float]]]) -> list[Point]:
    """Return a point for each row that has a cost, with its mean over the modes."""
    means = [(row, fmean(by_mode.values())) for row, by_mode in costs if by_mode]
    return [Point(row_name(row), mean, row.overall or 0.0) for row, mean in means if mean > 0]


def _numbers(row: Row) -> dict[str, Any]:
    return {
        "model": row.model,
        "partner": row.partner,
        "source": row.source,
        "overall": row.overall if not row.missing_modes else None,
        **row.indicators,
        **{f"{mode}_bpp": bpp for mode, bpp in row.bits_per_pixel.items()},
        **{f"{mode}_decode_s": seconds for mode, seconds in row.decode_seconds.items()},
    }


def _published_figures() -> list[Drawn]:
    drawn = []
    points = _published_costs()
    tables: list[tuple[str, str, str, str, Callable[[], Figure], Numbers]] = [
        (
            "pareto",
            "What a score costs",
            "T2I · ULB, Paper, table 6",
            "Seconds of the paper's table 6 (1024 x 1024, one GPU) against its table 3.",
            partial(pareto_figure, points, "seconds to decode"),
            [point._asdict() for point in points],
        ),
        (
            "quality",
            "Strength of the sent picture",
            "Paper, table A1",
            "VVC alone and what is painted from it. LPIPS and FID: lower is better.",
            quality_figure,
            list(read_table("reference_quality")),
        ),
        (
            "prompt",
            "Captions: length and form",
            "GPT-4o paper, table 1",
            "Text mode on DIV2K; DISTS: lower is better.",
            prompt_figure,
            list(read_table("raster_scan_prompt")),
        ),
        (
            "correlation",
            "Indicators and people",
            "Paper, table 2",
            "Spearman's rank correlation of fine-tuned indicators with mean opinion scores.",
            correlation_figure,
            list(read_table("indicator_correlation")),
        ),
        (
            "complexity",
            "Seconds",
            "Paper, table 6",
            "Encoding and decoding one picture of 1024 x 1024 on one GPU.",
            complexity_figure,
            list(read_table("complexity_seconds")),
        ),
    ]
    for kind, title, of, about, draw, numbers in tables:
        entry = Entry(key=f"{kind}-published", kind=kind, title=title, of=of, about=about)
        drawn.append(Drawn(entry=entry, draw=draw, numbers=numbers))
    return drawn


def _published_costs() -> list[Point]:
    from protocol.boards import published_rows

    seconds = {
        _plain(line["system"]): float(line["seconds"])
        for line in read_table("complexity_seconds")
        if line["stage"] == "decode"
    }
    return [
        Point(row.model, seconds[_plain(row.model)], row.overall or 0.0)
        for row in published_rows(Track.T2I_ULB, None)
        if row.role is Role.T2I and _plain(row.model) in seconds
    ]


def _plain(name: str) -> str:
    """Return one spelling of a system's name for all that the paper uses."""
    known = find_system(name)
    return known.name if known else name
