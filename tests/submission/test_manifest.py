"""What became of every row that was asked for, from the ledger alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub
from made_requests import request_for
from made_stores import made_store, open_hub_store, run

from protocol.failures import FailureCode
from protocol.manifest import COLUMNS, Former, by_request, manifest_lines
from protocol.records import Request, System
from protocol.rules import Mode, Role
from protocol.states import Action, Status
from submission import ledger_hub
from submission.ledger import Book
from submission.manifest import manifest_of
from submission.queue import make_failure

INJECTED = "<img src=x onerror=window.hacked=1>"
UNSEEN = "\u202e\x1b[2J" + "x" * 500


def painter(model: str, revision: str = "a", fingerprints: tuple[str, ...] = ()) -> Request:
    """Return a T2I model's request."""
    captions = System(adapter="file", model="captions.csv", revision="c" * 40, path="")
    return replace(
        request_for(53),
        role=Role.T2I,
        codec=None,
        i2t=captions,
        t2i=System(adapter="diffusers", model=model, revision=revision * 40, path=""),
        modes=(Mode.FULL,),
        fingerprints=fingerprints,
    )


@pytest.mark.parametrize("kind", ["folder", "hub"])
def test_each_row_says_who_brought_it_who_took_it_away_and_why(kind: str, tmp_path: Path) -> None:
    with made_store(kind, tmp_path) as store:
        gone, old, new, failed = (request_for(q) for q in (51, 52, 53, 54))
        for request in (gone, old, new):
            run(store, request)
        store.submit(failed)
        with store.claim("worker") as claim:
            assert claim is not None
            store.fail(claim, make_failure(FailureCode.MODEL_REFUSED, "claim", "no weights"))
        store.withdraw(gone.request_id, "ada", INJECTED)
        store.submit(gone)
        store.withdraw(gone.request_id, "ada", UNSEEN)
        store.supersede(old.request_id, new.request_id, "ada")
        manifest = manifest_of(store.ledger.refresh())
    told = {
        entry.request_id: [(m.action, m.actor, m.reason) for m in entry.milestones]
        for entry in manifest
    }
    brought = [(Action.SUBMIT, "ada", "submitted"), (Action.FINISH, "a worker", "finished")]
    assert told[gone.request_id] == [
        *(*brought, (Action.WITHDRAW, "ada", INJECTED), (Action.SUBMIT, "ada", "submitted again")),
        (Action.WITHDRAW, "ada", "\\u202e\\u001b[2J" + "x" * 395 + "…"),
    ]
    assert told[failed.request_id] == [brought[0], (Action.FAIL, "a worker", "MODEL_REFUSED")]
    assert [entry.status for entry in manifest] == [
        *(Status.WITHDRAWN, Status.SUPERSEDED, Status.FINISHED, Status.FAILED),
    ]
    entries = by_request(manifest)
    assert entries[old.request_id].successor == new.request_id
    assert entries[new.request_id].formerly == (
        Former(request_id=old.request_id, model="VVC QP 52", why="superseded"),
    )
    lines = manifest_lines(manifest)
    assert [line["successor"] for line in lines if line["action"] == "SUPERSEDE"] == [
        new.request_id
    ]
    assert {tuple(line) for line in lines} == {COLUMNS}
    assert not any("score" in column or "overall" in column for column in COLUMNS)


def test_the_same_weights_under_another_name_are_a_former_name(tmp_path: Path) -> None:
    with made_store("folder", tmp_path) as store:
        run(store, painter("ada/first", fingerprints=("x", "y")))
        run(store, painter("ada/first", "b", fingerprints=("x",)))
        run(store, painter("ada/other", fingerprints=("z",)))
        run(store, painter("ada/second", fingerprints=("y", "w")))
        names = [
            [former.text for former in entry.formerly]
            for entry in manifest_of(store.ledger.refresh())
        ]
    first = painter("ada/first").request_id[:8]
    assert names == [[], [], [], [f"ada/first (same weights, {first})"]]


def test_reading_a_manifest_asks_the_hub_nothing_that_the_rows_do_not_ask(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_hub, "SEGMENT_LINES", 10)
    store = open_hub_store(hub, tmp_path / "cache")
    store.create()
    for quality in range(12):
        run(store, request_for(quality))
    reader = open_hub_store(hub, tmp_path / "other")
    before = len(hub.calls())
    book = reader.ledger.refresh()
    asked = len(hub.calls()) - before
    assert len(manifest_of(book)) == 12
    assert (asked, len(hub.calls()) - before) == (2, 2)


def test_a_snapshot_of_the_ledger_that_kept_less_is_passed_over(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_hub, "SEGMENT_LINES", 4)
    newer = Book.to_snapshot

    def older(book: Book) -> dict[str, object]:
        return {key: value for key, value in newer(book).items() if key != "milestones"}

    store = open_hub_store(hub, tmp_path / "cache")
    store.create()
    with monkeypatch.context() as patched:
        patched.setattr(Book, "to_snapshot", older)
        for quality in range(5):
            run(store, request_for(quality))
    reader = open_hub_store(hub, tmp_path / "other")
    found = manifest_of(reader.ledger.refresh())
    assert [len(entry.milestones) for entry in found] == [2] * 5
    assert json.dumps(reader.ledger.book.states) == json.dumps(store.ledger.book.states)
