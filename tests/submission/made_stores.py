"""Stores of both kinds, and what is done to them in a line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loopback_hub import LoopbackHub
from made_requests import PER_IMAGE, result_of

from protocol.records import Request
from submission.hub_files import Backoff
from submission.store_folder import FolderStore
from submission.store_hub import HubStore
from submission.store_ledger import LedgerStore

QUICK = Backoff(first_seconds=0.005, limit_seconds=0.02, tries=40)


def open_hub_store(hub: LoopbackHub, cache: Path) -> HubStore:
    return HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=cache, backoff=QUICK)


@contextmanager
def made_store(kind: str, folder: Path) -> Iterator[LedgerStore]:
    """Yield an empty store, `folder` or `hub`."""
    if kind == "folder":
        yield FolderStore(folder / "store")
        return
    with LoopbackHub(folder / "lfs") as hub:
        store = open_hub_store(hub, folder / "cache")
        store.create()
        yield store


def run(store: LedgerStore, request: Request) -> str:
    """Submit a request and finish it, and return its id."""
    store.submit(request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
    return request.request_id
