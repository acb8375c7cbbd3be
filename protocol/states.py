"""Where a request stands and what happened to it: the records of the queue."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from protocol.failures import FailureCode
from protocol.records import Request
from protocol.smoke import SmokeReport


class Status(StrEnum):
    """Where a request stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    WITHDRAWN = "WITHDRAWN"
    """By its submitter; its history stays, its row does not."""
    SUPERSEDED = "SUPERSEDED"
    """By another finished request of the same submitter, which the state names; it stands again
    when that one is withdrawn."""


OPEN = frozenset({Status.PENDING, Status.RUNNING})
"""What is yet to end."""


class Action(StrEnum):
    """What can happen to a request; `submission.transitions` says when, and by whom."""

    SUBMIT = "SUBMIT"
    CLAIM = "CLAIM"
    RENEW = "RENEW"
    """The holder lives, and says how far it is."""
    RELEASE = "RELEASE"
    """The holder's machine cannot go on, which is not the request's fault: no attempt is lost."""
    RETRY = "RETRY"
    """The attempt failed for a reason that may pass."""
    FINISH = "FINISH"
    FAIL = "FAIL"
    GIVE_UP = "GIVE_UP"
    """The last attempt's lease ran out."""
    WITHDRAW = "WITHDRAW"
    SUPERSEDE = "SUPERSEDE"
    RESTORE = "RESTORE"
    """What had taken its place was withdrawn: the row stands again, as it was."""
    PRIORITISE = "PRIORITISE"
    REPLICATE = "REPLICATE"
    """Somebody ran a part of it again; the record is one of the state's files from then on."""
    AUDIT = "AUDIT"
    """A maintainer ran a part of a self-reported row again; the record is one of the files too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A worker's right to run a request, for a time."""

    worker: str
    nonce: str
    """32 hex digits that only the holder made: two claims are never the same bytes."""
    token: int
    """The fencing token: grows with every claim of the request, and names the result's files."""
    acquired_at: str
    expires_at: str
    """Both UTC, ISO 8601, by the worker's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request failed."""

    code: FailureCode
    stage: str
    """`claim`, `evaluate` or `store`."""
    message: str
    hint: str
    log: str = ""
    """The end of the traceback, without secrets and without the machine's folders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a request stands after its newest event."""

    request_id: str
    version: int
    """Number of events so far."""
    status: Status
    queued: int
    """The ledger's number when it was last submitted: the queue's order."""
    priority: int
    """Larger runs earlier."""
    attempt: int
    """How often it was claimed since it was last submitted."""
    lease: Lease | None
    """Of the holder; after the end, of the last one."""
    progress: str
    """How far its holder is; of a FINISHED one, which pictures have no score."""
    failure: Failure | None
    files: Mapping[str, str]
    """What belongs to it and its sha256: results that came with it from the start, the result's
    files, replications and audits when it is FINISHED; kept while it is SUPERSEDED."""
    successor: str
    """The request that took this one's place; empty unless SUPERSEDED."""
    updated_at: str
    """UTC, ISO 8601."""
    smoke: SmokeReport | None = None
    """What its smoke test showed; None before one has run, and for a run of few pictures."""
    log: str = ""
    """The last lines of the holder's log as of the last renewal; empty unless RUNNING."""

    @property
    def worker(self) -> str:
        """Who holds or last held it; empty before the first claim."""
        return self.lease.worker if self.lease else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change of one request."""

    action: Action
    actor: str
    reason: str
    state: State
    """The state that the event led to."""
    request: Request | None
    """With SUBMIT; None otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the ledger: events that happened together, and the files that came with them."""

    number: int
    """From 1."""
    nonce: str
    at: str
    """UTC, ISO 8601."""
    events: tuple[Event, ...]
    files: Mapping[str, str]
    """Path in the store to sha256, of every file that was written with this entry."""
    previous_sha256: str
    """Of the line before, without its newline; empty for the first."""
