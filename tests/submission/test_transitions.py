"""The state machine, exhaustively: what the table does not have does not happen."""

from itertools import product

import pytest

from protocol.errors import StoreError
from protocol.states import OPEN, Action, Status
from submission.transitions import TRANSITIONS, Who, follow

STATUSES: tuple[Status | None, ...] = (None, *Status)


@pytest.mark.parametrize(("status", "action", "who"), product(STATUSES, Action, Who))
def test_a_change_happens_just_where_the_table_has_it_and_for_whom(
    status: Status | None, action: Action, who: Who
) -> None:
    row = TRANSITIONS.get((status, action))
    if row is not None and who in row.by:
        assert follow("r", status, action, who) is row.to
    else:
        with pytest.raises(StoreError, match="request r"):
            follow("r", status, action, who)


def test_every_status_and_action_has_its_use() -> None:
    assert {row.to for row in TRANSITIONS.values()} == set(Status)
    assert {action for _, action in TRANSITIONS} == set(Action)


def test_no_worker_changes_a_request_that_ended() -> None:
    for (status, _), row in TRANSITIONS.items():
        if status is not None and status not in OPEN:
            assert not row.by & {Who.WORKER, Who.HOLDER}


def test_only_the_holder_of_the_lease_finishes() -> None:
    finishing = [
        row
        for (status, _), row in TRANSITIONS.items()
        if row.to is Status.FINISHED and status not in (Status.FINISHED, Status.SUPERSEDED)
    ]
    assert [row.by for row in finishing] == [frozenset({Who.HOLDER})]


def test_every_request_can_end_from_where_it_is() -> None:
    for start in OPEN:
        reached: set[Status] = {start}
        seen: set[Status] = set()
        while reached - seen:
            status = (reached - seen).pop()
            seen.add(status)
            reached |= {row.to for (at, _), row in TRANSITIONS.items() if at is status}
        assert {Status.FINISHED, Status.FAILED} <= seen
