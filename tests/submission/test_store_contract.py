"""What every store promises; run on each store there is, the Hub's on a Hub of the loopback."""

import dataclasses
import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from loopback_hub import LoopbackHub
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LeaseError, LedgerError, StoreError
from protocol.failures import HINTS, FailureCode
from protocol.states import Action, Status
from submission.hub_files import Backoff
from submission.ledger import Book
from submission.ledger_check import check_ledger
from submission.queue import Terms, make_failure
from submission.reported import reported_path
from submission.store_folder import FolderStore
from submission.store_hub import HubStore
from submission.store_ledger import LedgerStore

TERMS = Terms(lease_seconds=60, grace_seconds=10)
MakeStore: TypeAlias = Callable[..., LedgerStore]


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def open_again(kind: str, address: str, **options: Any) -> LedgerStore:
    """Open a store as another process would; `address` is its folder, or endpoint and token."""
    if kind == "folder":
        return FolderStore(Path(address), **options)
    endpoint, token, cache = address.split(" ")
    quick = Backoff(first_seconds=0.01, limit_seconds=0.1, tries=60)
    where: dict[str, Any] = {"endpoint": endpoint, "token": token, "cache": Path(cache)}
    return HubStore("acme/cmc", backoff=quick, **where, **options)


@pytest.fixture(params=["folder", "hub"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def address(kind: str, tmp_path: Path) -> Iterator[str]:
    if kind == "folder":
        yield str(tmp_path / "store")
        return
    with LoopbackHub(tmp_path / "lfs") as hub:
        where = f"{hub.endpoint} {hub.token} {tmp_path / 'cache'}"
        store = open_again(kind, where)
        assert isinstance(store, HubStore)
        store.create()
        yield where


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_store(kind: str, address: str, clock: Clock) -> MakeStore:
    def make(**options: Any) -> LedgerStore:
        return open_again(kind, address, **{"terms": TERMS, "clock": clock, **options})

    return make


@pytest.fixture
def store(make_store: MakeStore) -> LedgerStore:
    return make_store()


def finish_next(store: LedgerStore, worker: str = "w") -> str:
    with store.claim(worker) as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
        return claim.request.request_id


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


def test_a_worker_that_stops_gives_its_request_back_untried(store: LedgerStore) -> None:
    store.submit(request_for(53))
    with pytest.raises(KeyboardInterrupt), store.claim("w") as claim:  # noqa: PT012
        assert claim is not None
        raise KeyboardInterrupt
    (entry,) = store.queue()
    assert (entry.state.status, entry.state.attempt) == (Status.PENDING, 0)


def test_only_the_submitter_withdraws_and_a_withdrawn_row_leaves_the_board(
    store: LedgerStore,
) -> None:
    store.submit(request_for(53))
    request_id = finish_next(store)
    with pytest.raises(StoreError, match="submitted by ada, not by eve"):
        store.withdraw(request_id, "eve")
    assert store.withdraw(request_id, "ada", "wrong weights").status is Status.WITHDRAWN
    assert store.results() == []
    last = store.events(request_id)[-1]
    assert (last.action, last.reason) == (Action.WITHDRAW, "wrong weights")
    with pytest.raises(StoreError, match="is WITHDRAWN"):
        store.withdraw(request_id, "ada")
    assert store.submit(request_for(53)).state.status is Status.PENDING


def test_withdrawing_takes_the_lease_from_the_worker(store: LedgerStore) -> None:
    request_id = store.submit(request_for(53)).state.request_id
    claim = store.take("w")
    assert claim is not None
    store.withdraw(request_id, "ada")
    with pytest.raises(LeaseError, match="is WITHDRAWN"):
        store.finish(claim, result_of(claim.request), PER_IMAGE)


def test_a_request_is_superseded_by_another_of_the_same_submitter(store: LedgerStore) -> None:
    old, new = (store.submit(request_for(q)).state.request_id for q in (53, 54))
    foreign = store.submit(request_for(55, submitter="eve")).state.request_id
    with pytest.raises(StoreError, match="submitted by eve"):
        store.supersede(old, foreign, "ada")
    state = store.supersede(old, new, "ada")
    assert (state.status, state.successor) == (Status.SUPERSEDED, new)
    with pytest.raises(StoreError, match="SUBMIT does not apply"):
        store.submit(request_for(53))


def test_the_queue_tells_positions_and_expected_waits(store: LedgerStore, clock: Clock) -> None:
    for quality in range(5):
        store.submit(request_for(quality))
    assert [e.wait_seconds for e in store.queue()] == [None] * 5
    with store.claim("w") as claim:
        assert claim is not None
        clock.move(30)
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    held = [store.take(f"w{i}") for i in (1, 2)]
    assert all(held)
    shown = [(e.state.status, e.position, e.wait_seconds) for e in store.queue()]
    assert shown == [
        (Status.RUNNING, None, None),
        (Status.RUNNING, None, None),
        (Status.PENDING, 1, 30.0),
        (Status.PENDING, 2, 30.0),
        (Status.FINISHED, None, None),
    ]


def test_history_is_a_chain_of_hashes(store: LedgerStore, make_store: MakeStore) -> None:
    for quality in range(3):
        store.submit(request_for(quality))
        finish_next(store)
    lines = list(make_store().ledger.lines())
    assert [json.loads(line)["number"] for line in lines] == list(range(1, 10))
    previous = [json.loads(line)["previous_sha256"] for line in lines]
    assert previous == ["", *(hashlib.sha256(line).hexdigest() for line in lines[:-1])]
    book = Book()
    book.apply(lines[0])
    with pytest.raises(LedgerError, match="line 2 of the ledger does not follow"):
        book.apply(lines[2])


def test_an_unknown_request_is_named(store: LedgerStore) -> None:
    with pytest.raises(StoreError, match="no request 'abc'"):
        store.request("abc")


def test_scores_that_are_not_the_results_are_refused(store: LedgerStore) -> None:
    store.submit(request_for(53))
    claim = store.take("w")
    assert claim is not None
    with pytest.raises(StoreError, match="not those that the result was made from"):
        store.finish(claim, result_of(claim.request), b"other")


def _take_all(kind: str, address: str, names: Any) -> None:
    store = open_again(kind, address)
    while True:
        with store.claim(str(os.getpid())) as claim:
            if claim is None:
                return
            names.append(claim.request.request_id)
            store.finish(claim, result_of(claim.request), PER_IMAGE)


def test_no_request_is_taken_twice_by_several_processes(
    kind: str, address: str, store: LedgerStore
) -> None:
    store.submit_all([request_for(quality) for quality in range(12)])
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        names = manager.list()
        workers = [context.Process(target=_take_all, args=(kind, address, names)) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        taken = list(names)
    assert len(taken) == len(set(taken)) == 12
    assert len(store.results()) == 12
