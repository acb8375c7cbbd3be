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
    parser.add_argument(
        "--source",
        choices=["published", "results"],
        help="the paper's numbers or a store's (default: the store's where --store names one)",
    )
    parser.add_argument("--content", choices=["all", *Content], default="all")
    add_store(parser)
    parser.set_defaults(standard_store=parser.get_default("store"), store="")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the rows, best first; tables that cannot be compared stand one after the other."""
    import json

    from protocol.boards import published_rows, result_rows
    from protocol.replications import replication_counts
    from submission.replications import read_replications
    from submission.store import open_existing

    track = Track(options.track)
    content = None if options.content == "all" else Content(options.content)
    if (options.source or ("results" if options.store else "published")) == "published":
        rows = published_rows(track, content)
    else:
        store = open_existing(options.store or options.standard_store)
        counts = replication_counts(read_replications(store))
        rows = result_rows(store.results(), track, content, counts)
        rows.sort(key=lambda row: row.bench)
    if options.json:
        places = _places(rows)
        found = [{**_plain(row), "rank": places.get(id(row))} for row in rows]
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        print_board(rows)
    return 0


def print_board(rows: Sequence["Row"]) -> None:
    """Print the rows of one track as text, one table a bench, those that are not ranked last."""
    if not rows:
        print("no rows")
    places = _places(rows)
    for bench in dict.fromkeys(row.bench for row in rows):
        chosen = [row for row in rows if row.bench == bench]
        chosen.sort(key=lambda row: id(row) not in places)
        modes = [
            m
            for m in TRACKS[rows[0].track].modes
            if any(set(_cells(r, m)) != {None} for r in chosen)
        ]
        heads = [f"{mode} {name}" for mode in modes for name in ("fr", "nr", "bpp")]
        titles = _titles(chosen)
        width = max(map(len, titles))
        print(bench.label)
        print(f"      {'':<{width}}{'overall':>10}{''.join(f'{head:>11}' for head in heads)}")
        for row, title in zip(chosen, titles, strict=True):
            values = [value for mode in modes for value in _cells(row, mode)]
            cells = "".join(f"{_number(value):>11}" for value in values)
            place = places.get(id(row))
            lacks = f"  lacks {', '.join(row.missing_modes)}" if row.missing_modes else ""
            overall = _number(row.overall if place else None)
            print(
                f"{place or '-':>4}  {title:<{width}}{overall:>10}{cells}{'' if place else lacks}"
            )


def _titles(rows: Sequence["Row"]) -> list[str]:
    """Return what the rows of a table are called, with the revision where two share a name."""
    from collections import Counter

    from protocol.system_names import names_with_partners

    names = names_with_partners(rows)
    times = Counter(names)
    marks = [
        f" [{row.facts.revision[:8]}]" if times[name] > 1 and row.facts.revision else ""
        for name, row in zip(names, rows, strict=True)
    ]
    return [
        f"{name}{mark} ({row.source})" for name, mark, row in zip(names, marks, rows, strict=True)
    ]


def _places(rows: Sequence["Row"]) -> dict[int, int]:
    """Return the rank on its bench of each row that is ranked, by its `id`."""
    from protocol.ranks import ranked_rows, ranks

    places: dict[int, int] = {}
    for bench in {row.bench for row in rows}:
        ranked = ranked_rows([row for row in rows if row.bench == bench])
        places |= zip(map(id, ranked), ranks(ranked), strict=True)
    return places


def _cells(row: "Row", mode: Mode) -> tuple[float | None, float | None, float | None]:
    return (
        row.scores.get((mode, Dimension.FR)),
        row.scores.get((mode, Dimension.NR)),
        row.bits_per_pixel.get(mode),
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


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
