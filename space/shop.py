"""What the server has to hand out: the newest site, its rows, and every file in its packed form."""

import gzip
import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from space.rows import Rows
from space.site import Site, build_site, is_fleeting, media_type
from space.snapshot import SnapshotKeeper, Source
from space.table import TRACKS_SHOWN

PATIENCE_SECONDS = 4.0
"""How long a start waits for the first reading before it shows the published rows alone."""

Packed: TypeAlias = tuple[bytes, bytes, str]
"""A file, the file compressed, and its mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stock:
    rows: Rows
    site: Site
    packed: dict[str, Packed]


class Shop:
    """The newest site, with each file's compressed form and its mark for the browser's cache."""

    def __init__(self, source: Source, keep: Path | None = None) -> None:
        """Take what was kept of a source, or read it; while it does not answer, show what is known.

        Args:
            source: where results come from.
            keep: file for the last good snapshot.
        """
        self._renewing = threading.Lock()
        self._stock: _Stock | None = None
        self.keeper = SnapshotKeeper(source, keep, on_change=self._renew)
        self.keeper.begin(PATIENCE_SECONDS)
        if self._stock is None:
            self._renew()

    def _renew(self) -> None:
        # Who comes second takes the newest snapshot too, so an older stock never replaces it.
        with self._renewing:
            snapshot = self.keeper.snapshot
            rows = Rows.of(snapshot)
            site = build_site(snapshot, rows, self.keeper.source, can_submit=True)
            stock = _Stock(rows=rows, site=site, packed={})
            # What every reader asks first is made before the first reader can.
            first = next(track for track in TRACKS_SHOWN if rows.has(track))
            for path in ("index.html", "data/site.json", f"data/board/{first}.all.json"):
                _pack(stock, path)
            # One assignment: a request sees the old stock or the new one, never half of each.
            self._stock = stock

    @property
    def stock(self) -> _Stock:
        """The newest site."""
        if self._stock is None:
            raise RuntimeError("the shop is asked before it is open")
        return self._stock

    @property
    def rows(self) -> Rows:
        """The rows of the newest snapshot."""
        return self.stock.rows

    def made(self, path: str) -> Packed | None:
        """Return a file that somebody asked for before, without making anything."""
        return self.stock.packed.get(path)

    def find(self, path: str) -> Packed | None:
        """Return a file, the file compressed, and its mark; None where there is no such file."""
        stock = self.stock
        return _pack(stock, path) if path in stock.site else None

    def status(self) -> dict[str, str]:
        """Return which results are shown, how old they are, and what went wrong since."""
        return {
            "revision": self.keeper.snapshot.revision,
            "read_at": self.keeper.snapshot.read_at,
            "checked_at": self.keeper.checked_at,
            "problem": self.keeper.problem,
            "trouble": self.keeper.trouble,
            "failing_since": self.keeper.failing_since,
        }


def _pack(stock: _Stock, path: str) -> Packed:
    if path not in stock.packed:
        content = stock.site.read(path)
        is_text = media_type(path).endswith("utf-8")
        small = gzip.compress(content, compresslevel=6, mtime=0) if is_text else content
        mark = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
        if is_fleeting(path):
            return content, content, mark
        stock.packed[path] = (content, small, mark)
    return stock.packed[path]
