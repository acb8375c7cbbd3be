"""Frozen boards of a store: made once, beside its results, and read for ever after.

frozen/<label>.json    `protocol.frozen.Frozen`, with `~` for the `/` of a label
"""

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from protocol.errors import RecordError, StoreError
from protocol.evidence import Evidence, current_evidence
from protocol.frozen import (
    SCHEMA_VERSION,
    Frozen,
    FrozenEntry,
    check_label,
    entry_of,
    result_files,
    slug_of,
)
from protocol.jsonable import from_json, to_plain
from protocol.published import published_sha256
from protocol.records import Result
from protocol.replications import replication_counts
from protocol.states import Status
from protocol.statistics.files import is_current
from submission.beside import Beside
from submission.clock import now
from submission.evidence import read_evidence, read_statistics
from submission.filed import files_of
from submission.finished import read_results
from submission.replications import replications_in
from submission.store import Store

ROOM = "frozen/"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenBoard:
    """A frozen board with all that it names."""

    entry: FrozenEntry
    results: tuple[Result, ...]
    frozen: Frozen
    replications: Mapping[str, int]
    """By request id: how many accounts had run a part of it again and found it to agree."""

    @property
    def evidence(self) -> Evidence:
        """What stood beside the results, as far as boards show it."""
        return Evidence(
            effects=self.frozen.effects,
            controls=self.frozen.controls,
            secondary=self.frozen.secondary,
            memorisation=self.frozen.memorisation,
        )


def freeze(store: Store, label: str, actor: str) -> tuple[FrozenEntry, bool]:
    """Freeze a store's board under a label; return its entry and whether it is new.

    Raises:
        InputError: the label cannot be one.
        StoreError: the store has no result, or the label is there with another board.
    """
    frozen = _frozen_now(store, check_label(label), actor)
    path = frozen_path(label)
    content = _content(frozen)
    found = store.beside.add(path, content)
    if found is not None:
        content, frozen = found, _require_same(path, found, frozen)
    store.beside.mark(label)
    return entry_of(frozen, hashlib.sha256(content).hexdigest()), found is None


def frozen_path(label: str) -> str:
    """Return where a frozen board lies beside a store."""
    return f"{ROOM}{slug_of(label)}.json"


def list_frozen(
    beside: Beside, known: Mapping[str, FrozenEntry] | None = None
) -> dict[str, FrozenEntry]:
    """Return the frozen boards by path, oldest first; what cannot be read is as good as absent.

    Args:
        beside: where they lie.
        known: what was returned before; those are not read again, as they never change.
    """
    found = {}
    for path in beside.lists():
        if path.startswith(ROOM):
            entry = (known or {}).get(path) or _read_entry(beside, path)
            if entry is not None and frozen_path(entry.label) == path:
                found[path] = entry
    return dict(sorted(found.items(), key=_age))


def read_frozen(store: Store, label: str) -> FrozenBoard:
    """Return a frozen board with its results.

    Raises:
        StoreError: there is none of this label.
        RecordError: its file is damaged.
        LedgerError: a result that it names is missing or was changed.
    """
    path = frozen_path(check_label(label))
    content = store.beside.read(path)
    if content is None:
        there = ", ".join(entry.label for entry in list_frozen(store.beside).values())
        raise StoreError(f"no board was frozen as {label}; there are {there or 'none'}")
    frozen = _parse(path, content)
    return FrozenBoard(
        entry=entry_of(frozen, hashlib.sha256(content).hexdigest()),
        results=tuple(read_results(store.ledger, frozen.files)),
        frozen=frozen,
        replications=replication_counts(replications_in(store.ledger, frozen.files)),
    )


def _frozen_now(store: Store, label: str, actor: str) -> Frozen:
    book = store.ledger.refresh()
    lines, newest = book.number, book.sha256
    states = book.with_status(Status.FINISHED)
    if not states:
        raise StoreError("the store holds no result; there is no board to freeze")
    store.beside.revision()
    frozen = Frozen(
        schema_version=SCHEMA_VERSION,
        label=label,
        frozen_at=now(),
        frozen_by=actor,
        ledger_lines=lines,
        ledger_sha256=newest,
        published_sha256=published_sha256(),
        files=files_of(states),
        statistics=(),
        effects=(),
        controls=(),
        secondary=(),
    )
    results = read_results(store.ledger, frozen.files)
    return _with_evidence(frozen, store.beside, results)


def _with_evidence(frozen: Frozen, beside: Beside, results: Sequence[Result]) -> Frozen:
    """Return it with copies of what may be made anew, as far as it is about these results."""
    ids = {result.request.request_id for result in results}
    evidence = current_evidence(read_evidence(beside), results)
    return replace(
        frozen,
        statistics=tuple(s for s in read_statistics(beside) if is_current(s, results)),
        effects=evidence.effects,
        controls=tuple(one for one in evidence.controls if one.request_id in ids),
        secondary=evidence.secondary,
        memorisation=evidence.memorisation,
    )


def _age(item: tuple[str, FrozenEntry]) -> tuple[int, str, str]:
    path, entry = item
    # The ledger's order is sure, where clocks differ.
    return entry.ledger_lines, entry.frozen_at, path


def _require_same(path: str, content: bytes, wanted: Frozen) -> Frozen:
    found = _parse(path, content)
    if found.same_board(wanted):
        return found
    old, new = result_files(found).keys(), result_files(wanted).keys()
    raise StoreError(
        f"{wanted.label} was frozen on {found.frozen_at[:10]} with another board (since then "
        f"{len(new - old)} results came, {len(old - new)} left, and statistics may have been made "
        "anew); a label never changes its meaning: choose another"
    )


def _read_entry(beside: Beside, path: str) -> FrozenEntry | None:
    content = beside.read(path)
    if content is not None:
        with contextlib.suppress(RecordError):
            return entry_of(_parse(path, content), hashlib.sha256(content).hexdigest())
    return None


def _parse(path: str, content: bytes) -> Frozen:
    try:
        return from_json(Frozen, content)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error


def _content(frozen: Frozen) -> bytes:
    text = json.dumps(to_plain(frozen), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"{text}\n".encode()
