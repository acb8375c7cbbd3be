"""Say what changed between two boards: which rows came, left and moved, who did it, and why.

A board is `live` or the label of one that `cmc freeze` made. One board against itself compares its
benches: the same systems under another protocol, on other pictures, by other weights.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_store
from protocol.counts import counted
from protocol.rules import Content, Track

if TYPE_CHECKING:
    from protocol.changes import BoardChanges, Change, TableChanges

HELP = "say what changed between two boards, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("before", nargs="?", help="label, or live (default: the newest label)")
    parser.add_argument("after", nargs="?", default="live", help="label, or live (default)")
    parser.add_argument("--track", choices=[t.value for t in Track], help="default: all")
    parser.add_argument("--content", choices=["all", *Content], default="all")
    parser.add_argument("--bench", default="", help="what the bench's label begins with")
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print one line a row that changed, one table a bench."""
    import json

    from protocol.jsonable import to_plain

    found = _chosen(_compare(options), options)
    if options.json:
        print(json.dumps(to_plain(found), indent=1, ensure_ascii=False))
        return 0
    for line in _lines(found):
        print(line)
    return 0


def _compare(options: argparse.Namespace) -> "BoardChanges":
    from protocol.changes import compare_boards
    from protocol.errors import InputError
    from submission.freezing import list_frozen
    from submission.manifest import manifest_of
    from submission.sides import in_order, read_side
    from submission.store import open_existing

    store = open_existing(options.store)
    labels = [entry.label for entry in list_frozen(store.beside).values()]
    if options.before is None and not labels:
        raise InputError(f"{options.store} has no frozen board; `cmc freeze` makes one")
    before, after = in_order(store, options.before or labels[-1], options.after)
    tracks = [Track(options.track)] if options.track else list(Track)
    # The manifest last: what the boards lack since they were read is then in it.
    sides = read_side(store, before), read_side(store, after)
    return compare_boards(*sides, manifest_of(store.ledger.refresh()), tracks)


def _chosen(changes: "BoardChanges", options: argparse.Namespace) -> "BoardChanges":
    from dataclasses import replace

    return replace(
        changes,
        tables=tuple(
            table
            for table in changes.tables
            if (table.content or "all") == options.content
            and (table.bench_before.startswith(options.bench) or not options.bench)
        ),
    )


def _lines(changes: "BoardChanges") -> Iterator[str]:
    if not changes.tables:
        yield f"nothing changed from {changes.before} to {changes.after}"
    for table in changes.tables:
        yield _head(table)
        yield from (f"  {_line(change)}" for change in table.changes)
        if table.same:
            still = "is as it was" if table.same == 1 else "are as they were"
            yield f"  {counted(table.same, 'row')} {still}"


def _head(table: "TableChanges") -> str:
    benches = dict.fromkeys([table.bench_before, table.bench_after])
    return f"{table.track}, {table.content or 'all'}: {' → '.join(benches)}"


def _line(change: "Change") -> str:
    name = f"{change.model} + {change.partner}" if change.partner else change.model
    difference = "" if change.difference is None else f" ({change.difference:+.4f})"
    parts = [
        f"{change.kind:<5}",
        _step(_rank(change.rank_before), _rank(change.rank_after)),
        _step(_score(change.overall_before), _score(change.overall_after)) + difference,
        name,
        change.why,
        ", ".join(filter(None, (change.by, change.at[:10]))),
    ]
    return "  ".join(filter(None, parts))


def _step(before: str, after: str) -> str:
    return before if before == after else f"{before or '-'} → {after or '-'}"


def _rank(rank: int | None) -> str:
    return "" if rank is None else f"#{rank}"


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.4f}"
