"""The state machine of a request as one table: what may happen, where it leads, and by whom."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from protocol.errors import StoreError
from protocol.states import Action, Status


class Who(StrEnum):
    """Who may do something."""

    SUBMITTER = "its submitter"
    WORKER = "any worker"
    HOLDER = "the worker with its lease"
    MAINTAINER = "a maintainer"
    ANYBODY = "any account"


class Transition(NamedTuple):
    """One row of the table."""

    to: Status
    by: frozenset[Who]


_SUBMITTER = frozenset({Who.SUBMITTER, Who.MAINTAINER})
_WORKER = frozenset({Who.WORKER})
_HOLDER = frozenset({Who.HOLDER})
_MAINTAINER = frozenset({Who.MAINTAINER})
_ANYBODY = frozenset({Who.ANYBODY})

TRANSITIONS: Mapping[tuple[Status | None, Action], Transition] = {
    (None, Action.SUBMIT): Transition(Status.PENDING, _SUBMITTER),
    (Status.FAILED, Action.SUBMIT): Transition(Status.PENDING, _SUBMITTER),
    (Status.WITHDRAWN, Action.SUBMIT): Transition(Status.PENDING, _SUBMITTER),
    (Status.PENDING, Action.CLAIM): Transition(Status.RUNNING, _WORKER),
    # Only of a lease that ran out, or whose holder is known to be dead.
    (Status.RUNNING, Action.CLAIM): Transition(Status.RUNNING, _WORKER),
    (Status.RUNNING, Action.GIVE_UP): Transition(Status.FAILED, _WORKER),
    (Status.RUNNING, Action.RENEW): Transition(Status.RUNNING, _HOLDER),
    (Status.RUNNING, Action.RELEASE): Transition(Status.PENDING, _HOLDER),
    (Status.RUNNING, Action.RETRY): Transition(Status.PENDING, _HOLDER),
    (Status.RUNNING, Action.FINISH): Transition(Status.FINISHED, _HOLDER),
    (Status.RUNNING, Action.FAIL): Transition(Status.FAILED, _HOLDER),
    (Status.PENDING, Action.WITHDRAW): Transition(Status.WITHDRAWN, _SUBMITTER),
    (Status.RUNNING, Action.WITHDRAW): Transition(Status.WITHDRAWN, _SUBMITTER),
    (Status.FINISHED, Action.WITHDRAW): Transition(Status.WITHDRAWN, _SUBMITTER),
    (Status.PENDING, Action.SUPERSEDE): Transition(Status.SUPERSEDED, _SUBMITTER),
    (Status.RUNNING, Action.SUPERSEDE): Transition(Status.SUPERSEDED, _SUBMITTER),
    (Status.FINISHED, Action.SUPERSEDE): Transition(Status.SUPERSEDED, _SUBMITTER),
    (Status.FAILED, Action.SUPERSEDE): Transition(Status.SUPERSEDED, _SUBMITTER),
    # Only of what has a row: submitted again, or its successor is withdrawn.
    (Status.SUPERSEDED, Action.RESTORE): Transition(Status.FINISHED, _SUBMITTER),
    # Only of what has none.
    (Status.SUPERSEDED, Action.SUBMIT): Transition(Status.PENDING, _SUBMITTER),
    (Status.PENDING, Action.PRIORITISE): Transition(Status.PENDING, _MAINTAINER),
    (Status.FINISHED, Action.REPLICATE): Transition(Status.FINISHED, _ANYBODY),
    (Status.FINISHED, Action.AUDIT): Transition(Status.FINISHED, _MAINTAINER),
}
"""Whatever is not here does not happen."""


def follow(request_id: str, status: Status | None, action: Action, who: Who) -> Status:
    """Return the status that an action leads to.

    Raises:
        StoreError: the table has no such row, or not for `who`.
    """
    found = TRANSITIONS.get((status, action))
    if found is None:
        where = status or "unknown"
        raise StoreError(f"request {request_id} is {where}: {action} does not apply to it")
    if who not in found.by:
        may = " or ".join(sorted(found.by))
        raise StoreError(f"request {request_id}: {action} is for {may}, not for {who}")
    return found.to
