"""Captions from a file: CSV with columns `name` and `text`, or JSON lines with those keys.

`file:gpt4v.csv` replays the benchmark's released captions, byte-order mark and all.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluator.captioners import Caption, Captioner, NamedPicture
from protocol.errors import CaptionError
from protocol.records import System
from protocol.versions import Protocol
from submission.caption_files import parse_captions
from submission.settings import Value, read_settings

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
        require_captions(self._captions, [item.name for item in batch], self._source)
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


def require_captions(captions: Mapping[str, str], names: Sequence[str], source: str) -> None:
    """Refuse captions that are not there for all names; `source` is the file's, for the message.

    Raises:
        CaptionError: one is missing.
    """
    missing = [name for name in names if name not in captions]
    if "" in missing:
        raise CaptionError(f"{source} has captions by the pictures' names; give the picture's too")
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CaptionError(f"{source} has no caption for {missing[0]}{more}; add a line")


def read_captions(path: Path) -> dict[str, str]:
    """Return the captions of a file by picture name.

    Raises:
        CaptionError: the file is missing or is not of the form, or a name comes twice.
    """
    if not path.is_file():
        raise CaptionError(f"{path} is missing; wanted a CSV or JSONL file of captions")
    return parse_captions(path.read_bytes(), str(path))
