"""The site as a set of files: the server hands them out, and `cmc export-site` writes them down.

A file is made when it is first asked for, and once; a new snapshot is a new set.
"""

import mimetypes
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

from protocol.frozen import FrozenEntry
from protocol.published import published_sha256
from protocol.rules import Track
from space.board_files import (
    citation_makers,
    comparison_makers,
    curve_makers,
    record_makers,
    table_makers,
)
from space.figure_files import figure_makers
from space.frozen_files import MANIFEST, time_makers, time_rooms
from space.gallery import gallery_makers
from space.plain import plain_json
from space.rows import Rows
from space.snapshot import Snapshot, Source, say_damage
from space.table import TRACKS_SHOWN
from space.words import CONTENT_TITLES, TRACK_WORDS

STATIC = Path(__file__).parent / "static"
TEXTS = Path(__file__).parent / "texts"

STYLES = ("base", "board", "views", "submit", "print")
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
        if made is None and is_fleeting(path) and path in self:
            # There may be gigabytes of pictures, on the Hub: nobody waits for another's.
            return self._makers[path]()
        if made is None:
            self._enter(path)
            # What changed since a frozen board is found by reading that board: nobody else waits.
            room = next((room for room in self._doors if path.startswith(room)), None)
            with self._doors[room] if room else self._lock:
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
    shown = [track for track in TRACKS_SHOWN if rows.has(track)]
    makers: dict[str, Make] = {"index.html": partial(_index, shown)}
    for path in sorted(STATIC.iterdir()):
        if path.suffix != ".css" and path.name != "index.html":
            makers[f"page/{path.name}"] = path.read_bytes
    makers["page/plotly.min.js"] = _plotly
    makers["data/site.json"] = partial(_site_file, snapshot, rows, can_submit=can_submit)
    makers |= table_makers("data", snapshot, rows) | time_makers(snapshot, source)
    rooms: dict[str, Callable[[], Mapping[str, Make]]] = {
        "data/figures": lambda: figure_makers(rows),
        "data/gallery": lambda: gallery_makers(snapshot, source),
        "data/results/": lambda: record_makers("data", snapshot),
        "data/cite/": lambda: citation_makers("data", snapshot),
        "data/compressai/": lambda: curve_makers("data", snapshot),
        "data/comparisons/": lambda: comparison_makers("data", snapshot),
        **time_rooms(snapshot, source),
    }
    return Site(makers, rooms)


def is_fleeting(path: str) -> bool:
    """Tell whether a file is made for each who asks: a picture, or what is newer every minute."""
    return path.endswith((".webp", ".png")) or path in MANIFEST


def asks_the_store(path: str) -> bool:
    """Tell whether a file may have to be asked of the store, which may not answer."""
    return path in MANIFEST or path.startswith(("data/gallery", "data/as-of/", "data/changes/"))


def media_type(path: str) -> str:
    """Return what a path holds, for a browser."""
    if path.endswith(".parquet"):
        return "application/vnd.apache.parquet"
    if path.endswith(".bib"):
        return "application/x-bibtex; charset=utf-8"
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    is_text = guessed.startswith("text/") or guessed.endswith(("javascript", "json", "svg+xml"))
    return f"{guessed}; charset=utf-8" if is_text else guessed


def _index(tracks: Sequence[Track]) -> bytes:
    """Return the page with its styles in it; what it opens with is asked for before scripts run."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    about = (TEXTS / "about.html").read_text(encoding="utf-8")
    styles = "\n".join((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
    boards = ", ".join(
        f'<a href="data/board/{track}.all.csv">{TRACK_WORDS[track].tab}</a>' for track in tracks
    )
    parts = {
        "about": about,
        "styles": f"<style>\n{styles}</style>",
        "first": f"data/board/{tracks[0]}.all.json",
        "boards": boards,
        "keys": " ".join(tracks),
        "contents": " ".join(CONTENT_TITLES),
    }
    for name, part in parts.items():
        page = page.replace(f"<!-- {name} -->", part)
    return page.encode()


def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script.encode()


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
            "problem": say_damage(snapshot),
            "trouble": say_damage(snapshot),
            "snapshots": [_frozen_line(entry) for entry in snapshot.frozen],
            "space_id": os.environ.get("SPACE_ID", ""),
            "can_submit": can_submit,
        }
    )


def _frozen_line(entry: FrozenEntry) -> dict[str, Any]:
    """Return what the page says of a frozen board before it reads it."""
    shown = ("label", "slug", "frozen_at", "frozen_by", "sha256")
    line = {name: getattr(entry, name) for name in shown}
    return {**line, "other_published": entry.published_sha256 != published_sha256()}
