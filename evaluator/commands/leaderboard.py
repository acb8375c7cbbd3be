"""Print a board: the published numbers, or the results of a store."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_store
from protocol.rules import TRACKS, Content, Dimension, Mode, Track

if TYPE_CHECKING:
    from protocol.boards import Row

HELP = "print a board"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--track", choices=[t.value for t in Track], default=Track.T2I_ULB.value)
    parser.add_argument("--source", choices=["published", "results"], default="published")
    parser.add_argument("--content", choices=["all", *Content], default="all")
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the rows, best first; tables that cannot be compared stand one after the other."""
    import json

    from protocol.boards import published_rows, result_rows
    from protocol.replications import replication_counts
    from submission.replications import read_replications
    from submission.store import open_store

    track = Track(options.track)
    content = None if options.content == "all" else Content(options.content)
    if options.source == "published":
        rows = published_rows(track, content)
    else:
        store = open_store(options.store)
        counts = replication_counts(read_replications(store))
        rows = result_rows(store.results(), track, content, counts)
        rows.sort(key=lambda row: row.bench)
    if options.json:
        print(json.dumps([_plain(row) for row in rows], indent=1, ensure_ascii=False))
    else:
        print_board(rows)
    return 0


def print_board(rows: Sequence["Row"]) -> None:
    """Print the rows of one track as text, one table a bench."""
    if not rows:
        print("no rows")
    for bench in dict.fromkeys(row.bench for row in rows):
        chosen = [row for row in rows if row.bench == bench]
        modes = [m for m in TRACKS[rows[0].track].modes if any(_cells(row, m)[0] for row in chosen)]
        heads = [f"{mode} {name}" for mode in modes for name in ("fr", "nr", "bpp")]
        width = max(len(_title(row)) for row in chosen)
        print(bench.label)
        print(f"  {'':<{width}}{'overall':>10}{''.join(f'{head:>11}' for head in heads)}")
        for row in chosen:
            values = [value for mode in modes for value in _cells(row, mode)]
            cells = "".join(f"{_number(value):>11}" for value in values)
            print(f"  {_title(row):<{width}}{_number(row.overall):>10}{cells}")


def _cells(row: "Row", mode: Mode) -> tuple[float | None, float | None, float | None]:
    return (
        row.scores.get((mode, Dimension.FR)),
        row.scores.get((mode, Dimension.NR)),
        row.bits_per_pixel.get(mode),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _title(row: "Row") -> str:
    return f"{row.model} ({row.source})"


def _plain(row: "Row") -> dict[str, object]:
    return {
        "model": row.model,
        "role": row.role,
        "track": row.track,
        "source": row.source,
        "overall": row.overall,
        "indicators": row.indicators,
        "bits_per_pixel": dict(row.bits_per_pixel),
        "missing_modes": list(row.missing_modes),
        "partner": row.partner,
        "bench": row.bench.label,
        "content": row.content or "all",
        "request_id": row.request_id,
        "replications": row.replications,
    }
