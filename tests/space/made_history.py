"""A store with a past: rows, a frozen board, and what happened to the rows after it."""

import hashlib
from dataclasses import dataclass, replace
from typing import TypeAlias

from make_results import make_result

from protocol.records import Result
from submission.freezing import freeze
from submission.store_folder import FolderStore
from submission.store_hub import HubStore

PER_IMAGE = b"per image"
LABEL = "v1.0/2026-10-01"
REASON = "<img src=x onerror=window.hacked=1>"
Store: TypeAlias = FolderStore | HubStore


@dataclass(frozen=True)
class History:
    """Request ids by what became of them."""

    kept: str
    gone: str
    old: str
    new: str


def finish(store: Store, model: str, consistency: float = 0.5, protocol: str = "demo-0") -> str:
    """Finish a request and return its id."""
    made = make_result(model, consistency=consistency, protocol=protocol)
    result: Result = replace(made, per_image_sha256=hashlib.sha256(PER_IMAGE).hexdigest())
    store.submit(result.request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.finish(claim, result, PER_IMAGE)
    return result.request.request_id


def make_history(store: Store) -> History:
    """Freeze three rows; withdraw one, and let a fourth take the place of another."""
    kept, gone = finish(store, "acme/kept", 0.5), finish(store, "acme/gone", 0.7)
    old = finish(store, "acme/old-name", 0.3)
    freeze(store, LABEL, "someone")
    store.withdraw(gone, "someone", REASON)
    new = finish(store, "acme/new-name", 0.4)
    store.supersede(old, new, "someone")
    return History(kept, gone, old, new)
