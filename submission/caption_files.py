"""Caption files as the I2T half of a pair: read, checked, and kept in a store.

CSV with columns `name` and `text`, or JSON lines with those keys.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from protocol.errors import CaptionError, PictureError, StoreError
from protocol.files import write_whole
from protocol.jsonable import unrepeated
from protocol.records import Request, System
from protocol.rules import MAX_CAPTION_BYTES
from protocol.samples import parse_name
from submission.findings import Code, Finding
from submission.folders import hash_file
from submission.ledger import Ledger
from submission.wording import shown

ADAPTER = "file"
LARGEST_BYTES = 1 << 20
"""Of a file that is sent: a thousand captions of a thousand characters."""
KINDS = (".csv", ".jsonl")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Halves of characters: an escape in JSON can name one, and UTF-8 has no bytes for it."""


def parse_captions(content: bytes, name: str) -> dict[str, str]:
    """Return the captions of a file by picture name.

    Args:
        content: of the file.
        name: of the file, for its kind and for messages.

    Raises:
        CaptionError: it is not of the form, or a picture's name comes twice.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptionError(f"{name} is no UTF-8: {error}") from error
    rows = _read_lines(text, name) if name.endswith(".jsonl") else _read_csv(text, name)
    captions: dict[str, str] = {}
    for number, row in rows:
        picture, caption = row.get("name"), row.get("text")
        if not isinstance(picture, str) or not isinstance(caption, str) or not picture:
            found = shown(str(row))
            raise CaptionError(f"{name}, row {number}: wanted a `name` and a `text`, found {found}")
        if _SURROGATE.search(picture + caption):
            raise CaptionError(
                f"{name}, row {number}: {shown(picture)} has half a character, \\ud800 to \\udfff, "
                "which no file can hold; write the whole one"
            )
        if picture in captions:
            raise CaptionError(f"{name}, row {number}: {shown(picture)} comes twice")
        captions[picture] = caption.strip()
    return captions


def _read_csv(text: str, name: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = next(reader, [])
        _check_columns(columns, name)
        for number, fields in enumerate(filter(None, reader), start=1):
            if len(fields) != len(columns):
                plural = "" if len(fields) == 1 else "s"
                raise CaptionError(
                    f"{name}, row {number} has {len(fields)} field{plural}, wanted {len(columns)}; "
                    # Without them it is several fields, and would be cut at its first comma.
                    "a text with commas stands in quotation marks"
                )
            yield number, dict(zip(columns, fields, strict=True))
    except csv.Error as error:
        raise CaptionError(f"{name} is no CSV: {error}") from error


def _check_columns(columns: Sequence[str], name: str) -> None:
    if not {"name", "text"} <= set(columns):
        raise CaptionError(
            f"{name} has the columns {shown(', '.join(columns)) or 'none'}; "
            "wanted `name` and `text`"
        )
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise CaptionError(f"{name} has the column {shown(', '.join(twice))} twice; leave one")


def _read_lines(text: str, name: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
    # Not `splitlines`: a text may hold U+2028 and the like, which JSON leaves as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=unrepeated)
        except (ValueError, RecursionError) as error:
            raise CaptionError(f"{name}, row {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise CaptionError(f"{name}, row {number}: wanted an object, found {shown(line, 60)}")
        yield number, row


def check_captions(content: bytes, name: str, pictures: Collection[str]) -> Iterator[Finding]:
    """Yield what speaks against a caption file.

    Args:
        content: of the file.
        name: of the file, without folders.
        pictures: the names that need a caption; empty where they are not known, and then the names
            must have the benchmark's form.
    """
    if PurePosixPath(name).suffix not in KINDS or "/" in name or "\\" in name:
        yield _bad(f"{shown(name)!r} is no name of a caption file", "name it like captions.csv")
        return
    if len(content) > LARGEST_BYTES:
        size, most = f"{len(content):,}", f"{LARGEST_BYTES:,}"
        yield _bad(f"{shown(name)} has {size} bytes", f"shorten the captions; at most {most}")
        return
    try:
        captions = parse_captions(content, name)
    except CaptionError as error:
        yield _bad(str(error), "write a CSV with the columns name and text, a line a picture")
        return
    yield from _check_names(set(captions), set(pictures))
    # A model may say nothing, which is recorded; a file that says nothing was not finished.
    empty = [n for n, text in captions.items() if not text and (not pictures or n in pictures)]
    if empty:
        yield _bad(f"the caption of {_some(empty)} is empty", "write one for each picture")
    long = [n for n, text in captions.items() if len(text.encode()) >= MAX_CAPTION_BYTES]
    if long:
        yield _bad(
            f"the caption of {_some(long)} has more than {MAX_CAPTION_BYTES - 1:,} bytes",
            "shorten it; a .cmc file holds no more",
        )


def _check_names(found: set[str], wanted: set[str]) -> Iterator[Finding]:
    if not found:
        yield _bad("there is no caption in it", "write a line for each picture")
    elif wanted and (missing := wanted - found):
        yield _bad(
            f"{len(missing)} of {len(wanted)} pictures have no caption: {_some(missing)}",
            "add a line for each",
        )
    elif not wanted and (strange := {name for name in found if not _is_picture(name)}):
        yield _bad(f"{_some(strange)} is no name of a picture", "write names like NSI_pgc_000.png")


def _is_picture(name: str) -> bool:
    try:
        parse_name(name)
    except PictureError:
        return False
    return True


def _some(names: Collection[str]) -> str:
    first = ", ".join(shown(name, 60) for name in sorted(names)[:3])
    return first + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _bad(sentence: str, remedy: str) -> Finding:
    return Finding(code=Code.BAD_CAPTIONS, about="i2t", sentence=sentence, remedy=remedy)


def caption_system(content: bytes, name: str) -> System:
    """Return the system of a file that travels with its request."""
    revision = hashlib.sha256(content).hexdigest()[:40]
    return System(adapter=ADAPTER, model=name, revision=revision, path="")


def stored_path(system: System) -> str:
    """Return where a caption file lies in a store."""
    kind = PurePosixPath(system.model).suffix
    return f"captions/{system.revision[:2]}/{system.revision}{kind}"


def files_to_store(request: Request) -> dict[str, bytes]:
    """Return the caption file of a request that lies on this machine, for its store."""
    system = request.i2t
    if system is None or system.adapter != ADAPTER or not system.path:
        return {}
    return {stored_path(system): Path(system.path).read_bytes()}


def with_captions_here(request: Request, ledger: Ledger, folder: Path) -> Request:
    """Return a request whose caption file lies on this machine.

    Args:
        request: as the store has it; its file may lie on the submitter's machine alone.
        ledger: of the store.
        folder: where a file from the store is put.

    Raises:
        StoreError: the file is neither here nor in the store, or not the one that was pinned.
    """
    system = request.i2t
    if system is None or system.adapter != ADAPTER:
        return request
    here = Path(system.path)
    if system.path and here.is_file() and hash_file(here) == system.revision:
        return request
    path = stored_path(system)
    content = ledger.attached(path)
    if content is None:
        # An error of the run names the file that is missing, or that was changed.
        return request
    if hashlib.sha256(content).hexdigest()[:40] != system.revision:
        raise StoreError(f"{path} is not the file that the request names")
    kept = folder / PurePosixPath(path).name
    write_whole(kept, content)
    return replace(request, i2t=replace(system, path=str(kept)))
