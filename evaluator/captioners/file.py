"""Captions from a file: CSV with columns `name` and `text`, or JSON lines with those keys.

`file:gpt4v.csv` replays the benchmark's released captions, byte-order mark and all.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluator.captioners import Caption, Captioner, NamedPicture
from evaluator.settings import Value, read_settings
from protocol.errors import CaptionError
from protocol.records import System
from protocol.versions import Protocol

IN_BATCHES = False
UNKEYED: frozenset[str] = frozenset()
SETTINGS: Mapping[str, Value] = {}


class FileCaptioner:
    """Captions by picture name."""

    def __init__(self, captions: Mapping[str, str], source: str) -> None:
        """Keep the captions; `source` names the file in messages."""
        self._captions = captions
        self._source = source

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        """Return the captions that the file has for these names."""
        missing = [item.name for item in batch if item.name not in self._captions]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise CaptionError(f"{self._source} has no caption for {missing[0]}{more}; add a line")
        return [Caption(text=self._captions[item.name]) for item in batch]


def describe(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return nothing: a caption goes by name here, and reading it again costs nothing."""
    del protocol, device
    return {}


def load(system: System, protocol: Protocol, device: str) -> Captioner:
    """Read the file; protocol and device play no part."""
    read_settings(system, SETTINGS)
    del protocol, device
    return FileCaptioner(read_captions(Path(system.path)), system.model)


def read_captions(path: Path) -> dict[str, str]:
    """Return the captions of a file by picture name.

    Raises:
        CaptionError: the file is missing or is not of the form, or a name comes twice.
    """
    if not path.is_file():
        raise CaptionError(f"{path} is missing; wanted a CSV or JSONL file of captions")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaptionError(f"{path} is no UTF-8: {error}") from error
    rows = _read_lines(text, path) if path.suffix == ".jsonl" else _read_csv(text, path)
    captions: dict[str, str] = {}
    for number, row in rows:
        name, caption = row.get("name"), row.get("text")
        if not isinstance(name, str) or not isinstance(caption, str) or not name:
            raise CaptionError(f"{path}, row {number}: wanted a `name` and a `text`, found {row}")
        if name in captions:
            raise CaptionError(f"{path}, row {number}: {name} comes twice")
        captions[name] = caption.strip()
    return captions


def _read_csv(text: str, path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    if not {"name", "text"} <= set(reader.fieldnames or ()):
        raise CaptionError(
            f"{path} has the columns {', '.join(reader.fieldnames or ()) or 'none'}; "
            "wanted `name` and `text`"
        )
    try:
        yield from enumerate(reader, start=1)
    except csv.Error as error:
        raise CaptionError(f"{path} is no CSV: {error}") from error


def _read_lines(text: str, path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CaptionError(f"{path}, row {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise CaptionError(f"{path}, row {number}: wanted an object, found {line[:60]}")
        yield number, row
