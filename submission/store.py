"""The store: where requests, their events and their results lie. Open one with `open_store`."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from protocol.errors import InputError, NoStoreError
from protocol.records import Request, Result
from protocol.smoke import SmokeReport
from protocol.states import OPEN, Event, Failure, State
from submission.beside import Beside
from submission.clock import now
from submission.ledger import Ledger
from submission.queue import Claim, QueueEntry, Submitted
from submission.queue_worker import Accepts
from submission.store_folder import FolderStore

__all__ = [
    "OPEN",
    "Claim",
    "FolderStore",
    "QueueEntry",
    "Store",
    "Submitted",
    "now",
    "open_existing",
    "open_store",
    "require_there",
]


class Store(Protocol):
    """What submitting, working and showing need; the evaluation does not depend on which store."""

    ledger: Ledger
    beside: Beside

    def submit(
        self,
        request: Request,
        priority: int = 0,
        remark: str = ...,
        attached: Mapping[str, bytes] | None = ...,
    ) -> Submitted:
        """Queue a request; an identical one is found by its id, and queued again if it failed."""

    def submit_all(
        self,
        requests: Sequence[Request],
        priority: int = 0,
        remark: str = ...,
        attached: Mapping[str, bytes] | None = ...,
    ) -> list[Submitted]:
        """Queue several requests in one change, with the files that they need, by their path.

        A remark goes into the history.
        """

    def claim(
        self, worker: str, accepts: Accepts = ..., *, reported: bool = ...
    ) -> AbstractContextManager[Claim | None]:
        """Hold the next request while the block lasts; None where there is none.

        Those that came with their results are held by who says `reported`, and by nobody else.
        """

    def report_progress(self, claim: Claim, line: str, log: str = ...) -> None:
        """Show people how far the claimed request is, and the last lines of its log.

        Raises:
            LeaseError: a renewal found that the claim is gone.
        """

    def report_smoke(self, claim: Claim, report: SmokeReport) -> None:
        """Keep what a claimed request's smoke test showed; it stays with the request."""

    def finish(self, claim: Claim, result: Result, per_image: bytes) -> None:
        """End a claimed request with its result."""

    def fail(self, claim: Claim, failure: Failure) -> State:
        """End an attempt for a reason; the request ends too, unless the reason may pass."""

    def withdraw(self, request_id: str, actor: str, reason: str = ...) -> State:
        """End a request at its submitter's wish; rows whose place it took stand again."""

    def remove(self, request_id: str, actor: str, reason: str) -> State:
        """End a request by a maintainer, as `withdraw` does; its history says why."""

    def supersede(self, request_id: str, successor: str, actor: str) -> State:
        """Let another row of the same submitter take a request's place."""

    def prioritise(self, request_id: str, priority: int, actor: str) -> State:
        """Let a waiting request run earlier or later."""

    def request(self, request_id: str) -> Request:
        """Return a request."""

    def state(self, request_id: str) -> State:
        """Return where a request stands."""

    def events(self, request_id: str) -> list[Event]:
        """Return a request's history, oldest first."""

    def queue(self) -> list[QueueEntry]:
        """Return every request: the running, the waiting as they will be run, the ended."""

    def results(self) -> list[Result]:
        """Return the result of every finished request."""

    def per_image_path(self, request_id: str) -> Path:
        """Return a file with the per-image scores of a finished request."""


def open_store(name: str, *, create: bool = False, hurried: bool = False) -> Store:
    """Return the store of a name: a folder, or `hub:ORG/NAME`.

    Args:
        name: as people type it.
        create: make a Hub store's repositories, or a folder's ledger, where they are not there.
        hurried: somebody waits for each answer: give up on a Hub store in seconds, not minutes.

    Raises:
        InputError: `hub:` is not followed by `ORG/NAME`.
    """
    kind, _, rest = name.partition(":")
    if kind != "hub":
        folder = FolderStore(Path(name))
        if create:
            folder.create()
        return folder
    if rest.count("/") != 1 or not all(rest.split("/")):
        raise InputError(f"{name!r} names no store; wanted hub:ORG/NAME, or a folder")
    # The client takes half a second to import.
    from submission.store_hub import HURRIED, HURRIED_TIMEOUT, HubStore

    store = HubStore(rest, backoff=HURRIED, timeout=HURRIED_TIMEOUT) if hurried else HubStore(rest)
    if create:
        store.create()
    return store


def open_existing(name: str) -> Store:
    """Return the store of a name for who reads it or goes on with it.

    Raises:
        InputError: `hub:` is not followed by `ORG/NAME`.
        StoreError: it is a folder, and no store.
    """
    store = open_store(name)
    require_there(store)
    return store


def require_there(store: Store) -> None:
    """Refuse a folder that is no store; of one on the Hub its first answer says so.

    Raises:
        NoStoreError: it has no ledger.
    """
    if isinstance(store, FolderStore) and not store.is_there:
        found = "holds no ledger.jsonl" if store.folder.is_dir() else "is no folder"
        raise NoStoreError(
            str(store.folder),
            f"{store.folder} is no store: it {found}; name the folder that `cmc submit` wrote to; "
            "`cmc work --create-store` makes a new one",
        )
