"""What the Hub adds: trouble on the line, lost answers, rights, and thousands of requests."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hub_faults import Rates
from loopback_hub import LoopbackHub
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import HubError, InputError, LedgerError
from protocol.states import Action, Status
from submission import ledger_hub
from submission.hub_files import Backoff, Found
from submission.ledger import Book, events_of
from submission.ledger_check import check_ledger
from submission.store import FolderStore, open_store
from submission.store_hub import HubStore

NAME = "acme/cmc"
QUICK = Backoff(first_seconds=0.005, limit_seconds=0.02, tries=40)


def open_hub(hub: LoopbackHub, folder: Path, **options: Any) -> HubStore:
    where: dict[str, Any] = {"endpoint": hub.endpoint, "token": hub.token, "backoff": QUICK}
    return HubStore(NAME, **{**where, "cache": folder / "cache", **options})


@pytest.fixture
def store(hub: LoopbackHub, tmp_path: Path) -> HubStore:
    store = open_hub(hub, tmp_path)
    store.create()
    return store


def finish_next(store: HubStore) -> str:
    with store.claim("w") as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
        return claim.request.request_id


def put(hub: LoopbackHub, path: str, content: bytes) -> None:
    """Write a file of the requests past the ledger."""
    hub.api().upload_file(
        path_or_fileobj=content,
        path_in_repo=path,
        repo_id="acme/cmc-requests",
        repo_type="dataset",
    )


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_change_whose_answer_is_lost_happens_once(
    hub: LoopbackHub, store: HubStore, status: int
) -> None:
    hub.hang_seconds = 0.01
    for operation in (lambda: store.submit(request_for(53)), lambda: finish_next(store)):
        hub.faults.order("commit", status, after=True)
        operation()
    request_id = request_for(53).request_id
    actions = [event.action for event in store.events(request_id)]
    assert actions == [Action.SUBMIT, Action.CLAIM, Action.FINISH]
    assert check_ledger(store.ledger).problems == []


@pytest.mark.parametrize("status", [409, 412, 429, 500, 504, 0])
def test_trouble_that_passes_is_waited_for(hub: LoopbackHub, store: HubStore, status: int) -> None:
    hub.hang_seconds = 0.01
    hub.faults.order("commit", status, times=3)
    hub.faults.order("resolve", 503, times=3)
    assert store.submit(request_for(53)).is_new
    assert len(store.events(request_for(53).request_id)) == 1


def test_a_result_is_sent_once_and_elsewhere_though_its_line_is_refused(
    hub: LoopbackHub, store: HubStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.submit(request_for(53))
    results, sent = store._hub_ledger.results, list[str]()
    add = results.add

    def add_before_others(api: Any, files: Mapping[str, bytes], message: str) -> None:
        sent.extend(files)
        add(api, files, message)
        hub.faults.order("commit", 412)

    monkeypatch.setattr(results, "add", add_before_others)
    finish_next(store)
    assert sorted(path.rpartition(".")[2] for path in sent) == ["json", "parquet"]
    there = hub.api().list_repo_files("acme/cmc-requests", repo_type="dataset")
    assert {path.partition("/")[0] for path in there} == {".gitattributes", "ledger", "requests"}


def test_a_call_that_hangs_is_given_up_and_asked_again(hub: LoopbackHub, tmp_path: Path) -> None:
    store = open_hub(hub, tmp_path, timeout=0.3)
    store.create()
    hub.hang_seconds = 3.0
    for operation in ("resolve", "commit"):
        hub.faults.order(operation, 0)
    assert store.submit(request_for(53)).is_new


def test_trouble_that_stays_ends_in_one_sentence(hub: LoopbackHub, tmp_path: Path) -> None:
    store = open_hub(hub, tmp_path, backoff=Backoff(first_seconds=0.001, tries=3))
    store.create()
    hub.faults.set_rates(Rates(conflict=1.0))
    with pytest.raises(HubError, match="took no change in 3 tries"):
        store.submit(request_for(53))
    assert len(hub.calls("commit")) == 3


def test_pauses_grow_twofold_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _, most: most)
    assert list(Backoff(first_seconds=1, limit_seconds=5, tries=5).pauses()) == [1, 2, 4, 5]


def test_a_store_that_is_not_there_is_named_with_what_makes_it(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    with pytest.raises(HubError, match=r"no dataset acme/cmc-requests.*--create-store"):
        open_hub(hub, tmp_path).queue()


def test_who_may_only_submit_can_write_no_result(hub: LoopbackHub, tmp_path: Path) -> None:
    open_hub(hub, tmp_path).create()
    hub.add_account("space", "space", {"*": "read", "acme/cmc-requests": "write"})
    space = open_hub(hub, tmp_path, token="space")
    space.submit(request_for(53))
    claim = space.take("space")
    assert claim is not None
    with pytest.raises(HubError, match="acme/cmc-results"):
        space.finish(claim, result_of(claim.request), PER_IMAGE)
    assert space.state(request_for(53).request_id).status is Status.RUNNING
    hub.add_account("none", "none", {"*": "read"})
    with pytest.raises(HubError, match="refused to take a commit of acme/cmc-requests"):
        open_hub(hub, tmp_path, token="none").submit(request_for(54))


def test_the_ledger_goes_on_over_its_segments(
    hub: LoopbackHub, store: HubStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_hub, "SEGMENT_LINES", 4)
    away = open_hub(hub, tmp_path)
    away.submit(request_for(0))
    for quality in range(1, 6):
        store.submit(request_for(quality))
        finish_next(store)
    numbers = [json.loads(line)["number"] for line in away.ledger.lines()]
    assert numbers == list(range(1, 17))
    fresh = open_hub(hub, tmp_path)
    fresh.create()  # Repositories that are there stay as they are.
    assert fresh.ledger.refresh().to_snapshot() == store.ledger.refresh().to_snapshot()
    assert [e.request for e in away.queue()] == [e.request for e in store.queue()]
    assert check_ledger(fresh.ledger).problems == []
    files = hub.api().list_repo_files("acme/cmc-requests", repo_type="dataset")
    (snapshot,) = [path for path in files if path.startswith("ledger/snapshots/")]
    put(hub, snapshot, gzip.compress(json.dumps(Book().to_snapshot()).encode()))
    with pytest.raises(LedgerError, match=f"{snapshot} is not its line's"):
        open_hub(hub, tmp_path).queue()
    hub.api().delete_file(snapshot, "acme/cmc-requests", repo_type="dataset")
    with pytest.raises(LedgerError, match=f"{snapshot} is missing"):
        open_hub(hub, tmp_path).queue()


def test_a_lost_answer_is_found_though_the_ledger_went_on_to_new_segments(
    hub: LoopbackHub, store: HubStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_hub, "SEGMENT_LINES", 3)
    store.submit(request_for("before"))
    other = open_hub(hub, tmp_path)

    def meanwhile(_: float) -> None:
        for quality in range(9):
            other.submit(request_for(quality))

    monkeypatch.setattr(ledger_hub, "time", SimpleNamespace(sleep=meanwhile))
    hub.faults.order("commit", 500, after=True)
    claim = store.take("w")
    assert claim is not None
    claims = [e for e in events_of(store.ledger.lines()) if e.action is Action.CLAIM]
    assert [e.state.request_id for e in claims] == [claim.request.request_id]
    assert store.state(claim.request.request_id).lease == claim.lease


def test_a_history_that_was_rewritten_is_refused(hub: LoopbackHub, store: HubStore) -> None:
    store.submit(request_for(1))
    store.submit(request_for(2))
    content = store.ledger.attached(ledger_hub.CURRENT)
    assert content is not None
    assert store.ledger.size(ledger_hub.CURRENT) == len(content)
    # As in a folder: it speaks against one request, and stops nobody who receives others.
    with pytest.raises(LedgerError, match="reported/none is missing; the ledger has it"):
        store.ledger.size("reported/none")
    header, first, second = content.splitlines(keepends=True)
    # Fewer lines, as many with another last one, more after another.
    for lines in ([], [first, first], [first, first, second]):
        put(hub, ledger_hub.CURRENT, b"".join([header, *lines]))
        with pytest.raises(LedgerError, match="has lost lines"):
            store.queue()
    hub.api().delete_file(ledger_hub.CURRENT, "acme/cmc-requests", repo_type="dataset")
    with pytest.raises(LedgerError, match="acme/cmc-requests has lost its ledger"):
        store.queue()


def test_a_hub_that_does_not_name_a_files_commit_is_asked_for_the_head_first(
    hub: LoopbackHub, store: HubStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.submit(request_for(0))
    hub.names_commits = False
    other, files = open_hub(hub, tmp_path), store._hub_ledger.requests
    ask, between = files._read_once, list[object]()

    def read_late(path: str, revision: str) -> Found:
        # Another writer is first, after the head was asked for and before the file is read.
        if revision != "main" and not between:
            between.append(other.submit(request_for(1)))
        return ask(path, revision)

    monkeypatch.setattr(files, "_read_once", read_late)
    hub.calls.clear()
    assert store.submit(request_for(2)).is_new
    assert 412 in [call.status for call in hub.calls("commit")]
    assert [entry.request for entry in store.queue()] == [request_for(n) for n in range(3)]
    assert check_ledger(store.ledger).problems == []


def test_nothing_is_written_on_a_commit_that_the_hub_does_not_name(
    hub: LoopbackHub, store: HubStore
) -> None:
    store.submit(request_for(0))
    hub.names_commits = hub.names_heads = False
    before = hub.repo("datasets", "acme/cmc-requests").commit_at("main").sha
    with pytest.raises(HubError, match="does not say at which commit acme/cmc-requests is"):
        store.submit(request_for(1))
    with pytest.raises(HubError, match="needs the commit that it was decided on"):
        store._hub_ledger.requests.change(hub.api(), {"x": b""}, "x", parent="", gone=None)
    assert hub.repo("datasets", "acme/cmc-requests").commit_at("main").sha == before


def test_a_boards_scores_are_read_with_one_look_at_the_ledger(
    hub: LoopbackHub, store: HubStore, tmp_path: Path
) -> None:
    store.submit_all([request_for(quality) for quality in range(4)])
    ids = [finish_next(store) for _ in range(4)]
    reader = open_hub(hub, tmp_path, cache=tmp_path / "another")
    reader.results()
    hub.calls.clear()
    paths = [reader.per_image_path(request_id) for request_id in ids]
    assert {path.read_bytes() for path in paths} == {PER_IMAGE}
    # Of one content, so they are one file.
    assert hub.calls.counts()["resolve"] == 1


def test_submitting_to_5000_requests_takes_a_bounded_number_of_calls(
    hub: LoopbackHub, store: HubStore, tmp_path: Path
) -> None:
    store.submit_all([request_for(quality) for quality in range(5000)])
    store.submit(request_for("before"))
    hub.calls.clear()
    newcomer = open_hub(hub, tmp_path)
    assert newcomer.submit(request_for("new")).is_new
    # Newest lines, snapshot; the commit and its preparation; and whether it is there.
    assert hub.calls.counts() == {"resolve": 3, "preupload": 1, "commit": 1}
    hub.calls.clear()
    assert not newcomer.submit(request_for("17")).is_new
    assert hub.calls.counts() == {"resolve": 1}
    hub.calls.clear()
    assert newcomer.take("w") is not None
    assert hub.calls.counts() == {"resolve": 2, "preupload": 1, "commit": 1}
    hub.calls.clear()
    assert len(newcomer.queue()) == 5002
    assert hub.calls.counts() == {"resolve": 1}


def test_results_are_asked_for_once_on_a_machine(
    hub: LoopbackHub, store: HubStore, tmp_path: Path
) -> None:
    for quality in range(3):
        store.submit(request_for(quality))
        finish_next(store)
    hub.calls.clear()
    assert len(open_hub(hub, tmp_path).results()) == 3
    assert len(hub.calls("resolve")) == 4
    hub.calls.clear()
    assert len(open_hub(hub, tmp_path).results()) == 3
    assert len(hub.calls("resolve")) == 1


def test_a_store_is_opened_by_its_name(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path / "x")), FolderStore)
    assert isinstance(open_store("hub:acme/cmc"), HubStore)
    for name in ("hub:", "hub:acme", "hub:a/b/c", "hub:/x"):
        with pytest.raises(InputError, match="wanted hub:ORG/NAME"):
            open_store(name)
