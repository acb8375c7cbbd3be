"""What workers may do, decided on the newest book; pure, so that it can be decided again.

Safety rests on the ledger, where one writer at a time appends, and on the lease's token. Clocks
decide only when a request is taken from a worker that fell silent.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from protocol.eligibility import unscored
from protocol.errors import LeaseError
from protocol.failures import MAY_PASS, FailureCode
from protocol.jsonable import to_json
from protocol.records import Request, Result
from protocol.smoke import SmokeReport
from protocol.states import Action, Event, Failure, Lease, State, Status
from submission.clock import from_text, to_text
from submission.ledger import Batch, Book
from submission.queue import (
    Claim,
    Terms,
    known,
    make_event,
    make_failure,
    next_state,
    per_image_path,
    result_path,
)
from submission.reported import is_reported, reported_among
from submission.transitions import Who, follow

Accepts: TypeAlias = Callable[[Request], bool]
"""Tells the requests that a worker can run."""


def claim(
    book: Book,
    worker: str,
    accepts: Accepts,
    *,
    terms: Terms,
    at: datetime,
    is_dead: Callable[[Lease], bool],
    nonce: str,
    reported: bool = False,
) -> Batch:
    """Take the next request that waits, or whose worker is gone; the CLAIM is the last event.

    Of those that came with their results, or of the others, as `reported` says. A request whose
    last attempt was lost on the way ends as FAILED in the same batch.
    """
    events: list[Event] = []
    for request_id in book.queue():
        plain = book.states[request_id]
        if is_reported(plain["files"]) is not reported:
            continue
        state = None
        if plain["status"] == Status.RUNNING:
            state = book.state(request_id)
            if state is None or not is_gone(state, terms, at, is_dead):
                continue
            if state.attempt >= terms.max_attempts:
                events.append(_give_up(state, worker, at))
                continue
        request = book.request(request_id)
        if request is None or not accepts(request):
            continue
        state = state or book.state(request_id)
        if state is not None:
            events.append(_claim(state, worker, terms, at, nonce))
            break
    return Batch(events=tuple(events))


def renew(
    book: Book,
    held: Claim,
    progress: str,
    terms: Terms,
    at: datetime,
    *,
    smoke: SmokeReport | None = None,
    log: str = "",
) -> Batch:
    """Make a lease last longer from now on, and show how far its holder is.

    Args:
        book: the newest.
        held: the holder's claim.
        progress: a line for people.
        terms: of leases.
        at: the time.
        smoke: what the smoke test showed, once it has run.
        log: the last lines of the holder's log.

    Raises:
        LeaseError: it is another worker's now, or the request has ended.
    """
    state = _held(book, held)
    lease = replace(held.lease, expires_at=to_text(at + timedelta(seconds=terms.lease_seconds)))
    status = follow(state.request_id, state.status, Action.RENEW, Who.HOLDER)
    shown = {"smoke": smoke} if smoke else {}
    new = next_state(state, status, at, lease=lease, progress=progress, log=log, **shown)
    return Batch(events=(make_event(Action.RENEW, lease.worker, "", new),))


def finish(
    book: Book, held: Claim, result: Result, per_image: bytes, *, terms: Terms, at: datetime
) -> Batch:
    """End a request with its result.

    A lease that ran out while nobody took the request is renewed first, in the same batch: no
    result is ever written under a lease that has ended.

    Raises:
        LeaseError: the lease is another worker's now, or the request has ended.
    """
    events: tuple[Event, ...] = ()
    state = _held(book, held)
    if state.lease is None or at >= from_text(state.lease.expires_at):
        events = renew(book, held, "", terms, at).events
        state = events[0].state
    files = {
        result_path(state): to_json(result).encode(),
        per_image_path(state): per_image,
    }
    status = follow(state.request_id, state.status, Action.FINISH, Who.HOLDER)
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    came = {p: state.files[p] for p in reported_among(state.request_id, state.files)}
    # For people: a row without an Overall is no blank.
    lost = unscored(result)
    notice = f"{lost}; `status` in {per_image_path(state)} says why" if lost else ""
    new = next_state(state, status, at, files={**came, **digests}, progress=notice)
    finished = make_event(Action.FINISH, held.lease.worker, "finished", new)
    return Batch(events=(*events, finished), files=files)


def fail(book: Book, held: Claim, failure: Failure, terms: Terms, at: datetime) -> Batch:
    """End an attempt for a reason; the request too, unless the reason may pass and attempts remain.

    Raises:
        LeaseError: the lease is another worker's now, or the request has ended.
    """
    state = _held(book, held)
    again = failure.code in MAY_PASS and state.attempt < terms.max_attempts
    action = Action.RETRY if again else Action.FAIL
    status = follow(state.request_id, state.status, action, Who.HOLDER)
    new = next_state(state, status, at, failure=failure, progress="")
    return Batch(events=(make_event(action, held.lease.worker, failure.code, new),))


def release(book: Book, held: Claim, reason: str, at: datetime) -> Batch:
    """Give a request back untried; nothing happens where the lease is gone."""
    try:
        state = _held(book, held)
    except LeaseError:
        return Batch()
    status = follow(state.request_id, state.status, Action.RELEASE, Who.HOLDER)
    new = next_state(state, status, at, attempt=state.attempt - 1, progress="")
    return Batch(events=(make_event(Action.RELEASE, held.lease.worker, reason, new),))


def is_gone(state: State, terms: Terms, at: datetime, is_dead: Callable[[Lease], bool]) -> bool:
    """Say whether any worker may take a running request from the one that it was claimed by."""
    lease = state.lease
    if lease is None or is_dead(lease):
        return True
    return at >= from_text(lease.expires_at) + timedelta(seconds=terms.grace_seconds)


def _claim(state: State, worker: str, terms: Terms, at: datetime, nonce: str) -> Event:
    taken_over = state.status is Status.RUNNING
    lease = Lease(
        worker=worker,
        nonce=nonce,
        token=state.version + 1,
        acquired_at=to_text(at),
        expires_at=to_text(at + timedelta(seconds=terms.lease_seconds)),
    )
    status = follow(state.request_id, state.status, Action.CLAIM, Who.WORKER)
    new = next_state(state, status, at, lease=lease, attempt=state.attempt + 1, progress="")
    reason = f"{state.worker} is gone" if taken_over else "claimed"
    return make_event(Action.CLAIM, worker, reason, new)


def _give_up(state: State, worker: str, at: datetime) -> Event:
    message = f"its worker vanished in attempt {state.attempt}, the last; it was {state.worker}"
    failure = make_failure(FailureCode.WORKER_LOST, "evaluate", message)
    status = follow(state.request_id, state.status, Action.GIVE_UP, Who.WORKER)
    new = next_state(state, status, at, failure=failure, progress="")
    return make_event(Action.GIVE_UP, worker, failure.code, new)


def _held(book: Book, held: Claim) -> State:
    state = known(book, held.state.request_id)
    lease, own = state.lease, held.lease
    if state.status is not Status.RUNNING or lease is None:
        raise LeaseError(
            f"request {state.request_id} is {state.status} and no longer held by {own.worker}; "
            "nothing was written"
        )
    if (lease.nonce, lease.token) != (own.nonce, own.token):
        raise LeaseError(
            f"request {state.request_id} is now held by {lease.worker} (token {lease.token}), no "
            f"longer by {own.worker} (token {own.token}); nothing was written"
        )
    return state
