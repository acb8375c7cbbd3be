"""The files of one moment's boards: tables, pairs, statistics, records and citations."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from protocol.frozen import FrozenEntry
from protocol.jsonable import to_plain
from protocol.records import Result
from protocol.rules import Track
from space.formats import lines_to_csv, lines_to_parquet, to_csv, to_parquet
from space.pairs import pair_lines, pair_tables
from space.plain import plain_json, public_record
from space.rows import Rows
from space.snapshot import Snapshot
from space.table import CONTENTS, TRACKS_SHOWN, Board, board, cells
from submission.exports.compressai import compressai
from submission.exports.texts import bibtex

Make = Callable[[], bytes]


def table_makers(stem: str, snapshot: Snapshot, rows: Rows) -> dict[str, Make]:
    """Return the tables.

    Args:
        stem: what their paths begin with.
        snapshot: the moment.
        rows: of the snapshot.
    """

    def pairs() -> list[dict[str, Any]]:
        return pair_lines(pair_tables(snapshot.results))

    makers: dict[str, Make] = {
        f"{stem}/pairs.json": lambda: plain_json(pair_tables(snapshot.results)),
        f"{stem}/pairs.csv": lambda: lines_to_csv(pairs()),
        f"{stem}/pairs.parquet": lambda: lines_to_parquet(pairs()),
        f"{stem}/statistics.json": lambda: plain_json(snapshot.statistics),
    }
    for track in TRACKS_SHOWN:
        for content in CONTENTS:
            makers |= _board_makers(stem, track, content, rows)
    return makers


def record_makers(stem: str, snapshot: Snapshot) -> dict[str, Make]:
    """Return the whole record of each run."""
    return {
        f"{stem}/results/{result.request.request_id}.json": partial(_record_file, result)
        for result in snapshot.results
    }


def citation_makers(
    stem: str, snapshot: Snapshot, frozen: FrozenEntry | None = None
) -> dict[str, Make]:
    """Return a BibTeX file for each run, which names the frozen board where it is one."""
    return {
        f"{stem}/cite/{result.request.request_id}.bib": partial(_citation, result, frozen)
        for result in snapshot.results
    }


def curve_makers(stem: str, snapshot: Snapshot) -> dict[str, Make]:
    """Return for each run the points of rate and score that its own belongs to."""
    return {
        f"{stem}/compressai/{request_id}.json": partial(plain_json, curve)
        for request_id, curve in compressai(snapshot.results).items()
    }


def comparison_makers(stem: str, snapshot: Snapshot) -> dict[str, Make]:
    """Return for each run what is stored of it against the others of its boards.

    Who compares two runs wants a pair of each board, and not the pairs of all.
    """
    return {
        f"{stem}/comparisons/{result.request.request_id}.json": partial(
            _comparisons_of, snapshot, result.request.request_id
        )
        for result in snapshot.results
    }


def _comparisons_of(snapshot: Snapshot, request_id: str) -> bytes:
    boards = [
        {
            **{name: getattr(board, name) for name in ("track", "bench", "content", "level")},
            "comparisons": [c for c in board.comparisons if request_id in (c.first, c.second)],
        }
        for board in snapshot.statistics
    ]
    return plain_json([board for board in boards if board["comparisons"]])


def board_record(shown: Board) -> dict[str, Any]:
    """Return a board as the browser reads it: its tables by column."""
    tables = [
        {
            **to_plain(replace(table, lines=())),
            "count": len(table.lines),
            "cells": cells(table),
        }
        for table in shown.tables
    ]
    return {**to_plain(replace(shown, tables=())), "tables": tables}


def _board_makers(stem: str, track: Track, content: str, rows: Rows) -> dict[str, Make]:
    path = f"{stem}/board/{track}.{content}"
    return {
        f"{path}.json": lambda: plain_json(board_record(board(track, content, rows))),
        f"{path}.csv": lambda: to_csv(board(track, content, rows)),
        f"{path}.parquet": lambda: to_parquet(board(track, content, rows)),
    }


def _record_file(result: Result) -> bytes:
    return plain_json(public_record(result))


def _citation(result: Result, frozen: FrozenEntry | None) -> bytes:
    return bibtex(result, frozen=frozen).encode()
