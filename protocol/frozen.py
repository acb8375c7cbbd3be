"""A frozen board: what a store showed on a day, under a label that never means anything else.

Results are named by path and sha256, as the ledger names them: they never change and never leave
the store, so a row that was withdrawn later can still be shown as it was. What may be made anew in
their place (statistics, effects, controls) is copied.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from protocol.controls import Controls
from protocol.errors import InputError
from protocol.memorisation import Memorisation
from protocol.secondary import SecondaryScores
from protocol.statistics.records import BoardStatistics, PairEffects

SCHEMA_VERSION = 1
LIVE = "live"
"""In a link, the board that goes on changing; no label."""
MAX_LABEL = 80

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LABEL = re.compile(rf"{_PART}(?:/{_PART})*")
_TAKEN = frozenset({LIVE, "main", "HEAD"})
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """One frozen board."""

    schema_version: int
    label: str
    frozen_at: str
    """UTC, ISO 8601."""
    frozen_by: str
    ledger_lines: int
    """How many lines the ledger had."""
    ledger_sha256: str
    """Of the newest of them."""
    published_sha256: str
    """Of the published tables that stand beside the store's rows; see `protocol.published`."""
    files: Mapping[str, str]
    """Path in the store to sha256, of every finished request's result and replications."""
    statistics: tuple[BoardStatistics, ...]
    effects: tuple[PairEffects, ...]
    controls: tuple[Controls, ...]
    secondary: tuple[SecondaryScores, ...]
    memorisation: tuple[Memorisation, ...] = ()

    def same_board(self, other: "Frozen") -> bool:
        """Return whether two show the same, whoever froze them and whenever."""
        return self == replace(
            other,
            label=self.label,
            frozen_at=self.frozen_at,
            frozen_by=self.frozen_by,
            ledger_lines=self.ledger_lines,
            ledger_sha256=self.ledger_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEntry:
    """One line of the list of frozen boards."""

    label: str
    slug: str
    """The label in the name of a file."""
    frozen_at: str
    frozen_by: str
    sha256: str
    """Of the frozen board's file."""
    results: int
    ledger_lines: int
    ledger_sha256: str
    published_sha256: str


def check_label(label: str) -> str:
    """Return a label that can be a link, a file's name and a git tag.

    Raises:
        InputError: it cannot be.
    """
    bad = (
        len(label) > MAX_LABEL
        or not _LABEL.fullmatch(label)
        or ".." in label
        or any(part.endswith(".lock") for part in label.split("/"))
        or label in _TAKEN
        or _COMMIT.fullmatch(label)
    )
    if bad:
        raise InputError(
            f"{label[:100]!r} cannot name a frozen board; wanted letters, digits, '.', '_' and "
            f"'-', with '/' between parts, at most {MAX_LABEL} characters, as v1.0/2026-10-01"
        )
    return label


def slug_of(label: str) -> str:
    """Return the name of a label's files; `~` is in no label."""
    return label.replace("/", "~")


def entry_of(frozen: Frozen, sha256: str) -> FrozenEntry:
    """Return a frozen board's line in the list."""
    return FrozenEntry(
        label=frozen.label,
        slug=slug_of(frozen.label),
        frozen_at=frozen.frozen_at,
        frozen_by=frozen.frozen_by,
        sha256=sha256,
        results=len(result_files(frozen)),
        ledger_lines=frozen.ledger_lines,
        ledger_sha256=frozen.ledger_sha256,
        published_sha256=frozen.published_sha256,
    )


def result_files(frozen: Frozen) -> dict[str, str]:
    """Return path and sha256 of the results."""
    return {
        path: sha256
        for path, sha256 in frozen.files.items()
        if path.startswith("results/") and path.endswith(".json")
    }
