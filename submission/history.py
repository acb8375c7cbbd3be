"""What was submitted before: the facts behind duplicates and quotas."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from protocol.records import Request, Status

WAITING = frozenset({"PENDING", "CLAIMED", "RUNNING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """One earlier submission, as far as a new one is compared with it."""

    request_id: str
    submitter: str
    submitted_at: str
    """UTC, ISO 8601."""
    status: str
    model: str
    """Name of the model that is compared."""
    fingerprints: tuple[str, ...] = ()
    """Of that model's weights; see `ModelFacts.fingerprints`."""


@dataclass(frozen=True, slots=True)
class History:
    """The earlier submissions that a check asks for, found by what it asks."""

    earlier: tuple[Earlier, ...] = field(default=())

    def find(self, request_id: str) -> Earlier | None:
        """Return the submission of this id, or None."""
        return next((one for one in self.earlier if one.request_id == request_id), None)

    def of(self, submitter: str) -> tuple[Earlier, ...]:
        """Return an account's submissions."""
        return tuple(one for one in self.earlier if one.submitter == submitter)

    def with_weights(self, fingerprints: Iterable[str]) -> tuple[Earlier, ...]:
        """Return the submissions whose compared model has one of these weights."""
        wanted = set(fingerprints)
        return tuple(one for one in self.earlier if wanted & set(one.fingerprints))


def history_of(entries: Iterable[tuple[Request, str]]) -> History:
    """Return the history of requests with their states' names."""
    return History(tuple(_earlier(request, status) for request, status in entries))


def _earlier(request: Request, status: str) -> Earlier:
    chosen = request.compared
    return Earlier(
        request_id=request.request_id,
        submitter=request.submitter,
        submitted_at=request.submitted_at,
        status=str(status),
        model=chosen.model if chosen else "",
        fingerprints=tuple(request.fingerprints),
    )


def submitted_since(earlier: Iterable[Earlier], now: str, days: int) -> tuple[Earlier, ...]:
    """Return the submissions of the last days before `now` (UTC, ISO 8601)."""
    start = datetime.fromisoformat(now) - timedelta(days=days)
    return tuple(one for one in earlier if datetime.fromisoformat(one.submitted_at) > start)


def by_status(earlier: Iterable[Earlier]) -> Mapping[str, int]:
    """Return how many submissions stand where."""
    counts: dict[str, int] = {}
    for one in earlier:
        counts[one.status] = counts.get(one.status, 0) + 1
    return counts


FAILED = Status.FAILED.value
