"""What the cache holds, and which of it goes when it must be smaller.

Policy: the entries that were used longest ago, by the access time that `Cache` sets, until what is
left fits. Nothing is ever out of date, so age decides alone. A run that is going on may lose an
entry and makes it again; a picture that it has handed to the scores may be missed, and the run
then ends with a message and goes on from there when it is started again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


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
    for kind in _kinds(folder):
        entries = list(_entries(kind))
        kinds[kind.name] = Usage(len(entries), sum(entry.total_bytes for entry in entries))
    return kinds


def prune(folder: Path, keep_bytes: int, *, kind: str | None = None) -> Usage:
    """Delete the entries that were used longest ago until at most `keep_bytes` are left.

    Args:
        folder: the cache.
        keep_bytes: what may stay.
        kind: only entries of this kind are counted and deleted.

    Returns:
        What was deleted.
    """
    folders = [path for path in _kinds(folder) if kind in (None, path.name)]
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


def _kinds(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _entries(kind: Path) -> Iterator[_Entry]:
    by_key: dict[str, list[tuple[int, int, Path]]] = {}
    for path in kind.glob("*/*"):
        # Half-written files of a process that may be alive begin with a dot.
        if path.name.startswith("."):
            continue
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        by_key.setdefault(path.stem, []).append((status.st_atime_ns, status.st_size, path))
    for files in by_key.values():
        yield _Entry(
            max(used for used, _, _ in files),
            sum(size for _, size, _ in files),
            tuple(path for _, _, path in files),
        )
