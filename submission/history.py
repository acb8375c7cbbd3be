"""What was submitted before: the facts behind duplicates and quotas."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from protocol.rules import Role
from protocol.states import OPEN
from submission.ledger import Book


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

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class History:
    """The earlier submissions, found by what a check asks."""

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


def history_of(book: Book) -> History:
    """Return the history that a store's book holds."""
    return History(tuple(_earlier(book)))


def submission_counts(book: Book) -> Mapping[str, int]:
    """Return by request id how many requests its account has made on its bench, itself among them.

    Withdrawn and failed ones count: who sends ten variants and withdraws nine has tried ten. A
    bench is here what a request can say of one, the protocol and the pictures.
    """
    counts = Counter(map(_account_and_bench, book.requests.values()))
    return {
        request_id: counts[_account_and_bench(request)]
        for request_id, request in book.requests.items()
    }


def _account_and_bench(request: Mapping[str, Any]) -> tuple[str, str, str]:
    return request["submitter"], request["protocol"], request["dataset_sha256"]


def submitted_since(earlier: Iterable[Earlier], now: str, days: int) -> tuple[Earlier, ...]:
    """Return the submissions of the last days before `now` (UTC, ISO 8601)."""
    start = datetime.fromisoformat(now) - timedelta(days=days)
    return tuple(one for one in earlier if datetime.fromisoformat(one.submitted_at) > start)


_PART: Mapping[str, str] = {Role.I2T: "i2t", Role.T2I: "t2i", Role.CODEC: "codec"}


def _earlier(book: Book) -> Iterator[Earlier]:
    # Of thousands of requests a few words each are wanted: the book's JSON is read as it is.
    for request_id, request in book.requests.items():
        compared: dict[str, Any] = request[_PART[request["role"]]] or {}
        yield Earlier(
            request_id=request_id,
            submitter=request["submitter"],
            submitted_at=request["submitted_at"],
            status=book.states[request_id]["status"],
            model=compared.get("model", ""),
            fingerprints=tuple(request.get("fingerprints", ())),
        )
