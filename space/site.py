"""The site as a set of files: the server hands them out, and `cmc export-site` writes them down.

A file is made when it is first asked for, and once; a new snapshot is a new set.
"""

import mimetypes
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from protocol.jsonable import to_plain
from protocol.records import Result
from protocol.rules import Track
from space.figure_files import figure_makers
from space.formats import lines_to_csv, lines_to_parquet, to_csv, to_parquet
from space.gallery import gallery_makers
from space.pairs import pair_lines, pair_tables
from space.plain import plain_json, public_record
from space.rows import Rows
from space.snapshot import Snapshot, Source
from space.table import CONTENTS, TRACKS_SHOWN, Board, board, cells
from space.words import CONTENT_TITLES, TRACK_WORDS
from submission.exports.compressai import compressai

STATIC = Path(__file__).parent / "static"
TEXTS = Path(__file__).parent / "texts"

STYLES = ("base", "board", "views", "submit")
"""The page's style sheets: a later one overrules an earlier one."""

Make = Callable[[], bytes]


class Site:
    """Paths and what is in them."""

    def __init__(
        self, makers: Mapping[str, Make], rooms: Mapping[str, Callable[[], Mapping[str, Make]]]
    ) -> None:
        """Keep the makers; nothing is made yet.

        Args:
            makers: by path.
            rooms: by the beginning of their paths, what takes time even to list.
        """
        self._makers = dict(makers)
        self._rooms = dict(rooms)
        self._made: dict[str, bytes] = {}
        self._lock = RLock()
        # A room may ask the Hub: who wants a board does not wait for that.
        self._doors = {room: RLock() for room in rooms}

    def __iter__(self) -> Iterator[str]:
        """Yield all paths."""
        for room in tuple(self._rooms):
            self._enter(room)
        return iter(tuple(self._makers))

    def __contains__(self, path: object) -> bool:
        """Tell whether there is such a path."""
        self._enter(str(path))
        return path in self._makers

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            KeyError: there is no such path.
        """
        made = self._made.get(path)
        if made is None and is_picture(path) and path in self:
            # There may be gigabytes of them, on the Hub: nobody waits for another's, none is kept.
            return self._makers[path]()
        if made is None:
            self._enter(path)
            with self._lock:
                # Another thread may have made it while this one waited.
                made = self._made.get(path)
                if made is None:
                    made = self._made[path] = self._makers[path]()
        return made

    def _enter(self, path: str) -> None:
        for room in tuple(self._rooms):
            if path.startswith(room):
                with self._doors[room]:
                    if room in self._rooms:
                        self._makers |= self._rooms[room]()
                        del self._rooms[room]


def build_site(snapshot: Snapshot, rows: Rows, source: Source, *, can_submit: bool = False) -> Site:
    """Return the site of a snapshot.

    Args:
        snapshot: the results.
        rows: of the snapshot.
        source: where their pictures are.
        can_submit: whether a server stands behind the page.
    """
    first = next(track for track in TRACKS_SHOWN if rows.has(track))
    makers: dict[str, Make] = {"index.html": partial(_index, first)}
    for path in sorted(STATIC.iterdir()):
        if path.suffix != ".css" and path.name != "index.html":
            makers[f"page/{path.name}"] = path.read_bytes
    makers["page/plotly.min.js"] = _plotly
    makers["data/site.json"] = partial(_site_file, snapshot, rows, can_submit=can_submit)
    makers["data/pairs.json"] = lambda: plain_json(pair_tables(snapshot.results))
    makers["data/pairs.csv"] = lambda: lines_to_csv(pair_lines(pair_tables(snapshot.results)))
    makers["data/pairs.parquet"] = lambda: lines_to_parquet(
        pair_lines(pair_tables(snapshot.results))
    )
    makers["data/statistics.json"] = lambda: plain_json(snapshot.statistics)
    for track in TRACKS_SHOWN:
        for content in CONTENTS:
            makers |= _board_makers(track, content, rows)
    rooms: dict[str, Callable[[], Mapping[str, Make]]] = {
        "data/figures": lambda: figure_makers(rows),
        "data/gallery": lambda: gallery_makers(snapshot, source),
        "data/compressai/": lambda: {
            f"data/compressai/{request_id}.json": partial(plain_json, curve)
            for request_id, curve in compressai(snapshot.results).items()
        },
        "data/results/": lambda: {
            f"data/results/{result.request.request_id}.json": partial(_record_file, result)
            for result in snapshot.results
        },
    }
    return Site(makers, rooms)


def is_picture(path: str) -> bool:
    """Tell whether a path is one of a gallery's pictures."""
    return path.endswith((".webp", ".png"))


def media_type(path: str) -> str:
    """Return what a path holds, for a browser."""
    if path.endswith(".parquet"):
        return "application/vnd.apache.parquet"
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = guessed.startswith("text/") or guessed.endswith(("javascript", "json", "svg+xml"))
    return f"{guessed}; charset=utf-8" if is_text else guessed


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


def _board_makers(track: Track, content: str, rows: Rows) -> dict[str, Make]:
    stem = f"data/board/{track}.{content}"
    return {
        f"{stem}.json": lambda: plain_json(board_record(board(track, content, rows))),
        f"{stem}.csv": lambda: to_csv(board(track, content, rows)),
        f"{stem}.parquet": lambda: to_parquet(board(track, content, rows)),
    }


def _index(first: Track) -> bytes:
    """Return the page with its styles in it; what it opens with is asked for before scripts run."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    about = (TEXTS / "about.html").read_text(encoding="utf-8")
    files = ("data/site.json", f"data/board/{first}.all.json")
    early = "\n    ".join(
        f'<link rel="preload" as="fetch" href="{path}" crossorigin="anonymous" />' for path in files
    )
    styles = "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
    early += f"\n    <style>\n{styles}</style>"
    return page.replace("<!-- about -->", about).replace("<!-- early -->", early).encode()


def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.encode()


def _record_file(result: Result) -> bytes:
    return plain_json(public_record(result))


def _site_file(snapshot: Snapshot, rows: Rows, *, can_submit: bool) -> bytes:
    return plain_json(
        {
            "tracks": [
                {"key": track, "tab": TRACK_WORDS[track].tab}
                for track in TRACKS_SHOWN
                if rows.has(track)
            ],
            "contents": CONTENT_TITLES,
            "read_at": snapshot.read_at,
            "revision": snapshot.revision,
            "results": len(snapshot.results),
            "space_id": os.environ.get("SPACE_ID", ""),
            "can_submit": can_submit,
        }
    )
