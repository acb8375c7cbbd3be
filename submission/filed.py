"""Records that are filed with a finished request: a file each, in the ledger by its hash."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from protocol.errors import StoreError
from protocol.replications import Replication
from protocol.states import Action, State
from submission.ledger import Batch, Book, Ledger
from submission.queue import known, make_event, next_state
from submission.transitions import Who, follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A record on its way into the store."""

    room: str
    """The folder of its kind, with a slash."""
    request_id: str
    per_image_sha256: str
    """Of the result that it is about."""
    content: bytes
    action: Action
    who: Who
    actor: str
    reason: str

    @property
    def path(self) -> str:
        """Where it lies in the store; equal records lie at one place."""
        digest = hashlib.sha256(self.content).hexdigest()[:16]
        return f"{self.room}{self.request_id[:2]}/{self.request_id}.{digest}.json"


def record_of(found: Replication, content: bytes, *, room: str, action: Action, who: Who) -> Filed:
    """Return the record of a second run; `content` is what is filed about it."""
    return Filed(
        room=room,
        request_id=found.request_id,
        per_image_sha256=found.per_image_sha256,
        content=content,
        action=action,
        who=who,
        actor=found.replicated_by,
        reason="agrees" if found.agrees else "differs",
    )


def file_record(book: Book, record: Filed, at: datetime) -> Batch:
    """Add a record to the files of a finished request; the same again changes nothing.

    Raises:
        StoreError: the request is not finished, or the record is about another result of it.
    """
    state = known(book, record.request_id)
    if record.path in state.files:
        return Batch()
    status = follow(state.request_id, state.status, record.action, record.who)
    if record.per_image_sha256 not in state.files.values():
        raise StoreError(
            f"the record is about another result of {state.request_id} than the one that stands; "
            "run it again"
        )
    files = {**state.files, record.path: hashlib.sha256(record.content).hexdigest()}
    new = next_state(state, status, at, files=files)
    event = make_event(record.action, record.actor, record.reason, new)
    return Batch(events=(event,), files={record.path: record.content})


def files_of(states: Iterable[State]) -> dict[str, str]:
    """Return path and sha256 of all files that states name."""
    return {path: sha256 for state in states for path, sha256 in state.files.items()}


def in_room(files: Mapping[str, str], room: str) -> dict[str, str]:
    """Return the records of one kind among files; tables lie beside some of them."""
    return {p: s for p, s in files.items() if p.startswith(room) and p.endswith(".json")}


def read_records(ledger: Ledger, files: Mapping[str, str], room: str) -> Iterator[bytes]:
    """Yield the records of one kind among files, which are given by path and sha256.

    Raises:
        LedgerError: one is missing, or has another sha256.
    """
    return ledger.read_all(list(in_room(files, room).items()))
