"""The manifest of a store: what its ledger says of every request, read as a whole."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from protocol.jsonable import from_plain
from protocol.manifest import Former, ManifestEntry, Milestone
from protocol.records import Request
from protocol.states import Action
from submission.ledger import Book
from submission.wording import shown

LONGEST_REASON = 400
"""Characters of a reason that are shown; the ledger has it whole."""
_BY_WORKERS = frozenset({Action.FINISH, Action.FAIL, Action.GIVE_UP})


def manifest_of(book: Book) -> tuple[ManifestEntry, ...]:
    """Return every request of a book in the order of their first submission."""
    # Copies: another thread may read on meanwhile.
    requests = {key: from_plain(Request, r, "request") for key, r in list(book.requests.items())}
    states = dict(book.states)
    milestones = {key: tuple(_milestone(m) for m in book.milestones[key]) for key in requests}
    former = _former_names(requests, states, milestones)
    return tuple(
        ManifestEntry.of(
            request,
            status=states[request_id]["status"],
            successor=states[request_id]["successor"],
            milestones=milestones[request_id],
            formerly=former.get(request_id, ()),
        )
        for request_id, request in requests.items()
    )


def _milestone(plain: Mapping[str, Any]) -> Milestone:
    milestone: Milestone = from_plain(Milestone, plain, "milestone")
    # A worker is called by its machine's name, which the ledger keeps and a page need not show.
    by = "a worker" if milestone.action in _BY_WORKERS else milestone.actor
    return replace(milestone, actor=by, reason=shown(milestone.reason, LONGEST_REASON))


def _former_names(
    requests: Mapping[str, Request],
    states: Mapping[str, Mapping[str, Any]],
    milestones: Mapping[str, tuple[Milestone, ...]],
) -> dict[str, tuple[Former, ...]]:
    """Return by request what it superseded, and earlier rows of its weights by another name."""
    found: dict[str, list[Former]] = {}
    earlier: dict[str, list[str]] = {}
    for request_id, request in requests.items():
        successor = states[request_id]["successor"]
        if successor:
            named = Former(request_id=request_id, model=request.label, why="superseded")
            found.setdefault(successor, []).append(named)
        for fingerprint in request.fingerprints:
            for other in earlier.get(fingerprint, ()):
                if _is_renamed(requests[other], request):
                    label = requests[other].label
                    former = Former(request_id=other, model=label, why="same weights")
                    found.setdefault(request_id, []).append(former)
        # What never had a row gave nothing a name.
        if any(one.action is Action.FINISH for one in milestones[request_id]):
            for fingerprint in request.fingerprints:
                earlier.setdefault(fingerprint, []).append(request_id)
    return {key: _distinct(names) for key, names in found.items()}


def _is_renamed(old: Request, new: Request) -> bool:
    before, after = old.compared, new.compared
    return bool(old.role is new.role and before and after and before.model != after.model)


def _distinct(names: list[Former]) -> tuple[Former, ...]:
    """Return each request once, newest first; that it was superseded says more."""
    order = sorted(names, key=lambda one: one.why == "superseded")
    return tuple(reversed({one.request_id: one for one in order}.values()))
