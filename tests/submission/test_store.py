"""What every store promises; run on each store there is."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.synchronize import Event as EventType
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import RecordError, StoreError
from protocol.files import sha256_of_file
from protocol.records import Failure, Request, Status, System
from protocol.rules import Mode, Role
from submission.store import FolderStore

STORES: list[Callable[[Path], FolderStore]] = [FolderStore]


@pytest.fixture(params=STORES, ids=lambda make: make.__name__)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FolderStore:
    made: FolderStore = request.param(tmp_path / "store")
    return made


def request_for(quality: str, at: str = "2026-01-01T00:00:00.000Z") -> Request:
    return Request(
        role=Role.CODEC,
        i2t=None,
        t2i=None,
        codec=System(adapter="vvc", model=quality, revision="", path=""),
        modes=(Mode.IMAGE,),
        protocol="demo-0",
        dataset="demo",
        dataset_sha256="0" * 64,
        submitter="ada",
        submitted_at=at,
    )


def test_a_submission_is_pending_and_found_again(store: FolderStore) -> None:
    first = store.submit(request_for("53"))
    again = store.submit(request_for("53", at="2026-02-02T00:00:00.000Z"))
    assert (first.is_new, again.is_new) == (True, False)
    assert again.state.status is Status.PENDING
    assert len(store.queue()) == 1


def test_an_empty_store_has_no_work_and_no_results(store: FolderStore) -> None:
    with store.claim("w") as claim:
        assert claim is None
    assert store.queue() == []
    assert store.results() == []


def test_the_oldest_request_is_claimed_first(store: FolderStore) -> None:
    store.submit(request_for("50", at="2026-01-02T00:00:00.000Z"))
    store.submit(request_for("51", at="2026-01-01T00:00:00.000Z"))
    with store.claim("w") as claim:
        assert claim is not None
        assert claim.request.label == "VVC QP 51"
        assert claim.state.status is Status.RUNNING


def test_a_worker_takes_only_what_it_accepts(store: FolderStore) -> None:
    store.submit(request_for("53"))
    with store.claim("w", lambda request: request.dataset == "other") as claim:
        assert claim is None


def test_a_failed_request_keeps_its_reason_and_can_be_submitted_again(store: FolderStore) -> None:
    store.submit(request_for("53"))
    failure = Failure(code="ModelError", stage="evaluate", message="no such model")
    with store.claim("w") as claim:
        assert claim is not None
        store.fail(claim, failure)
    (entry,) = store.queue()
    assert (entry.state.status, entry.state.failure) == (Status.FAILED, failure)
    with store.claim("w") as claim:
        assert claim is None
    assert store.submit(request_for("53")).state.status is Status.PENDING


def test_history_is_a_chain_of_hashes(store: FolderStore) -> None:
    store.submit(request_for("53"))
    for _ in range(3):
        with store.claim("w") as claim:
            assert claim is not None
    request_id = store.queue()[0].request.request_id
    events = store.events(request_id)
    assert [event.state.version for event in events] == [1, 2, 3, 4]
    assert [event.reason for event in events][1:] == ["claimed"] + ["its worker is gone"] * 2
    paths = sorted((store.folder / "events" / request_id).iterdir())
    assert [event.previous_sha256 for event in events] == [
        "",
        *(sha256_of_file(path) for path in paths[:-1]),
    ]


def test_an_unknown_request_is_named(store: FolderStore) -> None:
    with pytest.raises(StoreError, match="no request 'abc'"):
        store.request("abc")


def test_a_damaged_record_is_named_by_its_file(store: FolderStore) -> None:
    store.submit(request_for("53"))
    (path,) = (store.folder / "requests").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(RecordError, match=path.name):
        store.queue()


def test_a_request_without_events_waits(store: FolderStore) -> None:
    request = request_for("53")
    store.submit(request)
    for path in (store.folder / "events" / request.request_id).iterdir():
        path.unlink()
    with store.claim("w") as claim:
        assert claim is not None


def test_a_change_that_came_second_is_refused(store: FolderStore) -> None:
    store.submit(request_for("53"))
    with store.claim("w") as claim:
        assert claim is not None
        store.fail(claim, Failure(code="A", stage="s", message="first"))
        with pytest.raises(StoreError, match="changed by another process"):
            store.fail(claim, Failure(code="B", stage="s", message="second"))
    state = store.state(claim.request.request_id)
    assert state.failure is not None
    assert state.failure.message == "first"


def _take_all(folder: Path, names: Any) -> None:
    store = FolderStore(folder)
    while True:
        with store.claim(str(os.getpid())) as claim:
            if claim is None:
                return
            names.append(claim.request.request_id)
            store.fail(claim, Failure(code="Done", stage="test", message=""))


def test_no_request_is_taken_twice_by_several_processes(store: FolderStore) -> None:
    for quality in range(20):
        store.submit(request_for(str(quality)))
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        names = manager.list()
        workers = [context.Process(target=_take_all, args=(store.folder, names)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        taken = list(names)
    assert len(taken) == len(set(taken)) == 20


def _hold(folder: Path, held: EventType) -> None:
    with FolderStore(folder).claim("doomed"):
        held.set()
        signal.pause()


def test_a_claim_ends_when_its_process_is_killed_and_not_before(store: FolderStore) -> None:
    store.submit(request_for("53"))
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    worker = context.Process(target=_hold, args=(store.folder, held))
    worker.start()
    assert held.wait(30)
    with store.claim("second") as claim:
        assert claim is None
    worker.kill()
    worker.join()
    with store.claim("second") as claim:
        assert claim is not None
        assert claim.state.attempt == 2
