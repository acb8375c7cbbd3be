"""Print a board: the published numbers, or the results of a store."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_store
from protocol.rules import Content, Track

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
    from submission.store import FolderStore

    track = Track(options.track)
    content = None if options.content == "all" else Content(options.content)
    if options.source == "published":
        rows = published_rows(track, content)
    else:
        rows = result_rows(FolderStore(options.store).results(), track, content)
        rows.sort(key=lambda row: row.bench)
    if options.json:
        print(json.dumps([_plain(row) for row in rows], indent=1, ensure_ascii=False))
    else:
        print_board(rows)
    return 0


def print_board(rows: Sequence["Row"]) -> None:
    """Print rows as text, one table a bench."""
    if not rows:
        print("no rows")
    for bench in dict.fromkeys(row.bench for row in rows):
        chosen = [row for row in rows if row.bench == bench]
        columns = list(dict.fromkeys(name for row in chosen for name in row.indicators))
        width = max(len(_title(row)) for row in chosen)
        print(bench.label)
        heads = "".join(f"{name:>10}" for name in columns)
        print(f"  {'':<{width}}{'overall':>10}{heads}{'bpp':>20}")
        for row in chosen:
            overall = "-" if row.overall is None else f"{row.overall:.4f}"
            cells = [row.indicators.get(name) for name in columns]
            texts = "".join(f"{'-' if cell is None else f'{cell:.4f}':>10}" for cell in cells)
            rates = " / ".join(f"{rate:.4f}" for rate in row.bits_per_pixel.values()) or "-"
            print(f"  {_title(row):<{width}}{overall:>10}{texts}{rates:>20}")


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
    }
