"""The content-addressed cache: what was made once from the same inputs is never made again.

An entry's key is a hash of everything that decides it, so nothing is ever out of date, and several
processes may write at once. Entries are written whole; a damaged one counts as absent.
"""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evaluator.pictures import open_picture
from protocol.errors import MachineFault, RecordError
from protocol.files import write_whole
from protocol.jsonable import from_json, to_json, to_plain

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CaptionEntry:
    """What an I2T model said of a picture; `evaluator.captioners.Caption` says what is what."""

    text: str
    seconds: float
    tokens: int | None
    is_cut: bool
    model: str
    answered_at: str


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """A picture as an image codec sends it."""

    stream: str
    """The codec's stream in base64."""
    seconds: float


@dataclass(frozen=True, slots=True)
class PictureEntry:
    """What a decoder made of a file and how (`decoders.Account`), or why it made nothing."""

    png_sha256: str
    """The PNG lies beside this entry; empty after a failure."""
    seconds: float
    working_width: int
    working_height: int
    start_sigma: float | None
    asked_sigma: float | None
    details: Mapping[str, str]
    failure_code: str
    failure_message: str
    caption_is_cut: bool | None = None


@dataclass(frozen=True, slots=True)
class ScoreEntry:
    """One indicator's answer for one picture."""

    score: float


class Cache:
    """A folder of entries by kind and key."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder's name; nothing is created before the first write."""
        self.folder = folder

    def find(self, kind: type[T], key: str) -> T | None:
        """Return an entry, or None when it is not there or is damaged."""
        path = self._path(kind.__name__, key, ".json")
        try:
            entry = from_json(kind, path.read_bytes())
        except (FileNotFoundError, RecordError):
            return None
        _touch(path)
        return entry

    def keep(self, key: str, entry: Any) -> None:
        """Write an entry."""
        path = self._path(type(entry).__name__, key, ".json")
        # Pure noise is an infinite noise level; nobody else reads these files.
        write_whole(path, to_json(entry, only_finite=False).encode())

    def find_picture(self, key: str) -> PictureEntry | None:
        """Return a picture's entry when its PNG is there, whole, or when decoding it failed."""
        entry = self.find(PictureEntry, key)
        if entry is None or entry.failure_code:
            return entry
        try:
            content = self.picture_path(key).read_bytes()
        except FileNotFoundError:
            return None
        _touch(self.picture_path(key))
        return entry if hashlib.sha256(content).hexdigest() == entry.png_sha256 else None

    def keep_picture(self, key: str, entry: PictureEntry, png: bytes) -> None:
        """Write a picture; its entry, written last, says that the PNG is whole."""
        if png:
            write_whole(self.picture_path(key), png)
        self.keep(key, entry)

    def picture_path(self, key: str) -> Path:
        """Return where a decoded picture lies."""
        return self._path(PictureEntry.__name__, key, ".png")

    def picture_bytes(self, key: str) -> bytes:
        """Return the PNG of a picture that this run made or found.

        Raises:
            MachineFault: it was pruned since.
        """
        path = self.picture_path(key)
        try:
            return path.read_bytes()
        except FileNotFoundError as error:
            raise MachineFault(
                f"{path} was pruned from the cache while a run needed it; start again, what is "
                "left is taken from there, and leave the cache room for the pictures of a run"
            ) from error

    def read_picture(self, key: str) -> "Image":
        """Return a picture that this run made or found.

        Raises:
            MachineFault: it was pruned since.
        """
        return open_picture(self.picture_bytes(key), str(self.picture_path(key)))

    def find_bytes(self, kind: str, key: str) -> bytes | None:
        """Return an entry that is no record, or None when it is not there."""
        try:
            content = self._path(kind, key, ".bin").read_bytes()
        except FileNotFoundError:
            return None
        _touch(self._path(kind, key, ".bin"))
        return content

    def keep_bytes(self, kind: str, key: str, content: bytes) -> None:
        """Write an entry that is no record."""
        write_whole(self._path(kind, key, ".bin"), content)

    def _path(self, kind: str, key: str, suffix: str) -> Path:
        return self.folder / kind.removesuffix("Entry").lower() / key[:2] / f"{key}{suffix}"


def _touch(path: Path) -> None:
    """Set the access time, by which `cmc cache prune` chooses; file systems are lazy about it."""
    # Another process may just have pruned the file, or the cache may be there to be read only.
    with suppress(OSError):
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def cache_key(parts: Mapping[str, object]) -> str:
    """Return 64 hex digits over named inputs."""
    text = json.dumps(to_plain(parts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
