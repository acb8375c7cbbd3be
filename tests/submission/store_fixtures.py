"""Fixtures: a store of each kind, as `every_store` opens it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from every_store import TERMS, Clock, MakeStore, open_again
from loopback_hub import LoopbackHub

from submission.store_hub import HubStore
from submission.store_ledger import LedgerStore


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
