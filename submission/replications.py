"""Replication records in a store: a file each, which the ledger names beside the result's files."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from protocol.errors import StoreError
from protocol.jsonable import from_json, to_json
from protocol.replications import Replication
from protocol.states import Action, Status
from submission.clock import from_text
from submission.ledger import Batch, Book, Ledger
from submission.queue import known, make_event, next_state
from submission.store import Store
from submission.transitions import Who, follow

ROOM = "replications/"


def file_replication(store: Store, replication: Replication) -> str:
    """Write a record into a store and return its path; filing the same again changes nothing.

    Raises:
        StoreError: the request is not finished, or the record is about another result of it.
    """
    at = from_text(replication.replicated_at)
    store.ledger.change(lambda book: replicate(book, replication, at))
    return replication_path(replication)


def read_replications(store: Store) -> list[Replication]:
    """Return the records about the rows that stand.

    Raises:
        LedgerError: one is missing, or is not the one that the ledger holds.
    """
    states = store.ledger.refresh().with_status(Status.FINISHED)
    return replications_in(store.ledger, {p: s for state in states for p, s in state.files.items()})


def replications_in(ledger: Ledger, files: Mapping[str, str]) -> list[Replication]:
    """Return the records among files, which are given by path and sha256.

    Raises:
        LedgerError: one is missing, or has another sha256.
    """
    wanted = [(path, sha256) for path, sha256 in files.items() if path.startswith(ROOM)]
    return [from_json(Replication, content) for content in ledger.read_all(wanted)]


def replication_path(replication: Replication) -> str:
    """Return where a record lies; equal records lie at one place."""
    digest = hashlib.sha256(_content(replication)).hexdigest()[:16]
    request_id = replication.request_id
    return f"{ROOM}{request_id[:2]}/{request_id}.{digest}.json"


def replicate(book: Book, replication: Replication, at: datetime) -> Batch:
    """Add a record to the files of a finished request.

    Raises:
        StoreError: the request is not finished, or the record is about another result of it.
    """
    state, path = known(book, replication.request_id), replication_path(replication)
    if path in state.files:
        return Batch()
    status = follow(state.request_id, state.status, Action.REPLICATE, Who.ANYBODY)
    if replication.per_image_sha256 not in state.files.values():
        raise StoreError(
            f"the record is about another result of {state.request_id} than the one that stands; "
            "run it again"
        )
    content = _content(replication)
    files = {**state.files, path: hashlib.sha256(content).hexdigest()}
    new = next_state(state, status, at, files=files)
    reason = "agrees" if replication.agrees else "differs"
    event = make_event(Action.REPLICATE, replication.replicated_by, reason, new)
    return Batch(events=(event,), files={path: content})


def _content(replication: Replication) -> bytes:
    return to_json(replication).encode()
