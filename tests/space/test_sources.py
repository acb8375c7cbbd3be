"""A store behind the page, on the loopback Hub: read, followed, and shown while it is away."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hub_faults import Rates
from loopback_hub import LoopbackHub
from make_results import make_result
from picture_files import write_pictures

from protocol.errors import HubError
from protocol.records import Result
from protocol.replications import Agreement, Replication
from protocol.rules import Mode, Track
from space.api import find_rows
from space.export import export_source
from space.shop import Shop
from space.sources import StoreSource, open_source
from submission.hub_files import Backoff
from submission.replications import file_replication
from submission.store_folder import FolderStore
from submission.store_hub import HubStore
from submission.store_ledger import LedgerStore

PER_IMAGE = b"per image"


@pytest.fixture
def store(hub: LoopbackHub, tmp_path: Path) -> HubStore:
    quick = Backoff(first_seconds=0.001, limit_seconds=0.002, tries=4)
    store = HubStore(
        "acme/cmc",
        endpoint=hub.endpoint,
        token=hub.token,
        cache=tmp_path / "cache",
        backoff=quick,
    )
    store.create()
    return store


def finish(store: LedgerStore, model: str) -> Result:
    result = replace(make_result(model), per_image_sha256=hashlib.sha256(PER_IMAGE).hexdigest())
    store.submit(result.request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.finish(claim, result, PER_IMAGE)
    return result


def measured(shop: Shop) -> dict[str, int]:
    """Return the replications of each measured row."""
    rows = find_rows(shop, Track.T2I_ULB, "all")
    return {row["model"]: row["replications"] for row in rows if row["request"]}


def test_a_hub_store_is_shown_and_a_new_result_arrives_with_its_commit(store: HubStore) -> None:
    finish(store, "first")
    shop = Shop(StoreSource(store))
    before = shop.status()["revision"]
    assert measured(shop) == {"first": 0}
    shop.keeper.refresh()
    assert shop.status()["revision"] == before
    finish(store, "second")
    shop.keeper.refresh()
    assert measured(shop) == {"first": 0, "second": 0}
    assert shop.status()["revision"] != before


def test_pictures_and_statistics_lie_beside_the_results_on_the_hub(
    store: HubStore, tmp_path: Path
) -> None:
    result = finish(store, "first")
    shop = Shop(StoreSource(store))
    request_id = result.request.request_id
    assert json.loads((shop.find("data/gallery.json") or (b"",))[0]) == []
    write_pictures(tmp_path / "made", result, 0.0)
    store.beside.put(tmp_path / "made", f"gallery/{request_id}")
    shop.keeper.refresh()
    (system,) = json.loads((shop.find("data/gallery.json") or (b"",))[0])
    assert (system["request_id"], system["pictures"]) == (request_id, 6)
    name = "AIGI_SDXL_000.full.webp"
    found = shop.find(f"data/gallery/{request_id}/{name}")
    assert found is not None
    assert found[0] == (tmp_path / "made" / name).read_bytes()
    assert shop.find(f"data/gallery/{request_id}/other.webp") is None
    table = shop.find(f"data/gallery/{request_id}.parquet")
    assert table is not None
    rows = pq.read_table(io.BytesIO(table[0])).to_pylist()
    assert len(rows) == system["pictures"]
    assert {row["decoded"] for row in rows} >= {name}
    assert all(row["bits"] > 0 for row in rows)
    assert any(row["consistency"] is not None for row in rows)
    assert store.beside.read("gallery/nothing") is None


@pytest.mark.parametrize(
    "trouble", [Rates(server_error=1.0), Rates(too_many=1.0), Rates(timeout=1.0)], ids=str
)
def test_a_picture_that_the_hub_does_not_give_is_a_fault_of_the_hub_in_words(
    hub: LoopbackHub, store: HubStore, trouble: Rates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    finish(store, "first")
    source = StoreSource(store)
    source.revision()
    hub.faults.set_rates(trouble)
    with pytest.raises(HubError, match="the Hub cannot be reached to read gallery/"):
        source.gallery_file("0" * 20, "one.webp")


def test_looking_for_news_costs_two_calls(hub: LoopbackHub, store: HubStore) -> None:
    finish(store, "first")
    shop = Shop(StoreSource(store))
    before = len(hub.calls())
    shop.keeper.refresh()
    assert len(hub.calls()) == before + 2


def test_while_the_hub_is_away_the_last_rows_stay_and_a_restart_shows_what_was_kept(
    hub: LoopbackHub, store: HubStore, tmp_path: Path
) -> None:
    finish(store, "first")
    source, kept = StoreSource(store), tmp_path / "kept" / "snapshot.json"
    shop = Shop(source, kept)
    hub.faults.set_rates(Rates(server_error=1.0))
    shop.keeper.refresh()
    assert measured(shop) == {"first": 0}
    status = shop.status()
    assert "HubError: the Hub cannot be reached" in status["problem"]
    assert status["read_at"] <= status["checked_at"]
    restarted = Shop(source, kept)
    assert measured(restarted) == {"first": 0}
    hub.faults.set_rates(Rates())
    restarted.keeper.refresh()
    assert restarted.status()["problem"] == ""


def test_a_replication_that_agrees_is_counted_once_an_account(store: HubStore) -> None:
    result = finish(store, "first")
    shop = Shop(StoreSource(store))
    agreement = Agreement(
        mode=Mode.FULL,
        what="fr",
        images=3,
        one_sided=0,
        original=0.5,
        replicated=0.5,
        largest_difference=0.0,
        tolerance=0.01,
        agrees=True,
    )
    for account, day in (("ada", 1), ("ada", 2), ("bob", 3)):
        record = Replication(
            schema_version=1,
            request_id=result.request.request_id,
            per_image_sha256=result.per_image_sha256,
            names=("NSI_a_1.png",),
            agreements=(agreement,),
            equal_pictures=1,
            pictures=1,
            replicated_by=account,
            replicated_at=f"2026-11-0{day}T00:00:00.000Z",
            provenance=result.provenance,
        )
        file_replication(store, record)
    shop.keeper.refresh()
    assert measured(shop) == {"first": 2}


def made_folder(folder: Path) -> FolderStore:
    store = FolderStore(folder)
    for model in ("whole", "damaged"):
        finish(store, model)
    return store


@pytest.mark.parametrize("content", [b"{}", b"", None])
def test_a_damaged_result_is_named_and_hides_no_other_until_it_is_mended(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    store = made_folder(tmp_path / "cmc-store")
    good = Shop(StoreSource(store)).status()
    (path,) = (
        p for p in (tmp_path / "cmc-store/results").rglob("*.json") if b"damaged" in p.read_bytes()
    )
    whole = path.read_bytes()
    path.unlink() if content is None else path.write_bytes(content)
    shop = Shop(StoreSource(store))
    assert measured(shop) == {"whole": 0}
    assert shop.status()["trouble"] == "damaged files of 1 request are left out"
    assert path.name in shop.status()["problem"]
    shop.keeper.refresh()
    assert caplog.text.count("`cmc verify` checks the store") == 1
    told: list[str] = []
    export_source(StoreSource(store), tmp_path / "site", told.append)
    assert path.name in told[0]
    assert "1 request" in json.loads((tmp_path / "site/data/site.json").read_text())["trouble"]
    path.write_bytes(whole)
    shop.keeper.refresh()
    assert measured(shop) == {"whole": 0, "damaged": 0}
    assert shop.status() | {"read_at": "", "checked_at": ""} == good | {
        "read_at": "",
        "checked_at": "",
    }


def test_a_folder_that_nothing_was_submitted_to_yet_is_told_as_such_by_its_name(
    tmp_path: Path,
) -> None:
    shop = Shop(open_source(str(tmp_path / "cmc-store")))
    status = shop.status()
    assert status["trouble"] == "nothing was submitted to …/cmc-store yet"
    assert "is no store: it is no folder" in status["problem"]
    assert status["failing_since"] == ""
    made_folder(tmp_path / "cmc-store")
    shop.keeper.refresh()
    assert measured(shop) == {"whole": 0, "damaged": 0}
    assert shop.status()["trouble"] == ""
    (tmp_path / "cmc-store").rename(tmp_path / "gone")
    shop.keeper.refresh()
    assert shop.status()["trouble"] == "the store does not answer"
    assert measured(shop) == {"whole": 0, "damaged": 0}


def test_a_result_that_was_changed_on_the_hub_is_named_and_hides_no_other(
    hub: LoopbackHub, store: HubStore, tmp_path: Path
) -> None:
    finish(store, "whole")
    request_id = finish(store, "damaged").request.request_id
    (path,) = (name for name in store.state(request_id).files if name.endswith(".json"))
    hub.api().upload_file(
        path_or_fileobj=b"{}",
        path_in_repo=path,
        repo_id="acme/cmc-results",
        repo_type="dataset",
    )
    elsewhere = HubStore(
        "acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "other"
    )
    shop = Shop(StoreSource(elsewhere))
    assert measured(shop) == {"whole": 0}
    assert f"{path} was changed outside the ledger" in shop.status()["problem"]
