"""The queue as the Submit page shows it: what waits and runs, one's own, and what ended lately."""

from typing import Any

from protocol.states import OPEN, Status
from space.plain import request_names
from space.queue_view import QueueView
from submission.identity import Account
from submission.store import QueueEntry

MOST_OPEN = 200
MOST_ENDED = 40
MOST_OWN = 60
MOST_LOG = 8000
"""Characters; what a worker writes is no longer."""


def queue_rows(view: QueueView, account: Account | None) -> dict[str, Any]:
    """Return the lines that are shown, with how many there are, and how old they are."""
    name = account.name if account else ""
    is_open = [e for e in view.entries if e.state.status in OPEN]
    ended = [e for e in view.entries if e.state.status not in OPEN]
    own = [e for e in ended if e.request.submitter == name]
    chosen = {
        e.request.request_id: e
        for e in [*is_open[:MOST_OPEN], *own[:MOST_OWN], *ended[:MOST_ENDED]]
    }
    # In the order of the store's own list.
    shown = [e for e in view.entries if chosen.get(e.request.request_id) is e]
    return {
        "queue": [row_of(entry, account) for entry in shown],
        "requests": len(view.entries),
        "waiting": sum(e.state.status is Status.PENDING for e in is_open),
        "running": sum(e.state.status is Status.RUNNING for e in is_open),
        "read_at": view.read_at,
        "problem": view.problem,
        "failing_since": view.failing_since,
    }


def row_of(entry: QueueEntry, account: Account | None) -> dict[str, Any]:
    """Return one line of the queue."""
    request, state = entry.request, entry.state
    smoke = state.smoke
    return {
        **request_names(request),
        "modes": request.modes,
        "bench": f"{request.protocol} · {request.dataset}",
        "submitter": request.submitter,
        "submitted_at": request.submitted_at,
        "updated_at": state.updated_at,
        "claimed_at": state.lease.acquired_at if state.lease else "",
        "status": state.status,
        "attempt": state.attempt,
        "progress": entry.progress,
        "log": entry.log[-MOST_LOG:],
        "position": entry.position,
        "wait_seconds": entry.wait_seconds,
        "failure": state.failure,
        "successor": state.successor,
        "smoke": smoke,
        "whole_run_minutes": smoke.whole_run_minutes if smoke else None,
        "is_mine": bool(account and account.name == request.submitter),
    }
