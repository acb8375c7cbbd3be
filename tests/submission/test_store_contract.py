"""What every store promises; run on each store there is, the Hub's on a Hub of the loopback."""

import dataclasses
import hashlib
import json

import pytest
from every_store import Clock, MakeStore, finish_next
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LeaseError
from protocol.failures import HINTS, FailureCode
from protocol.states import Action, Status
from submission.ledger import Book
from submission.ledger_check import check_ledger
from submission.queue import make_failure
from submission.reported import reported_path
from submission.store_folder import FolderStore
from submission.store_ledger import LedgerStore

pytest_plugins = ["store_fixtures"]


def test_a_submission_is_pending_and_found_again(store: LedgerStore, make_store: MakeStore) -> None:
    first = store.submit(request_for(53))
    later = dataclasses.replace(request_for(53), submitted_at="2026-02-02T00:00:00.000Z")
    again = make_store().submit(later)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.state.status is Status.PENDING
    assert len(make_store().queue()) == 1


def test_an_empty_store_has_no_work_and_no_results(store: LedgerStore) -> None:
    with store.claim("w") as claim:
        assert claim is None
    assert store.queue() == []
    assert store.results() == []


def test_several_requests_are_submitted_in_one_change(store: LedgerStore) -> None:
    made = store.submit_all([request_for(q) for q in (1, 2, 1)])
    assert [m.is_new for m in made] == [True, True, False]
    assert len(list(store.ledger.lines())) == 1


def test_requests_run_in_the_order_of_submission_and_priority(store: LedgerStore) -> None:
    ids = [store.submit(request_for(q)).state.request_id for q in (50, 51, 52)]
    urgent = store.submit(request_for(53), priority=1).state.request_id
    store.prioritise(ids[2], 2, "maintainer")
    assert [finish_next(store) for _ in range(4)] == [ids[2], urgent, ids[0], ids[1]]


def test_a_worker_takes_only_what_it_accepts(store: LedgerStore) -> None:
    store.submit(request_for(53))
    with store.claim("w", lambda request: request.dataset == "other") as claim:
        assert claim is None


def test_a_finished_request_has_its_result_and_its_scores(
    store: LedgerStore, make_store: MakeStore
) -> None:
    store.submit(request_for(53))
    request_id = finish_next(store)
    other = make_store()
    assert [r.request.request_id for r in other.results()] == [request_id]
    assert other.per_image_path(request_id).read_bytes() == PER_IMAGE
    assert other.state(request_id).status is Status.FINISHED
    with other.claim("w") as claim:
        assert claim is None


def test_a_request_that_failed_for_good_keeps_its_reason_and_can_be_submitted_again(
    store: LedgerStore,
) -> None:
    store.submit(request_for(53))
    failure = make_failure(FailureCode.MODEL_REFUSED, "evaluate", "no such model", "a log")
    with store.claim("w") as claim:
        assert claim is not None
        assert store.fail(claim, failure).status is Status.FAILED
    (entry,) = store.queue()
    assert entry.state.failure == failure
    assert entry.state.failure.hint == HINTS[FailureCode.MODEL_REFUSED]
    with store.claim("w") as claim:
        assert claim is None
    again = store.submit(request_for(53)).state
    assert (again.status, again.attempt, again.failure) == (Status.PENDING, 0, None)


def test_a_failure_that_may_pass_is_tried_three_times(store: LedgerStore) -> None:
    store.submit(request_for(53))
    statuses = []
    for _ in range(3):
        with store.claim("w") as claim:
            assert claim is not None
            failure = make_failure(FailureCode.OUT_OF_MEMORY, "evaluate", "CUDA out of memory")
            statuses.append(store.fail(claim, failure).status)
    assert statuses == [Status.PENDING, Status.PENDING, Status.FAILED]
    with store.claim("w") as claim:
        assert claim is None


def test_a_lease_that_ran_out_is_taken_over_and_its_holder_can_write_nothing(
    make_store: MakeStore, clock: Clock
) -> None:
    first, second = make_store(), make_store()
    first.submit(request_for(53))
    slow = first.take("slow")
    assert slow is not None
    first.ledger.let_go(slow.lease.nonce)
    if isinstance(first, FolderStore):
        # As on another machine: no lock to look at.
        assert not first.ledger.is_dead(slow.lease)
    clock.move(69)
    assert second.take("early") is None
    clock.move(1)
    quick = second.take("quick")
    assert quick is not None
    assert quick.state.attempt == 2
    assert quick.lease.token > slow.lease.token
    for write in (
        lambda: first.finish(slow, result_of(slow.request), PER_IMAGE),
        lambda: first.fail(slow, make_failure(FailureCode.INTERNAL, "evaluate", "late")),
        lambda: first.renew(slow),
    ):
        with pytest.raises(LeaseError, match="now held by quick"):
            write()
    second.finish(quick, result_of(quick.request), PER_IMAGE)
    with pytest.raises(LeaseError, match="is FINISHED"):
        first.finish(slow, result_of(slow.request), PER_IMAGE)
    assert len(first.results()) == 1


def test_a_lease_that_ran_out_is_shown_as_such_until_somebody_takes_the_request(
    store: LedgerStore, make_store: MakeStore, clock: Clock
) -> None:
    store.submit(request_for(53))
    claim = store.take("w")
    assert claim is not None
    store.report_progress(claim, "decode 3/48")
    clock.move(69)
    assert "heard of" not in store.queue()[0].progress
    clock.move(2)
    (entry,) = make_store().queue()
    assert entry.state.status is Status.RUNNING
    assert entry.progress == "its worker has not been heard of since 2026-01-01T00:00:00.000Z"
    assert store.take("next") is not None
    assert "heard of" not in store.queue()[0].progress


