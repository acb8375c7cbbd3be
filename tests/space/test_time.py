"""Frozen boards, changes and the manifest as files: of a folder, of the Hub, and exported."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from made_history import LABEL, REASON, History, Store, finish, make_history
from make_results import make_result

from protocol.errors import LedgerError
from protocol.frozen import slug_of
from space.export import export_source
from space.shop import Shop
from space.snapshot import SnapshotKeeper
from space.sources import StoreSource
from submission.freezing import freeze, frozen_path
from submission.hub_files import Backoff
from submission.store_folder import FolderStore
from submission.store_hub import HubStore

AS_OF = f"data/as-of/{slug_of(LABEL)}"


def open_hub_store(hub: LoopbackHub, cache: Path) -> HubStore:
    quick = Backoff(first_seconds=0.001, limit_seconds=0.002, tries=4)
    return HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=cache, backoff=quick)


@pytest.fixture(params=["folder", "hub"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield FolderStore(tmp_path / "store")
        return
    with LoopbackHub(tmp_path / "lfs") as hub:
        made = open_hub_store(hub, tmp_path / "cache")
        made.create()
        yield made


def read(shop: Shop, path: str) -> bytes:
    found = shop.find(path)
    assert found is not None, path
    return found[0]


def read_json(shop: Shop, path: str) -> Any:
    return json.loads(read(shop, path))


def cells(shop: Shop, stem: str) -> dict[str, list[Any]]:
    """Return the measured table over both modes."""
    tables = read_json(shop, f"{stem}/board/t2i-ulb.all.json")["tables"]
    found: dict[str, list[Any]] = tables[0]["cells"]
    return found


def test_a_frozen_board_shows_the_rows_of_its_day_and_marks_those_that_left(store: Store) -> None:
    history = make_history(store)
    shop = Shop(StoreSource(store))
    frozen, live = cells(shop, AS_OF), cells(shop, "data")
    assert frozen["request"] == [history.gone, history.kept, history.old]
    assert frozen["rank"] == [1, 2, 3]
    assert frozen["flags"] == ["withdrawn since", "", "superseded since"]
    assert frozen["cautions"][0].endswith(f"Reason: {REASON}")
    assert live["request"] == [history.kept, history.new]
    assert "flags" not in live
    assert live["formerly"] == [None, f"acme/old-name (superseded, {history.old[:8]})"]
    record = read_json(shop, f"{AS_OF}/results/{history.gone}.json")
    assert record["request"]["t2i"]["model"] == "acme/gone"
    assert shop.find(f"data/results/{history.gone}.json") is None
    cited = read(shop, f"{AS_OF}/cite/{history.gone}.bib").decode()
    (entry,) = read_json(shop, "data/snapshots.json")
    assert f"as of snapshot {LABEL}" in cited
    assert entry["sha256"] in cited
    assert "snapshot" not in read(shop, f"data/cite/{history.kept}.bib").decode()
    assert shop.find("data/as-of/other/board/t2i-ulb.all.json") is None


def test_changes_say_who_came_and_who_left_and_a_row_that_left_shows_no_score(
    store: Store,
) -> None:
    history = make_history(store)
    shop = Shop(StoreSource(store))
    found = read_json(shop, f"data/changes/{slug_of(LABEL)}..live.json")
    assert (found["before"], found["after"]) == (LABEL, "live")
    (table,) = (t for t in found["tables"] if t["track"] == "t2i-ulb" and t["content"] is None)
    told = {
        change["request_before"] or change["request_after"]: change for change in table["changes"]
    }
    gone = told[history.gone]
    assert (gone["kind"], gone["why"], gone["by"]) == ("left", f"withdrawn: {REASON}", "someone")
    assert (gone["overall_before"], gone["overall_after"]) == (None, None)
    assert told[history.old]["request_after"] == history.new
    assert "formerly acme/old-name" in told[history.old]["why"]
    lines = list(csv.DictReader(io.StringIO(read(shop, "data/manifest.csv").decode())))
    withdrawn = [line for line in lines if line["action"] == "WITHDRAW"]
    assert [(line["request_id"], line["reason"]) for line in withdrawn] == [(history.gone, REASON)]
    rows = csv.DictReader(
        io.StringIO(read(shop, f"data/changes/{slug_of(LABEL)}..live.csv").decode())
    )
    assert {row["kind"] for row in rows} == {"left", "moved"}


def test_two_benches_of_the_live_board_are_compared(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    finish(store, "acme/both")
    finish(store, "acme/both", 0.6, protocol="demo-1")
    found = read_json(Shop(StoreSource(store)), "data/changes/live..live.json")
    changes = [change for table in found["tables"] for change in table["changes"]]
    assert {change["why"] for change in changes} == {
        "protocol demo-0 → demo-1",
        "protocol demo-1 → demo-0",
    }


def test_the_manifest_is_as_new_as_the_last_look_and_a_frozen_board_arrives_like_a_result(
    store: Store,
) -> None:
    finish(store, "acme/first")
    shop = Shop(StoreSource(store))
    assert read_json(shop, "data/site.json")["snapshots"] == []
    revision = shop.status()["revision"]
    waiting = submit_waiting(store)
    shop.keeper.refresh()
    # What waits has no row, so that no board is read again.
    assert shop.status()["revision"] == revision
    assert read_json(shop, "data/manifest.json")[-1]["request_id"] == waiting
    freeze(store, LABEL, "someone")
    shop.keeper.refresh()
    assert [one["label"] for one in read_json(shop, "data/site.json")["snapshots"]] == [LABEL]


def submit_waiting(store: Store) -> str:
    """Submit a request that nobody runs, and return its id."""
    # By somebody without a row: another one of an account that has one is news.
    request = replace(make_result("acme/waiting").request, submitter="newcomer")
    store.submit(request)
    return request.request_id


def test_frozen_boards_are_read_once_and_not_before_somebody_asks(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    store = open_hub_store(hub, tmp_path / "cache")
    store.create()
    make_history(store)
    freeze(store, "v1.1", "someone")
    source = StoreSource(store)
    shop = Shop(source)
    finish(store, "acme/newest")
    before = len(hub.calls())
    shop.keeper.refresh()
    asked = [call.path for call in hub.calls()[before:]]
    assert not any("frozen" in path for path in asked)
    read(shop, f"{AS_OF}/board/t2i-ulb.all.json")
    before = len(hub.calls())
    read(shop, f"{AS_OF}/board/i2t.NSI.json")
    read(shop, "data/manifest.json")
    assert len(hub.calls()) == before


def test_what_was_kept_of_a_source_knows_frozen_boards_and_the_manifest(
    store: Store, tmp_path: Path
) -> None:
    make_history(store)
    kept = tmp_path / "kept.json"
    SnapshotKeeper(StoreSource(store), kept).refresh()
    snapshot = SnapshotKeeper(StoreSource(store), kept).snapshot
    assert [entry.label for entry in snapshot.frozen] == [LABEL]
    assert len(snapshot.manifest) == 4


def test_an_export_has_every_frozen_board_and_every_pair_of_boards(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    history: History = make_history(store)
    freeze(store, "v1.1", "someone")
    folder = tmp_path / "site"
    export_source(StoreSource(store), folder)
    names = [slug_of(LABEL), "v1.1", "live"]
    pairs = {f"{a}..{b}" for i, a in enumerate(names) for b in names[i:]}
    assert {path.stem for path in (folder / "data/changes").glob("*.json")} == pairs
    board = json.loads((folder / f"{AS_OF}/board/t2i-ulb.all.json").read_text())
    assert history.gone in board["tables"][0]["cells"]["request"]
    assert len(json.loads((folder / "data/snapshots.json").read_text())) == 2
    assert (folder / "data/manifest.csv").is_file()


def test_a_frozen_board_that_lost_a_result_takes_nothing_else_with_it(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    history = make_history(store)
    next((store.folder / "results").rglob(f"{history.gone}.*.json")).unlink()
    shop = Shop(StoreSource(store))
    with pytest.raises(LedgerError, match="is missing"):
        shop.find(f"{AS_OF}/board/t2i-ulb.all.json")
    assert cells(shop, "data")["request"] == [history.kept, history.new]
    assert shop.status()["problem"] == ""


def test_a_board_that_stood_beside_other_published_rows_says_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    make_history(store)
    path = store.folder / frozen_path(LABEL)
    plain = json.loads(path.read_bytes())

    def is_other() -> bool:
        (board,) = read_json(Shop(StoreSource(store)), "data/site.json")["snapshots"]
        return bool(board["other_published"])

    assert not is_other()
    path.write_text(json.dumps({**plain, "published_sha256": "0" * 64}), encoding="utf-8")
    assert is_other()
