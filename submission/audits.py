"""Audit records in a store, where only its maintainers may write, and what they change."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from protocol.audits import Audit, audit_names
from protocol.errors import StoreError
from protocol.jsonable import from_json, to_json
from protocol.records import Result
from protocol.samples import parse_name
from protocol.states import Action, State
from submission.clock import from_text
from submission.filed import file_record, read_records, record_of
from submission.ledger import Batch, Book, Ledger
from submission.queue import known
from submission.reported import is_reported, reported_requests
from submission.transitions import Who

ROOM = "audits/"


def file_audit(ledger: Ledger, audit: Audit) -> str:
    """Write a record into a store and return its path.

    Raises:
        StoreError: the request is not finished, was run by a worker, or the record is about
            another result of it.
    """
    found = audit.replication
    content = to_json(audit).encode()
    record = record_of(found, content, room=ROOM, action=Action.AUDIT, who=Who.MAINTAINER)
    at = from_text(found.replicated_at)

    def decide(book: Book) -> Batch:
        require_reported(known(book, found.request_id))
        return file_record(book, record, at)

    ledger.change(decide)
    return record.path


def require_reported(state: State) -> None:
    """Refuse a row that a worker of the store has run.

    Raises:
        StoreError: it is such a row.
    """
    if not is_reported(state.files):
        raise StoreError(
            f"request {state.request_id} was not handed in as results; `cmc reproduce` compares "
            "any other row"
        )


def read_audits(ledger: Ledger, files: Mapping[str, str]) -> list[Audit]:
    """Return the audits among the files of finished requests, oldest first.

    Raises:
        LedgerError: one is missing, or is not the one that the ledger holds.
    """
    audits = [from_json(Audit, found) for found in read_records(ledger, files, ROOM)]
    return sorted(audits, key=lambda audit: audit.replication.replicated_at)


def audit_problems(
    ledger: Ledger, audits: Sequence[Audit], names_of: Callable[[str], Iterable[str]]
) -> list[str]:
    """Return audits whose pictures were not drawn by a line of the ledger after the results came.

    Args:
        ledger: of the store.
        audits: of the rows that stand.
        names_of: returns the names of all pictures of a request's row.
    """
    numbers: dict[str, int] = {}
    finished: dict[str, int] = {}
    for number, line in enumerate(ledger.lines(), start=1):
        numbers[hashlib.sha256(line).hexdigest()] = number
        for event in json.loads(line)["events"]:
            if event["action"] == Action.FINISH:
                finished[event["state"]["request_id"]] = number
    problems = []
    for audit in audits:
        found = audit.replication
        where = f"request {found.request_id}: its audit of {found.replicated_at}"
        if numbers.get(audit.salt, 0) < finished[found.request_id]:
            problems.append(f"{where} was not drawn by a line after its results were taken in")
            continue
        samples = sorted(map(parse_name, names_of(found.request_id)))
        if audit_names(samples, audit.share, found.request_id, audit.salt) != found.names:
            problems.append(f"{where} is of other pictures than its line of the ledger draws")
    return problems


def with_audits(
    results: Sequence[Result], files: Iterable[str], audits: Sequence[Audit]
) -> list[Result]:
    """Return results with the source that is due to them: the newest audit decides.

    Args:
        results: as they lie in the store.
        files: paths of all files of their requests, which tell who ran them.
        audits: oldest first.
    """
    newest = {audit.replication.request_id: audit for audit in audits}
    reported = reported_requests(files)
    ids = [result.request.request_id for result in results]
    return [
        _judged(result, newest.get(request_id)) if request_id in reported else result
        for request_id, result in zip(ids, results, strict=True)
    ]


def _judged(result: Result, audit: Audit | None) -> Result:
    # Whatever the file says: what a submitter ran is verified by an audit and by nothing else.
    if audit is None or audit.replication.per_image_sha256 != result.per_image_sha256:
        return replace(result, source="self-reported", audit="")
    source = "verified" if audit.agrees else "self-reported"
    return replace(result, source=source, audit=audit.sentence)