def test_a_renewed_lease_is_kept_and_tells_the_progress(
    store: LedgerStore, make_store: MakeStore, clock: Clock
) -> None:
    store.submit(request_for(53))
    claim = store.take("w")
    assert claim is not None
    store.report_progress(claim, "decode 3/48")
    clock.move(55)
    store.renew(claim)
    clock.move(60)
    assert make_store().take("other") is None
    (entry,) = make_store().queue()
    assert (entry.progress, entry.state.worker) == ("decode 3/48", "w")


def test_a_log_comes_with_the_renewal_in_one_change_and_ends_with_the_run(
    store: LedgerStore, make_store: MakeStore, clock: Clock
) -> None:
    request_id = store.submit(request_for(53)).state.request_id
    claim = store.take("w")
    assert claim is not None
    before = store.ledger.refresh().number
    store.report_progress(claim, "decode 3/48", "08:00:00  attempt 1\n08:00:01  decode 3/48")
    clock.move(55)
    store.renew(claim)
    assert make_store().ledger.refresh().number == before + 1
    (entry,) = make_store().queue()
    assert entry.progress == "decode 3/48"
    assert entry.log.splitlines() == ["08:00:00  attempt 1", "08:00:01  decode 3/48"]
    assert make_store().state(request_id).log == entry.log
    store.finish(claim, result_of(claim.request), PER_IMAGE)
    (entry,) = make_store().queue()
    assert (entry.progress, entry.log, make_store().state(request_id).log) == ("", "", "")


def test_a_request_that_came_with_its_results_is_held_by_who_receives_and_not_by_a_worker(
    store: LedgerStore, make_store: MakeStore
) -> None:
    request = request_for(53)
    files = {reported_path(request.request_id, "0" * 64, "json"): b"{}"}
    state = store.submit(request, attached=files).state
    assert state.files == {path: hashlib.sha256(b"{}").hexdigest() for path in files}
    (path,) = files
    assert store.ledger.size(path) == 2
    worker = make_store()
    assert worker.take("w") is None
    (entry,) = worker.queue()
    assert (entry.position, entry.progress) == (
        None,
        "came with its results, which wait to be received",
    )
    with worker.claim("receiver", reported=True) as claim:
        assert claim is not None
        assert list(worker.ledger.read_all([*claim.state.files.items()])) == [b"{}"]
        worker.finish(claim, result_of(request), PER_IMAGE)
    (result,) = make_store().results()
    assert result.source == "self-reported"
    assert list(store.ledger.refresh().durations) == []
    assert check_ledger(store.ledger).problems == []
    store.withdraw(request.request_id, "ada")
    # Sent again without results it is like any other.
    assert store.submit(request).state.files == {}
    assert worker.take("w") is not None


def test_a_state_from_before_there_were_logs_is_read(store: LedgerStore) -> None:
    store.submit(request_for(53))
    book = store.ledger.refresh()
    for state in book.states.values():
        del state["log"]
    again = Book.from_snapshot(json.loads(json.dumps(book.to_snapshot())))
    (old,) = again.with_status(Status.PENDING)
    assert old.log == ""


def test_a_lease_that_nobody_took_is_renewed_before_the_result_is_written(
    store: LedgerStore, clock: Clock
) -> None:
    store.submit(request_for(53))
    claim = store.take("w")
    assert claim is not None
    clock.move(1000)
    store.finish(claim, result_of(claim.request), PER_IMAGE)
    actions = [event.action for event in store.events(claim.request.request_id)]
    assert actions == [Action.SUBMIT, Action.CLAIM, Action.RENEW, Action.FINISH]


def test_a_request_whose_workers_vanish_three_times_fails_and_the_queue_goes_on(
    make_store: MakeStore, clock: Clock
) -> None:
    store = make_store()
    poison = store.submit(request_for(53)).state.request_id
    store.submit(request_for(54))
    for attempt in (1, 2, 3):
        claim = store.take("victim")
        assert claim is not None
        assert (claim.request.request_id, claim.state.attempt) == (poison, attempt)
        store.ledger.let_go(claim.lease.nonce)
        clock.move(100)
    claim = store.take("next")
    assert claim is not None
    assert claim.request.label == "VVC QP 54"
    state = store.state(poison)
    assert state.failure is not None
    assert (state.status, state.failure.code) == (Status.FAILED, FailureCode.WORKER_LOST)


def test_a_holder_whose_renewal_found_the_request_withdrawn_is_told_at_its_next_word(
    store: LedgerStore, make_store: MakeStore
) -> None:
    request_id = store.submit(request_for(53)).state.request_id
    with pytest.raises(LeaseError, match="is WITHDRAWN"), store.claim("w") as claim:  # noqa: PT012
        assert claim is not None
        store.report_progress(claim, "decode 1/48")
        make_store().withdraw(request_id, claim.request.submitter)
        # What the heartbeat does.
        with pytest.raises(LeaseError):
            store.renew(claim)
        store.report_progress(claim, "decode 2/48")
    assert store.state(request_id).status is Status.WITHDRAWN


def test_a_worker_that_stops_gives_its_request_back_untried(store: LedgerStore) -> None:
    store.submit(request_for(53))
    with pytest.raises(KeyboardInterrupt), store.claim("w") as claim:  # noqa: PT012
        assert claim is not None
        raise KeyboardInterrupt
    (entry,) = store.queue()
    assert (entry.state.status, entry.state.attempt) == (Status.PENDING, 0)
