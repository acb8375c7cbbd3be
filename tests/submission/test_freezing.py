"""A frozen board never changes, whatever happens to the store afterwards."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from made_requests import request_for
from made_stores import made_store, open_hub_store, run

from protocol.boards import bench_of
from protocol.controls import Controls
from protocol.errors import HubError, InputError, StoreError
from protocol.frozen import FrozenEntry, check_label, slug_of
from protocol.records import Result
from protocol.rules import Content, Track
from protocol.states import Status
from protocol.statistics.files import write_statistics
from protocol.statistics.records import BoardStatistics, RowStatistics
from submission.evidence import put_evidence
from submission.freezing import freeze, frozen_path, list_frozen, read_frozen
from submission.freezing_check import frozen_problems
from submission.hub_files import Found, HubFiles
from submission.store_folder import FolderStore
from submission.store_hub import HubStore

LABEL = "v1.0/2026-10-01"


@pytest.fixture(params=["folder", "hub"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FolderStore | HubStore]:
    with made_store(request.param, tmp_path) as store:
        assert isinstance(store, FolderStore | HubStore)
        yield store


def test_a_row_that_left_afterwards_is_still_on_the_frozen_board(
    store: FolderStore | HubStore,
) -> None:
    kept, gone = run(store, request_for(51)), run(store, request_for(52))
    entry, is_new = freeze(store, LABEL, "ada")
    assert (is_new, entry.results, entry.slug) == (True, 2, "v1.0~2026-10-01")
    store.withdraw(gone, "ada", "wrong weights")
    run(store, request_for(53))
    board = read_frozen(store, LABEL)
    assert {result.request.request_id for result in board.results} == {kept, gone}
    assert board.entry == entry
    assert [one.label for one in list_frozen(store.beside).values()] == [LABEL]
    content = store.beside.read(frozen_path(LABEL))
    assert content is not None
    assert hashlib.sha256(content).hexdigest() == entry.sha256
    assert frozen_problems(store) == (1, [])


def test_the_same_board_again_changes_nothing_and_another_is_refused(
    store: FolderStore | HubStore,
) -> None:
    first = run(store, request_for(51))
    entry, _ = freeze(store, LABEL, "ada")
    content = store.beside.read(frozen_path(LABEL))
    # Lines of the ledger that change no row.
    store.submit(request_for(52))
    assert freeze(store, LABEL, "bob") == (entry, False)
    store.withdraw(first, "ada")
    run(store, request_for(53))
    with pytest.raises(StoreError, match="since then 1 results came, 1 left"):
        freeze(store, LABEL, "ada")
    assert store.beside.read(frozen_path(LABEL)) == content
    assert freeze(store, "v1.1", "ada")[1]
    assert [one.label for one in list_frozen(store.beside).values()] == [LABEL, "v1.1"]


def statistics(result: Result, **changes: Any) -> BoardStatistics:
    row = RowStatistics(
        request_id=result.request.request_id,
        model=result.request.label,
        partner="",
        per_image_sha256=result.per_image_sha256,
        cells={},
        not_scored={},
        overall=None,
        standing=None,
    )
    made = BoardStatistics(
        schema_version=1,
        track=Track.CODEC,
        bench=bench_of(result).label,
        content=None,
        images=1,
        images_per_content={},
        resamples=20,
        seed=0,
        level=0.95,
        rows=(row,),
        comparisons=(),
        leads=(),
    )
    return replace(made, **changes)


def test_a_board_is_frozen_with_what_was_found_out_about_its_rows_and_no_others(
    store: FolderStore | HubStore, tmp_path: Path
) -> None:
    run(store, request_for(51))
    (result,) = store.results()
    made = statistics(result)
    older = replace(made.rows[0], per_image_sha256="0" * 64)
    stale = statistics(result, content=Content.SCI, rows=(older,))
    for one in (made, stale):
        write_statistics(tmp_path / "made", one)
    store.beside.put(tmp_path / "made" / "statistics", "statistics")
    controls = Controls(
        request_id=result.request.request_id,
        system="",
        partner="",
        protocol="demo-0",
        images=1,
        scores=(),
        flags=(),
        own_family=(),
    )
    for request_id in (result.request.request_id, "f" * 20):
        put_evidence(store.beside, replace(controls, request_id=request_id))
    freeze(store, LABEL, "ada")
    frozen = read_frozen(store, LABEL).frozen
    assert (frozen.statistics, frozen.controls) == ((made,), (controls,))


def test_an_empty_store_has_nothing_to_freeze(store: FolderStore | HubStore) -> None:
    store.submit(request_for(51))
    with pytest.raises(StoreError, match="holds no result"):
        freeze(store, LABEL, "ada")
    with pytest.raises(StoreError, match="there are none"):
        read_frozen(store, LABEL)


def test_of_those_who_freeze_at_once_one_is_first(store: FolderStore | HubStore) -> None:
    run(store, request_for(51))
    news: list[bool] = []
    writers = [Thread(target=lambda: news.append(freeze(store, LABEL, "ada")[1])) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(news) == [False, False, True]


@pytest.mark.parametrize("actor", ["ada", "bob"])
def test_a_freeze_whose_store_sees_a_newer_commit_meanwhile_replaces_nothing(
    actor: str, hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the same millisecond: both files of one actor are the same bytes.
    monkeypatch.setattr("submission.freezing.now", lambda: "2026-10-01T00:00:00.000Z")
    mine, other = (open_hub_store(hub, tmp_path / name) for name in ("mine", "other"))
    mine.create()
    run(mine, request_for(51))
    looked = HubFiles.read
    first: list[FrozenEntry] = []
    is_first = iter([True])

    def look(files: HubFiles, path: str, revision: str = "main") -> Found:
        found = looked(files, path, revision)
        if path == frozen_path(LABEL) and next(is_first, False):
            first.append(freeze(other, LABEL, actor)[0])
            # What another thread with the same store does at any moment.
            mine.beside.revision()
        return found

    monkeypatch.setattr(HubFiles, "read", look)
    assert freeze(mine, LABEL, "ada") == (first[0], False)
    assert read_frozen(mine, LABEL).entry == first[0]


@pytest.mark.parametrize("status", [0, 503])
def test_the_hub_has_a_tag_at_the_commit_with_the_file(
    status: int, hub: LoopbackHub, tmp_path: Path
) -> None:
    store = open_hub_store(hub, tmp_path / "cache")
    store.create()
    run(store, request_for(51))
    hub.hang_seconds = 0.01
    hub.faults.order("commit", status, after=True)
    entry, is_new = freeze(store, LABEL, "ada")
    # The answer was lost, and the file is this call's own.
    assert is_new
    assert freeze(store, LABEL, "ada") == (entry, False)
    run(store, request_for(52))
    refs = hub.api().list_repo_refs("acme/cmc-results", repo_type="dataset")
    (tag,) = refs.tags
    assert tag.name == LABEL
    files = hub.api().list_repo_files(
        "acme/cmc-results", repo_type="dataset", revision=tag.target_commit
    )
    assert frozen_path(LABEL) in files
    assert sum(path.startswith("results/") for path in files) == 2
    hub.add_account("reader-token", "eve", {"*": "read"})
    reader = HubStore(
        "acme/cmc", endpoint=hub.endpoint, token="reader-token", cache=tmp_path / "eve"
    )
    with pytest.raises(HubError):
        freeze(reader, "v2", "eve")


def test_verify_names_what_a_frozen_board_lost(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    run(store, request_for(51))
    gone = run(store, request_for(52))
    freeze(store, LABEL, "ada")
    path = store.folder / frozen_path(LABEL)
    good = path.read_bytes()
    plain = json.loads(good)
    store.withdraw(gone, "ada")

    def said() -> str:
        return "\n".join(frozen_problems(store)[1])

    assert said() == ""
    left_out = dict(list(plain["files"].items())[:2])
    path.write_text(json.dumps({**plain, "files": left_out}))
    assert "its rows are not those that stood at line 6 of the ledger" in said()
    path.write_text(json.dumps({**plain, "ledger_sha256": "0" * 64}))
    assert "line 6 of the ledger is not the one that it names" in said()
    path.write_text(json.dumps({**plain, "label": "v9"}))
    assert "it is called v9" in said()
    path.write_text(json.dumps({**plain, "published_sha256": "0" * 64}))
    assert "other published tables" in said()
    path.write_text("{}")
    assert "missing keys" in said()
    assert list_frozen(store.beside) == {}
    path.write_bytes(good)
    next((store.folder / "results").rglob(f"{gone}.*.json")).unlink()
    assert "is missing; the ledger has it" in said()


NO_LABELS = (
    *("", "live", "main", "../up", "a//b", "a..b", "/a", "a/", ".a", "a.", "a b", "a~b"),
    *("x.lock", "<b>", "a" * 81, "0" * 40, "\u00e4", "-v1"),
)


@pytest.mark.parametrize("label", NO_LABELS)
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(InputError, match="cannot name a frozen board"):
        check_label(label)


def test_labels_and_their_files_are_one_to_one() -> None:
    labels = ["v1.0/2026-10-01", "v1.0-2026-10-01", "2026-11-27", "a/b/c", "20261127"]
    assert len({slug_of(check_label(label)) for label in labels}) == len(labels)


def test_who_froze_it_and_when_is_no_part_of_the_board(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    run(store, request_for(51))
    freeze(store, LABEL, "ada")
    frozen = read_frozen(store, LABEL).frozen
    later = replace(frozen, frozen_at="2027", frozen_by="bob", ledger_lines=9, label="x")
    assert later.same_board(frozen)
    assert not replace(frozen, files={}).same_board(frozen)
    assert store.state(request_for(51).request_id).status is Status.FINISHED
