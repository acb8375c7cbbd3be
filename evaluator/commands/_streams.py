"""`-` in a file's place: standard input, standard output."""

import sys
from pathlib import Path

from protocol.errors import InputError
from protocol.files import write_whole

_STREAM = Path("-")


def source(path: Path) -> Path:
    """Return the file to read: for `-` standard input."""
    return Path("/dev/stdin") if path == _STREAM else path


def refuse_own_source(out: Path, made_from: Path) -> None:
    """Refuse to write a file over the one that it is made from.

    Raises:
        InputError: they are one file.
    """
    if out.is_file() and made_from.is_file() and out.samefile(made_from):
        raise InputError(f"{out} is what is read, and would be lost; give another name with -o")


def deliver(out: Path, content: bytes, note: str) -> None:
    """Write a file and say `note`; for `-` to standard output, and the note beside it."""
    if out == _STREAM:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        print(note, file=sys.stderr)
    else:
        write_whole(out, content)
        print(note)
