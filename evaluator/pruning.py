"""What the cache holds, and which of it goes when it must be smaller.

Policy: the entries that were used longest ago, by the access time that `Cache` sets, until what is
left fits. Nothing is ever out of date, so age decides alone. A run that is going on may lose an
entry and makes it again; a picture that it has handed to the scores may be missed, and the run
then ends with a message and goes on from there when it is started again.
"""

import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

KINDS = ("caption", "features", "gallery", "picture", "reference", "replications", "score")
"""The folders of a cache whose entries may go one by one. No other folder is touched, so that a
wrong `--cache` costs nobody his files."""
KEPT = ("captions", "ground-truth")
"""What a run is about and not what it made: with some of its pictures gone, a set of pictures would
be another set."""
_LEFT_OVER_SECONDS = 86_400
"""After this time nobody is still writing a file or unpacking a picture."""


class Usage(NamedTuple):
    """How much of something there is."""

    entries: int
    total_bytes: int


class _Entry(NamedTuple):
    """The files of one key."""

    used_ns: int
    total_bytes: int
    files: tuple[Path, ...]


def look(folder: Path) -> dict[str, Usage]:
    """Return how many entries of each kind there are and how large they are."""
    kinds = {}
    for kind in _kinds(folder, (*KINDS, *KEPT)):
        entries = list(_entries(kind))
        kinds[kind.name] = Usage(len(entries), sum(entry.total_bytes for entry in entries))
    return kinds


def prune(folder: Path, keep_bytes: int, *, kind: str | None = None) -> Usage:
    """Delete the entries that were used longest ago until at most `keep_bytes` are left.

    What processes that were killed left half-written goes too, and is not counted.

    Args:
        folder: the cache.
        keep_bytes: what may stay.
        kind: one of `KINDS`; only its entries are counted and deleted.

    Returns:
        What was deleted.
    """
    for path in _kinds(folder, (*KINDS, *KEPT)):
        _sweep(path)
    folders = _kinds(folder, KINDS if kind is None else (kind,))
    entries = sorted((entry for path in folders for entry in _entries(path)), reverse=True)
    kept = deleted = freed = 0
    for entry in entries:
        if kept + entry.total_bytes <= keep_bytes and not deleted:
            kept += entry.total_bytes
            continue
        # The record first: without it, what lies beside it counts as absent.
        for path in sorted(entry.files, key=lambda path: path.suffix != ".json"):
            path.unlink(missing_ok=True)
        deleted += 1
        freed += entry.total_bytes
    return Usage(deleted, freed)


def _kinds(folder: Path, names: Iterable[str]) -> list[Path]:
    return [path for name in sorted(names) if (path := folder / name).is_dir()]


def _entries(kind: Path) -> Iterator[_Entry]:
    by_key: dict[tuple[str, str], list[tuple[int, int, Path]]] = {}
    for place, _, names in os.walk(kind):
        # Half-written files of a process that may be alive begin with a dot.
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found = (status.st_atime_ns, status.st_size, path)
            by_key.setdefault((place, path.stem), []).append(found)
    for files in by_key.values():
        yield _Entry(
            max(used for used, _, _ in files),
            sum(size for _, size, _ in files),
            tuple(path for _, _, path in files),
        )


def _sweep(kind: Path) -> None:
    """Delete what processes that were killed were writing."""
    for place, folders, names in os.walk(kind):
        for path in (Path(place, name) for name in (*folders, *names) if name.startswith(".")):
            try:
                status = path.lstat()
            except FileNotFoundError:
                continue
            if time.time() - status.st_mtime < _LEFT_OVER_SECONDS:
                continue
            if stat.S_ISDIR(status.st_mode):
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
