"""Every store there is, for tests of what each promises: a folder, and a Hub of the loopback."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from made_requests import PER_IMAGE, result_of

from submission.hub_files import Backoff
from submission.queue import Terms
from submission.store_folder import FolderStore
from submission.store_hub import HubStore
from submission.store_ledger import LedgerStore

TERMS = Terms(lease_seconds=60, grace_seconds=10)
MakeStore: TypeAlias = Callable[..., LedgerStore]


class Clock:
    """A time that tests move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def open_again(kind: str, address: str, **options: Any) -> LedgerStore:
    """Open a store as another process would; `address` is its folder, or endpoint and token."""
    if kind == "folder":
        return FolderStore(Path(address), **options)
    endpoint, token, cache = address.split(" ")
    quick = Backoff(first_seconds=0.01, limit_seconds=0.1, tries=60)
    where: dict[str, Any] = {"endpoint": endpoint, "token": token, "cache": Path(cache)}
    return HubStore("acme/cmc", backoff=quick, **where, **options)


def finish_next(store: LedgerStore, worker: str = "w") -> str:
    with store.claim(worker) as claim:
        assert claim is not None
        store.finish(claim, result_of(claim.request), PER_IMAGE)
        return claim.request.request_id
