"""A folder that ratings are appended to, one at a time, and none is lost.

salt                 random, readable by its owner alone; without it no name leads to a pseudonym
consents.csv         who agreed, when, and to which text
ratings/<viewer>.csv every rating in the order it was given; a changed one stands there twice

A rating is on the disk before its call returns. A line that a crash cut short was never
acknowledged; the next rating of that viewer takes its place.
"""

import csv
import errno
import fcntl
import hashlib
import hmac
import io
import os
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from protocol.errors import RatingError
from protocol.files import write_whole
from protocol.ratings import COLUMNS, Parsed, Rating, parse_ratings

CONSENT_COLUMNS = ("viewer", "time", "text_sha256")
_DIGITS = 16


class RatingLog:
    """The ratings of one study."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder's name; nothing is created before the first viewer."""
        self.folder = folder

    def pseudonym(self, name: str) -> str:
        """Return what a viewer is called here: 16 hex digits that say nothing without the salt.

        The name itself is written nowhere. Capitals, spaces around it and whether an accent is
        typed as a character of its own (Unicode's NFC and NFD) make no difference.

        Raises:
            RatingError: the name is empty.
        """
        plain = unicodedata.normalize("NFC", " ".join(name.split())).casefold()
        if not plain:
            raise RatingError("the name is empty; any word will do, as long as it stays the same")
        return _digits(self._salt(), plain)

    def marks(self, viewer: str, images: Sequence[str]) -> list[str]:
        """Return what a viewer's browser is told instead of the images' names.

        Without the salt a mark says nothing, and it stays when other images come or go.
        """
        salt = self._salt()
        return [_digits(salt, f"{viewer}/{image}") for image in images]

    def consent(self, viewer: str, text: str, time: str) -> None:
        """Write down that a viewer agreed to a text."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        if not self.has_consented(viewer, text):
            _append(self.folder / "consents.csv", CONSENT_COLUMNS, (viewer, time, digest))

    def has_consented(self, viewer: str, text: str) -> bool:
        """Say whether a viewer agreed to exactly this text."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        return any(
            row["viewer"] == viewer and row["text_sha256"] == digest
            for row in _rows(self.folder / "consents.csv")
        )

    def append(self, rating: Rating) -> None:
        """Write a rating; when this returns it is on the disk.

        Raises:
            OSError: the disk is full or the folder cannot be written; nothing was acknowledged.
        """
        values = [str(getattr(rating, name)) for name in COLUMNS]
        _append(self._path(rating.viewer), COLUMNS, values)

    def answers(self, viewer: str) -> tuple[Parsed, list[datetime]]:
        """Return what counts of a viewer's ratings, and when each was given, in order.

        The latest of each image and dimension counts; the times are of the changed ones too. The
        file is read once for both: it is asked for at every picture.
        """
        rows = list(_rows(self._path(viewer)))
        return parse_ratings(rows), sorted(datetime.fromisoformat(row["time"]) for row in rows)

    def rows(self) -> list[dict[str, str]]:
        """Return every rating that was ever given, superseded ones too, by time."""
        paths = sorted((self.folder / "ratings").glob("*.csv"))
        return sorted((row for path in paths for row in _rows(path)), key=lambda row: row["time"])

    def forget(self, name: str) -> int:
        """Remove a viewer's ratings and consents; return how many ratings were removed.

        What was exported before is not reached.

        Raises:
            RatingError: the folder keeps no ratings, or nobody of this name rated here.
        """
        if not (self.folder / "salt").is_file():
            raise RatingError(f"{self.folder} is no folder of `cmc rate`: nobody rated there")
        viewer = self.pseudonym(name)
        path, consents = self._path(viewer), self.folder / "consents.csv"
        rows = list(_rows(consents))
        others = [row for row in rows if row["viewer"] != viewer]
        if len(others) == len(rows) and not path.is_file():
            raise RatingError(
                f"nobody called {name!r} rated in {self.folder}; wanted the name that was typed on "
                "the page"
            )
        removed = len(list(_rows(path)))
        if rows:
            kept = [[row[column] for column in CONSENT_COLUMNS] for row in others]
            write_whole(consents, _lines([CONSENT_COLUMNS, *kept]).encode())
        path.unlink(missing_ok=True)
        return removed

    def _path(self, viewer: str) -> Path:
        if len(viewer) != _DIGITS or not set(viewer) <= set("0123456789abcdef"):
            raise RatingError(f"{viewer[:40]!r} is no viewer's pseudonym")
        return self.folder / "ratings" / f"{viewer}.csv"

    def _salt(self) -> bytes:
        path = self.folder / "salt"
        if not path.is_file():
            fresh = path.with_name(f".salt.{secrets.token_hex(8)}")
            write_whole(fresh, secrets.token_hex(32).encode())
            fresh.chmod(0o600)
            try:
                # Of two processes that start at once, both use what the first one linked.
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        return path.read_bytes()


def _digits(salt: bytes, text: str) -> str:
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def ratings_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """Return ratings as the CSV that `cmc mos` and the dataset read."""
    return _lines([COLUMNS, *([row[name] for name in COLUMNS] for row in rows)]).encode()


def _append(path: Path, columns: Sequence[str], values: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        end = _whole_length(descriptor)
        os.ftruncate(descriptor, end)
        text = _lines([values] if end else [columns, values]).encode()
        written = os.write(descriptor, text)
        os.fsync(descriptor)
        if written < len(text):
            raise OSError(errno.ENOSPC, "the disk is full", str(path))
    finally:
        os.close(descriptor)
    if is_new:
        _sync_folder(path.parent)


def _whole_length(descriptor: int) -> int:
    """Return the length up to the last whole line."""
    content = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    return content.rfind(b"\n") + 1


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if not path.is_file():
        return
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1].decode()
    yield from csv.DictReader(io.StringIO(whole, newline=""))
