"""Replication records in a store: a file each, which the ledger names beside the result's files."""

from collections.abc import Mapping

from protocol.jsonable import from_json, to_json
from protocol.replications import Replication
from protocol.states import Action, Status
from submission.clock import from_text
from submission.filed import file_record, files_of, read_records, record_of
from submission.ledger import Ledger
from submission.store import Store
from submission.transitions import Who

ROOM = "replications/"


def file_replication(store: Store, replication: Replication) -> str:
    """Write a record into a store and return its path; filing the same again changes nothing.

    Raises:
        StoreError: the request is not finished, or the record is about another result of it.
    """
    content = to_json(replication).encode()
    record = record_of(replication, content, room=ROOM, action=Action.REPLICATE, who=Who.ANYBODY)
    at = from_text(replication.replicated_at)
    store.ledger.change(lambda book: file_record(book, record, at))
    return record.path


def read_replications(store: Store) -> list[Replication]:
    """Return the records about the rows that stand.

    Raises:
        LedgerError: one is missing, or is not the one that the ledger holds.
    """
    states = store.ledger.refresh().with_status(Status.FINISHED)
    return replications_in(store.ledger, files_of(states))


def replications_in(ledger: Ledger, files: Mapping[str, str]) -> list[Replication]:
    """Return the records among files, which are given by path and sha256.

    Raises:
        LedgerError: one is missing, or has another sha256.
    """
    return [from_json(Replication, found) for found in read_records(ledger, files, ROOM)]
