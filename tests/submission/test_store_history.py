"""How requests of every store end, are replaced and are told of; run on each store there is."""

import hashlib
import json
import multiprocessing
import os
from dataclasses import replace
from typing import Any

import pytest
from every_store import Clock, MakeStore, finish_next, open_again
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LeaseError, LedgerError, StoreError
from protocol.records import Score
from protocol.rules import Dimension, Mode
from protocol.states import Action, Status
from submission.ledger import Book
from submission.ledger_check import check_ledger
from submission.queue import per_image_path
from submission.store_ledger import LedgerStore

pytest_plugins = ["store_fixtures"]


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


def test_a_maintainer_removes_a_row_and_the_ledger_says_who_and_why(store: LedgerStore) -> None:
    store.submit(request_for(53))
    request_id = finish_next(store)
    assert store.remove(request_id, "keeper", "forged scores").status is Status.WITHDRAWN
    assert store.results() == []
    last = store.events(request_id)[-1]
    assert (last.actor, last.reason) == ("keeper", "forged scores")
    with pytest.raises(StoreError, match="is WITHDRAWN"):
        store.remove(request_id, "keeper", "again")


def test_withdrawing_takes_the_lease_from_the_worker(store: LedgerStore) -> None:
    request_id = store.submit(request_for(53)).state.request_id
    claim = store.take("w")
    assert claim is not None
    store.withdraw(request_id, "ada")
    with pytest.raises(LeaseError, match="is WITHDRAWN"):
        store.finish(claim, result_of(claim.request), PER_IMAGE)


def test_a_request_is_superseded_by_another_of_the_same_submitter(store: LedgerStore) -> None:
    old, new = (store.submit(request_for(q)).state.request_id for q in (53, 54))
    assert [finish_next(store), finish_next(store)] == [old, new]
    foreign = store.submit(request_for(55, submitter="eve")).state.request_id
    with pytest.raises(StoreError, match="submitted by eve"):
        store.supersede(old, foreign, "ada")
    with pytest.raises(StoreError, match="cannot take its own place"):
        store.supersede(old, old, "ada")
    state = store.supersede(old, new, "ada")
    assert (state.status, state.successor) == (Status.SUPERSEDED, new)
    with pytest.raises(StoreError, match="submitted by ada, not by eve"):
        store.submit(request_for(53, submitter="eve"))
    again, _ = store.submit_all([request_for(53)] * 2)
    assert (again.state.status, again.is_queued, again.is_new) == (Status.FINISHED, False, False)
    assert again.stands_again
    assert not store.submit(request_for(53)).stands_again
    assert len(store.results()) == 2
    assert not check_ledger(store.ledger).problems


def test_no_row_is_superseded_by_a_request_that_has_none(store: LedgerStore) -> None:
    old, new = (store.submit(request_for(q)).state.request_id for q in (53, 54))
    assert finish_next(store) == old
    for status in ("PENDING", "WITHDRAWN"):
        with pytest.raises(StoreError, match=f"{new} is {status} and has no row to take the place"):
            store.supersede(old, new, "ada")
        if status == "PENDING":
            store.withdraw(new, "ada")
    assert store.state(old).status is Status.FINISHED


def test_a_superseded_row_stands_again_as_it_was_when_its_successor_is_withdrawn(
    store: LedgerStore,
) -> None:
    old, waits, new = (store.submit(request_for(q)).state.request_id for q in (53, 54, 55))
    store.prioritise(waits, -1, "keeper")
    assert [finish_next(store), finish_next(store)] == [old, new]
    before = store.state(old)
    for request_id in (old, waits):
        store.supersede(request_id, new, "ada")
    assert [result.request.request_id for result in store.results()] == [new]
    assert store.remove(new, "keeper", "forged").status is Status.WITHDRAWN
    again = store.state(old)
    assert (again.status, again.successor, again.files) == (before.status, "", before.files)
    assert [result.request.request_id for result in store.results()] == [old]
    last = store.events(old)[-1]
    assert (last.action, last.actor) == (Action.RESTORE, "keeper")
    assert last.reason == f"{new}, which had taken its place, was withdrawn"
    # What had no row has none to come back with, and may be asked for again.
    assert store.state(waits).status is Status.SUPERSEDED
    assert store.submit(request_for(54)).is_queued
    assert not check_ledger(store.ledger).problems


