"""What submitters and maintainers may do, decided on the newest book; pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from protocol.errors import StoreError
from protocol.jsonable import to_json
from protocol.records import Request
from protocol.states import Action, Event, State, Status
from submission.clock import to_text
from submission.ledger import Batch, Book
from submission.queue import known, make_event, next_state, request_path
from submission.reported import reported_among
from submission.transitions import Who, follow

_HAS_ROW = "results/"
"""Begins the path of a file that only a request that has finished has."""
STAYS = frozenset({Status.PENDING, Status.RUNNING, Status.FINISHED})
"""Submitting such a request again changes nothing."""


def submit(
    book: Book,
    requests: Sequence[Request],
    priority: int,
    at: datetime,
    remark: str = "",
    *,
    attached: Mapping[str, bytes] | None = None,
) -> Batch:
    """Queue requests; those that are queued, running or done already are left as they are.

    Those of a higher priority are run first; a remark goes into the history; `attached` are files
    that the requests need, by their path in the store. A request whose results are among them
    waits to be received, and for no worker. A row that was superseded stands again.

    Raises:
        StoreError: one was superseded, and is somebody else's.
    """
    events: list[Event] = []
    files: dict[str, bytes] = {}
    for request_id, request in {request.request_id: request for request in requests}.items():
        old = book.state(request_id)
        if old is not None and old.status in STAYS:
            continue
        if old is not None and _is_kept(old):
            owned = _owned(book, request_id, request.submitter)
            events.append(_restore(*owned, request.submitter, "submitted again", at))
            continue
        state = State(
            request_id=request_id,
            version=old.version + 1 if old else 1,
            status=follow(request_id, old.status if old else None, Action.SUBMIT, Who.SUBMITTER),
            queued=book.last_queued + len(events) + 1,
            priority=priority,
            attempt=0,
            lease=None,
            progress="",
            failure=None,
            files=_reported(request_id, attached or {}),
            successor="",
            updated_at=to_text(at),
        )
        reason = ("submitted again" if old else "submitted") + (f"; {remark}" if remark else "")
        # The first submission's record stays: a request is written once.
        first = None if old else request
        events.append(make_event(Action.SUBMIT, request.submitter, reason, state, first))
        if old is None:
            files[request_path(request_id)] = to_json(request).encode()
    if any(event.action is Action.SUBMIT for event in events):
        files |= attached or {}
    return Batch(events=tuple(events), files=files)


def withdraw(book: Book, request_id: str, actor: str, reason: str, at: datetime) -> Batch:
    """End a request at its submitter's wish; its history stays.

    The rows whose place it took stand again, here and in `remove`.

    Raises:
        StoreError: it has ended otherwise, or `actor` did not submit it.
    """
    return _end(book, _owned(book, request_id, actor), actor, reason, at)


def remove(book: Book, request_id: str, actor: str, reason: str, at: datetime) -> Batch:
    """End a request by a maintainer; it is withdrawn as by its submitter, and says by whom.

    Raises:
        StoreError: it has ended otherwise.
    """
    return _end(book, (known(book, request_id), Who.MAINTAINER), actor, reason, at)


def supersede(book: Book, request_id: str, successor: str, actor: str, at: datetime) -> Batch:
    """Let another row of the same submitter take a request's place.

    Raises:
        StoreError: one of them is not there, is the other, or is not the submitter's; or the
            successor has no row on the same boards, and the old one's would be gone for nothing.
    """
    state, who = _owned(book, request_id, actor)
    other, _ = _owned(book, successor, actor)
    if request_id == successor:
        raise StoreError(f"request {request_id} cannot take its own place")
    if other.status is not Status.FINISHED:
        raise StoreError(
            f"request {successor} is {other.status} and has no row to take the place of "
            f"{request_id}; name one that is FINISHED"
        )
    roles = [book.requests[one]["role"] for one in (request_id, successor)]
    if roles[0] != roles[1]:
        raise StoreError(
            f"request {successor} compares a model as {roles[1]} and {request_id} as {roles[0]}: "
            "they stand on different boards, and neither takes the other's place"
        )
    status = follow(request_id, state.status, Action.SUPERSEDE, who)
    # Of a row it is what is said of its scores, and comes back with it.
    progress = state.progress if state.status is Status.FINISHED else ""
    new = next_state(state, status, at, progress=progress, successor=successor)
    return Batch(events=(make_event(Action.SUPERSEDE, actor, f"superseded by {successor}", new),))


def prioritise(book: Book, request_id: str, priority: int, actor: str, at: datetime) -> Batch:
    """Let a waiting request run earlier or later than its place in the queue."""
    state = known(book, request_id)
    status = follow(request_id, state.status, Action.PRIORITISE, Who.MAINTAINER)
    new = next_state(state, status, at, priority=priority)
    return Batch(events=(make_event(Action.PRIORITISE, actor, f"priority {priority}", new),))


def _end(book: Book, ended: tuple[State, Who], actor: str, reason: str, at: datetime) -> Batch:
    state, who = ended
    status = follow(state.request_id, state.status, Action.WITHDRAW, who)
    new = next_state(state, status, at, files={}, progress="")
    events = [make_event(Action.WITHDRAW, actor, reason, new)]
    for old in book.with_status(Status.SUPERSEDED):
        if old.successor == state.request_id and _is_kept(old):
            why = f"{state.request_id}, which had taken its place, was withdrawn"
            events.append(_restore(old, who, actor, why, at))
    return Batch(events=tuple(events))


def _restore(state: State, who: Who, actor: str, reason: str, at: datetime) -> Event:
    status = follow(state.request_id, state.status, Action.RESTORE, who)
    new = next_state(state, status, at, successor="")
    return make_event(Action.RESTORE, actor, reason, new)


def _is_kept(state: State) -> bool:
    """Say whether a request was superseded that has a row."""
    return state.status is Status.SUPERSEDED and any(p.startswith(_HAS_ROW) for p in state.files)


def _reported(request_id: str, attached: Mapping[str, bytes]) -> dict[str, str]:
    own = reported_among(request_id, attached)
    return {path: hashlib.sha256(attached[path]).hexdigest() for path in own}


def _owned(book: Book, request_id: str, actor: str) -> tuple[State, Who]:
    state, request = known(book, request_id), book.request(request_id)
    if request is None or request.submitter != actor:
        owner = request.submitter if request else "nobody"
        raise StoreError(f"request {request_id} was submitted by {owner}, not by {actor}")
    return state, Who.SUBMITTER
