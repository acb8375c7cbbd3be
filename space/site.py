"""The site as a set of files: the server hands them out, and `cmc export-site` writes them down.

A file is made when it is first asked for, and once; a new snapshot is a new set.
"""

import json
import mimetypes
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from protocol.jsonable import to_plain
from protocol.rules import Dimension
from space.formats import to_csv, to_parquet
from space.pairs import pair_tables
from space.snapshot import Snapshot, Source
from space.table import CONTENTS, TRACKS_SHOWN, Board, benches, board, cells
from space.words import CONTENT_TITLES, DIMENSION_TITLES, TRACK_WORDS

STATIC = Path(__file__).parent / "static"
TEXTS = Path(__file__).parent / "texts"

Make = Callable[[], bytes]


class Site:
    """Paths and what is in them."""

    def __init__(self, makers: Mapping[str, Make]) -> None:
        """Keep the makers; nothing is made yet."""
        self._makers = makers
        self._made: dict[str, bytes] = {}
        self._lock = Lock()

    def __iter__(self) -> Iterator[str]:
        """Yield all paths."""
        return iter(self._makers)

    def __contains__(self, path: object) -> bool:
        """Tell whether there is such a path."""
        return path in self._makers

    def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            KeyError: there is no such path.
        """
        made = self._made.get(path)
        if made is None:
            with self._lock:
                # Another thread may have made it while this one waited.
                made = self._made.get(path)
                if made is None:
                    made = self._made[path] = self._makers[path]()
        return made


def build_site(snapshot: Snapshot, source: Source, *, can_submit: bool = False) -> Site:
    """Return the site of a snapshot.

    Args:
        snapshot: the results.
        source: where their pictures are.
        can_submit: whether a server stands behind the page.
    """
    from space.figure_files import figure_makers
    from space.gallery import gallery_makers

    makers: dict[str, Make] = {"index.html": _index}
    for path in sorted(STATIC.iterdir()):
        if path.name != "index.html":
            makers[f"page/{path.name}"] = path.read_bytes
    makers["page/plotly.min.js"] = _plotly
    makers["data/site.json"] = lambda: plain_json(_site_record(snapshot, can_submit=can_submit))
    makers["data/pairs.json"] = lambda: plain_json(pair_tables(snapshot.results))
    for track in TRACKS_SHOWN:
        for content in CONTENTS:
            makers |= _board_makers(
                partial(board, track, content, snapshot.results, snapshot.statistics)
            )
    makers["data/statistics.json"] = lambda: plain_json(snapshot.statistics)
    makers |= figure_makers(snapshot)
    makers |= gallery_makers(snapshot, source)
    makers |= {
        f"data/results/{result.request.request_id}.json": partial(plain_json, result)
        for result in snapshot.results
    }
    return Site(makers)


def media_type(path: str) -> str:
    """Return what a path holds, for a browser."""
    if path.endswith(".parquet"):
        return "application/vnd.apache.parquet"
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = guessed.startswith("text/") or guessed.endswith(("javascript", "json", "svg+xml"))
    return f"{guessed}; charset=utf-8" if is_text else guessed


def plain_json(value: Any) -> bytes:
    """Return a record as compact JSON; a number that is none is refused."""
    text = json.dumps(to_plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def board_record(shown: Board) -> dict[str, Any]:
    """Return a board as the browser reads it: its tables by column."""
    tables = []
    for table in shown.tables:
        plain = {key: value for key, value in to_plain(table).items() if key != "lines"}
        tables.append({**plain, "count": len(table.lines), "cells": cells(table)})
    return {**to_plain(shown), "tables": tables}


def _board_makers(make: "partial[Board]") -> dict[str, Make]:
    track, content, *_ = make.args
    stem = f"data/board/{track}.{content}"
    return {
        f"{stem}.json": lambda: plain_json(board_record(make())),
        f"{stem}.csv": lambda: to_csv(make()),
        f"{stem}.parquet": lambda: to_parquet(make()),
    }


def _index() -> bytes:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    about = (TEXTS / "about.html").read_text(encoding="utf-8")
    return page.replace("<!-- about -->", about).encode()


def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.encode()


def _site_record(snapshot: Snapshot, *, can_submit: bool) -> dict[str, Any]:
    import os

    return {
        "tracks": [
            {"key": track, "tab": TRACK_WORDS[track].tab}
            for track in TRACKS_SHOWN
            if benches(track, snapshot.results)
        ],
        "contents": CONTENT_TITLES,
        "dimensions": {str(dim): DIMENSION_TITLES[dim] for dim in Dimension},
        "read_at": snapshot.read_at,
        "revision": snapshot.revision,
        "results": len(snapshot.results),
        "space_id": os.environ.get("SPACE_ID", ""),
        "can_submit": can_submit,
    }
