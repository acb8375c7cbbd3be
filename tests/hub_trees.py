"""Blobs, and trees that share what did not change.

A commit copies only the folders on the way to what it changes, as git does, so a history of
thousands of commits over thousands of files fits in memory.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Blob:
    """One version of a file."""

    oid: str
    """The git blob's sha1; for LFS the pointer's."""
    size: int
    sha256: str
    """Empty unless the file is in LFS."""
    content: bytes | Path
    commit: str
    """The commit that put it there."""

    @property
    def etag(self) -> str:
        return self.sha256 or self.oid

    def read(self) -> bytes:
        return self.content.read_bytes() if isinstance(self.content, Path) else self.content


@dataclass(slots=True)
class Folder:
    """Names to blobs and folders; may be changed only by the commit that made it."""

    commit: str
    entries: "dict[str, Blob | Folder]" = field(default_factory=dict)

    @property
    def oid(self) -> str:
        names = "".join(f"{name} {entry.oid}\n" for name, entry in sorted(self.entries.items()))
        return hashlib.sha1(names.encode()).hexdigest()  # noqa: S324 - git's own


def git_oid(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's own


def plain_blob(content: bytes, commit: str) -> Blob:
    return Blob(git_oid(content), len(content), "", content, commit)


def lfs_blob(sha256: str, path: Path, commit: str) -> Blob:
    size = path.stat().st_size
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return Blob(git_oid(pointer.encode()), size, sha256, path, commit)


def find(root: Folder, path: str) -> Blob | Folder | None:
    entry: Blob | Folder | None = root
    for name in [name for name in path.split("/") if name]:
        entry = entry.entries.get(name) if isinstance(entry, Folder) else None
    return entry


def walk(folder: Folder, prefix: str, *, recursive: bool) -> Iterator[tuple[str, Blob | Folder]]:
    """Yield what a folder holds, by name; folders come before what is in them."""
    for name, entry in sorted(folder.entries.items()):
        path = f"{prefix}/{name}" if prefix else name
        yield path, entry
        if recursive and isinstance(entry, Folder):
            yield from walk(entry, path, recursive=True)


def put(root: Folder, path: str, entry: Blob | None) -> None:
    """Put or, with None, remove an entry in a tree whose root belongs to the current commit."""
    *parents, name = path.split("/")
    trail = [root]
    for parent in parents:
        there = trail[-1].entries.get(parent)
        if isinstance(there, Folder) and there.commit == root.commit:
            child = there
        else:
            child = Folder(root.commit, dict(there.entries) if isinstance(there, Folder) else {})
            trail[-1].entries[parent] = child
        trail.append(child)
    if entry is not None:
        trail[-1].entries[name] = entry
        return
    del trail[-1].entries[name]
    # Git knows no empty folders.
    for above, parent in zip(reversed(trail[:-1]), reversed(parents), strict=True):
        child_now = above.entries[parent]
        if isinstance(child_now, Folder) and not child_now.entries:
            del above.entries[parent]
