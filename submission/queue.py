"""The parts of the queue's decisions that submitters and workers share."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from protocol.errors import LeaseError, StoreError
from protocol.failures import HINTS, FailureCode
from protocol.records import Request
from protocol.states import Action, Event, Failure, Lease, State, Status
from submission.clock import to_text
from submission.ledger import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long a lease lasts, and how often a request is tried."""

    lease_seconds: float = 1800.0
    grace_seconds: float = 120.0
    """How long after a lease's end others wait, because their clocks may be ahead."""
    max_attempts: int = 3


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one request."""

    request: Request
    state: State

    @property
    def lease(self) -> Lease:
        """The lease that the claim rests on."""
        if self.state.lease is None:
            raise LeaseError(f"request {self.state.request_id} was never claimed")
        return self.state.lease


class Submitted(NamedTuple):
    """What became of a submission."""

    state: State
    is_new: bool
    """False when an identical request was there before."""
    is_changed: bool
    """False when that one waits, runs or has a row, and stays as it was."""

    @property
    def is_queued(self) -> bool:
        """Whether it waits because of this submission."""
        return self.is_changed and self.state.status is Status.PENDING

    @property
    def stands_again(self) -> bool:
        """Whether its row, which had been superseded, is back."""
        return self.is_changed and self.state.status is Status.FINISHED


class QueueEntry(NamedTuple):
    """One line of the queue."""

    request: Request
    state: State
    progress: str
    position: int | None
    """From 1 for the next one to be run; None unless it waits."""
    wait_seconds: float | None
    """Until it starts, going by past runs and the present workers; None where no run is known."""
    log: str = ""
    """The last lines of its worker's log while it runs; strangers may read them."""


def known(book: Book, request_id: str) -> State:
    """Return a request's state.

    Raises:
        StoreError: there is no such request.
    """
    state = book.state(request_id)
    if state is None:
        raise StoreError(f"the store holds no request {request_id!r}; see `cmc queue`")
    return state


def make_failure(code: FailureCode, stage: str, message: str, log: str = "") -> Failure:
    """Return a failure with the hint that goes with its code."""
    return Failure(code=code, stage=stage, message=message, hint=HINTS[code], log=log)


def new_nonce() -> str:
    """Return 32 hex digits that nobody else makes."""
    return uuid.uuid4().hex


def request_path(request_id: str) -> str:
    """Return where a request lies in the store."""
    return f"requests/{request_id[:2]}/{request_id}.json"


def result_path(state: State) -> str:
    """Return where the result of a claimed request lies; each claim has a place of its own."""
    token = state.lease.token if state.lease else 0
    return f"results/{state.request_id[:2]}/{state.request_id}.{token}.json"


def per_image_path(state: State) -> str:
    """Return where the per-image scores lie, beside the result."""
    return result_path(state).removesuffix("json") + "parquet"


def next_state(state: State, status: Status, at: datetime, **changes: object) -> State:
    """Return the state after one more event; a live log is there only where one is given."""
    changes = {"log": "", **changes}
    return replace(
        state,
        version=state.version + 1,
        status=status,
        updated_at=to_text(at),
        **changes,  # type: ignore[arg-type]
    )


def make_event(
    action: Action, actor: str, reason: str, state: State, request: Request | None = None
) -> Event:
    """Return an event."""
    return Event(action=action, actor=actor, reason=reason, state=state, request=request)
