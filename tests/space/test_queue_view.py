"""The queue for many readers: one look for all, and no reader waits for a store that hangs."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from make_results import make_request

from protocol.errors import HubError
from protocol.rules import Mode, Role
from space.queue_rows import queue_rows
from space.queue_view import QueueKeeper
from submission.identity import Account, SignedInBy
from submission.reported import reported_path
from submission.store import FolderStore, QueueEntry


class Store:
    """A queue that can fail and hang, and counts its readers."""

    def __init__(self) -> None:
        self.looks = 0
        self.fails = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def queue(self) -> Sequence[QueueEntry]:
        self.looks += 1
        self.may_answer.wait(60)
        if self.fails:
            raise HubError("the Hub cannot be reached")
        return ()


@pytest.fixture
def store() -> Store:
    return Store()


def test_a_hundred_readers_cost_one_look(store: Store) -> None:
    keeper = QueueKeeper(store.queue)
    with ThreadPoolExecutor(20) as pool:
        views = list(pool.map(lambda _: keeper.newest(), range(100)))
    assert store.looks == 1
    assert all(view.read_at and not view.problem for view in views)


def test_a_store_that_hangs_is_asked_once_and_said_not_to_have_answered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("space.queue_view.PATIENCE_SECONDS", 0.01)
    store.may_answer.clear()
    keeper = QueueKeeper(store.queue)
    assert keeper.newest().problem == keeper.newest().problem == "the store has not answered yet"
    assert store.looks == 1
    store.may_answer.set()
    for _ in range(500):
        if keeper.newest().read_at:
            break
        time.sleep(0.01)
    assert keeper.newest().problem == ""


def test_what_was_seen_stays_while_the_store_is_away_with_since_when(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("space.queue_view.FRESH_SECONDS", 0.0)
    keeper = QueueKeeper(store.queue)
    seen = keeper.newest()
    store.fails = True
    away = keeper.newest()
    while not away.problem:
        away = keeper.newest()
    assert away.problem == "HubError: the Hub cannot be reached"
    assert (away.read_at >= seen.read_at, away.failing_since != "") == (True, True)
    assert keeper.newest().failing_since == away.failing_since
    with pytest.raises(HubError):
        keeper.renew()
    store.fails = False
    assert keeper.renew().problem == ""


def test_a_long_queue_is_cut_to_what_waits_what_is_one_s_own_and_the_newest(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path)
    requests = [
        make_request(f"m{n:03d}", role=Role.T2I, modes=(Mode.FULL,), protocol="demo-0", dataset="d")
        for n in range(260)
    ]
    store.submit_all(requests)
    for request in requests[:100]:
        store.withdraw(request.request_id, request.submitter)
    keeper = QueueKeeper(store.queue)
    reader = queue_rows(keeper.renew(), Account("somebody else", SignedInBy.SPACE))
    assert (reader["requests"], reader["waiting"], reader["running"]) == (260, 160, 0)
    assert len(reader["queue"]) == 160 + 40
    owner = queue_rows(keeper.renew(), Account("someone", SignedInBy.SPACE))
    assert len(owner["queue"]) == 160 + 60
    assert {row["is_mine"] for row in owner["queue"]} == {True}


def test_results_that_wait_to_be_received_are_counted_as_waiting_and_have_no_place(
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "store")
    mine, other = (
        make_request(name, role=Role.T2I, modes=(Mode.PIXEL,), protocol="demo-0", dataset="x")
        for name in ("mine", "other")
    )
    files = {reported_path(mine.request_id, "0" * 64, kind): b"" for kind in ("json", "parquet")}
    store.submit(mine, attached=files)
    store.submit(other)
    found = queue_rows(QueueKeeper(store.queue).renew(), None)
    assert (found["waiting"], found["running"], found["requests"]) == (2, 0, 2)
    places = {row["request_id"]: (row["position"], row["progress"]) for row in found["queue"]}
    assert places == {
        mine.request_id: (None, "came with its results, which wait to be received"),
        other.request_id: (1, ""),
    }