def test_who_looks_at_the_queue_is_told_which_pictures_of_a_finished_row_have_no_score(
    store: LedgerStore,
) -> None:
    store.submit(request_for(53))
    lost = Score(
        mode=Mode.IMAGE, dimension=Dimension.FR, content=None, images=9, not_scored=3, mean=None
    )
    with store.claim("w") as claim:
        assert claim is not None
        scores = (lost, replace(lost, dimension=Dimension.NR))
        store.finish(claim, replace(result_of(claim.request), scores=scores), PER_IMAGE)
    (entry,) = store.queue()
    path = per_image_path(entry.state)
    assert entry.progress.startswith("no score for 3 of 9 pictures in image mode: ")
    assert entry.progress.endswith(f"`status` in {path} says why")
    store.submit(request_for(54))
    new = finish_next(store)
    store.supersede(entry.request.request_id, new, "ada")
    store.withdraw(new, "ada")
    assert store.queue()[1].progress == entry.progress


def test_a_run_whose_clock_was_set_back_says_nothing_of_the_wait_of_others(
    store: LedgerStore, clock: Clock
) -> None:
    for quality in range(2):
        store.submit(request_for(quality))
    with store.claim("w") as claim:
        assert claim is not None
        clock.move(-3600)
        store.renew(claim)
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    assert [e.wait_seconds for e in store.queue()] == [None, None]


def test_the_queue_tells_positions_and_expected_waits(store: LedgerStore, clock: Clock) -> None:
    for quality in range(5):
        store.submit(request_for(quality))
    assert [e.wait_seconds for e in store.queue()] == [None] * 5
    with store.claim("w") as claim:
        assert claim is not None
        clock.move(30)
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    # One at a time, until more are seen to work.
    assert [e.wait_seconds for e in store.queue()] == [30.0, 60.0, 90.0, 120.0, None]
    assert store.take("w1")
    assert [e.wait_seconds for e in store.queue()] == [None, 30.0, 60.0, 90.0, None]
    assert store.take("w2")
    shown = [(e.state.status, e.position, e.wait_seconds) for e in store.queue()]
    assert shown == [
        (Status.RUNNING, None, None),
        (Status.RUNNING, None, None),
        (Status.PENDING, 1, 30.0),
        (Status.PENDING, 2, 30.0),
        (Status.FINISHED, None, None),
    ]
    store.withdraw(store.queue()[3].request.request_id, "ada")
    # Of those that ended, the newest first.
    assert [e.state.status for e in store.queue()[-2:]] == [Status.WITHDRAWN, Status.FINISHED]


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


def test_a_book_of_a_snapshot_is_the_book_of_all_lines(store: LedgerStore) -> None:
    ids = [store.submit(request_for(quality)).state.request_id for quality in range(4)]
    assert finish_next(store) == ids[0]
    store.withdraw(ids[1], "ada", "a mistake")
    store.prioritise(ids[3], 2, "maintainer")
    book = store.ledger.refresh()
    again = Book.from_snapshot(json.loads(json.dumps(book.to_snapshot())))
    assert again.queue() == book.queue() == [ids[3], ids[2]]
    for name in ("number", "sha256", "states", "requests", "milestones", "durations", "open"):
        assert getattr(again, name) == getattr(book, name), name
    assert again.last_queued == book.last_queued == 4
    assert [told["action"] for told in book.milestones[ids[1]]] == ["SUBMIT", "WITHDRAW"]


def test_an_unknown_request_is_named(store: LedgerStore) -> None:
    with pytest.raises(StoreError, match="no request 'abc'"):
        store.request("abc")


def test_scores_or_a_result_that_are_not_the_claims_are_refused(store: LedgerStore) -> None:
    request_id = store.submit(request_for(53)).state.request_id
    claim = store.take("w")
    assert claim is not None
    with pytest.raises(StoreError, match="not those that the result was made from"):
        store.finish(claim, result_of(claim.request), b"other")
    with pytest.raises(StoreError, match=f"the claim of {request_id}"):
        store.finish(claim, result_of(request_for(54)), PER_IMAGE)
    with pytest.raises(StoreError, match="is RUNNING; it has no per-image scores"):
        store.per_image_path(request_id)


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
