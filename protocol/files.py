"""Files that are replaced whole or not at all."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader, or a crash, sees the old file or the new one.

    Raises:
        OSError: the disk is full or the folder cannot be written; the old file stays.
    """
    with open_whole(path) as file:
        file.write(content)


def write_new(path: Path, content: bytes) -> bool:
    """Write `content` to `path`, whole, unless something is there; return whether it was written.

    Raises:
        OSError: the disk is full, or the folder cannot be written or knows no hard links.
    """
    temporary = path.with_name(f".{path.name[:64]}.{uuid.uuid4().hex}")
    write_whole(temporary, content)
    try:
        # A link is refused where the name is taken, so of two writers one is first.
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


@contextlib.contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """Yield a new file that takes the place of `path` when the block ends without an error.

    A device or a pipe is written to: a file in its place would take it from every other program.
    A link to a file is replaced, and what it leads to stays: in the Hub's cache other links lead
    there too.

    Raises:
        OSError: as for `write_whole`.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as special:
            yield special
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:64]}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            # "No space left on device" alone does not say on which.
            error.filename = str(path)
        raise


def sha256_of_file(path: Path) -> str:
    """Return the sha256 of a file as 64 hex digits, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
