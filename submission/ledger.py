"""The ledger: one line a change, each with the hash of the line before; all state follows from it.

Nothing else decides a state, so there are no two places to keep in step. A store differs from
another one only in how a line gets to the end of the ledger.
"""

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from protocol.errors import LedgerError
from protocol.jsonable import from_plain, to_plain, unrepeated
from protocol.manifest import MILESTONES
from protocol.records import Request
from protocol.states import OPEN, Action, Entry, Event, Lease, State, Status
from submission.clock import from_text
from submission.reported import is_reported

NONCES = 512
"""How many of the newest entries are remembered by their nonce."""
DURATIONS = 64
"""How many of the newest runs tell how long a run takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What someone wants to happen: all of it, or nothing."""

    events: tuple[Event, ...] = ()
    """Empty: nothing is to be done."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Path in the store to content. A path is written once and never changed."""


class Ledger(Protocol):
    """A place that lines can be appended to, one writer at a time."""

    book: "Book"
    """As of the last look."""

    def refresh(self) -> "Book":
        """Return the book as of the newest line."""

    def change(self, decide: "Callable[[Book], Batch]") -> tuple[Event, ...]:
        """Let one batch happen and return its events, as they stand in the ledger.

        Args:
            decide: is given the newest book, which it must not change; is asked again whenever
                another writer was first. What it raises ends the call, and nothing is written.
        """

    def lines(self) -> Iterator[bytes]:
        """Yield the whole ledger, oldest line first, without newlines."""

    def read_all(self, wanted: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """Yield files of the store, in order, by path and sha256.

        Raises:
            LedgerError: one is missing, or has another sha256.
        """

    def local_path(self, path: str, sha256: str) -> Path:
        """Return a file on this machine with the content of one of the store.

        Raises:
            LedgerError: it is missing, or has another sha256.
        """

    def attached(self, path: str) -> bytes | None:
        """Return a file that came with a request; None where there is none."""

    def size(self, path: str) -> int:
        """Return the bytes of a file that came with a request, without reading it.

        Raises:
            StoreError: it is missing.
        """

    def digests(self) -> Mapping[str, str]:
        """Return the sha256 of every file that only an entry of the ledger may bring, by path."""

    def hold(self, nonce: str) -> None:
        """Let others see, where that can be, that the process lives that will hold a lease."""

    def let_go(self, nonce: str) -> None:
        """End `hold`."""

    def is_dead(self, lease: Lease) -> bool:
        """Return whether a lease's holder is known to be gone, before the lease runs out."""

    def note(self, request_id: str, text: str) -> None:
        """Show how far a request is, where that costs no entry.

        The first line is the progress, the others are the end of the log; nothing ends both.
        """

    def noted(self, request_id: str) -> str:
        """Return the newest note, empty where there is none."""


class Book:
    """The state of all requests after some line of the ledger.

    States and requests are kept as they stand in the JSON and become records when asked for: of
    thousands, a caller wants a few.
    """

    def __init__(self) -> None:
        """Start before the first line."""
        self.number = 0
        self.sha256 = ""
        """Of the newest line."""
        self.states: dict[str, dict[str, Any]] = {}
        self.requests: dict[str, dict[str, Any]] = {}
        self.milestones: dict[str, list[dict[str, str]]] = {}
        """By request id, as in `protocol.manifest`: who brought a row, who took it away, and why;
        kept here, so that nobody has to read the whole ledger for it."""
        self.open: set[str] = set()
        self.last_queued = 0
        self.durations: deque[float] = deque(maxlen=DURATIONS)
        """Seconds from a claim to its result, newest last."""
        self._nonces: dict[str, list[dict[str, Any]]] = {}

    def apply(self, line: bytes) -> None:
        """Go on by one line.

        Raises:
            LedgerError: it is no line of a ledger, or does not follow the line before.
        """
        try:
            entry = json.loads(line, object_pairs_hook=unrepeated)
            number, previous = entry["number"], entry["previous_sha256"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise LedgerError(
                f"line {self.number + 1} of the ledger is damaged: {error}"
            ) from error
        if (number, previous) != (self.number + 1, self.sha256):
            raise LedgerError(
                f"line {self.number + 1} of the ledger does not follow the line before: found "
                f"number {number} after {previous[:12] or 'nothing'}, wanted {self.number + 1} "
                f"after {self.sha256[:12] or 'nothing'}"
            )
        for event in entry["events"]:
            self._apply_event(event)
        self.number, self.sha256 = number, hashlib.sha256(line).hexdigest()
        self._nonces[entry["nonce"]] = entry["events"]
        while len(self._nonces) > NONCES:
            del self._nonces[next(iter(self._nonces))]

    def _apply_event(self, event: dict[str, Any]) -> None:
        state = event["state"]
        request_id = state["request_id"]
        self.states[request_id] = state
        if event["request"] is not None:
            self.requests[request_id] = event["request"]
        self.last_queued = max(self.last_queued, state["queued"])
        if state["status"] in OPEN:
            self.open.add(request_id)
        else:
            self.open.discard(request_id)
        if event["action"] in MILESTONES:
            told = {key: event[key] for key in ("action", "actor", "reason")}
            told |= {"at": state["updated_at"], "successor": state["successor"]}
            self.milestones.setdefault(request_id, []).append(told)
        if event["action"] == Action.FINISH and not is_reported(state["files"]):
            acquired = from_text(state["lease"]["acquired_at"])
            seconds = (from_text(state["updated_at"]) - acquired).total_seconds()
            self.durations.append(seconds)

    def state(self, request_id: str) -> State | None:
        """Return where a request stands, None when there is none of this id."""
        plain = self.states.get(request_id)
        return None if plain is None else _state(plain)

    def request(self, request_id: str) -> Request | None:
        """Return a request, None when there is none of this id."""
        plain = self.requests.get(request_id)
        return None if plain is None else from_plain(Request, plain, f"request {request_id}")

    def queue(self) -> list[str]:
        """Return the open requests: the running, then the waiting as they will be run."""

        def place(request_id: str) -> tuple[bool, int, int]:
            state = self.states[request_id]
            return state["status"] == Status.PENDING, -state["priority"], state["queued"]

        return sorted(self.open, key=place)

    def with_status(self, *wanted: Status) -> list[State]:
        """Return the states with one of these statuses, in the order of submission."""
        found = [state for state in self.states.values() if state["status"] in wanted]
        return [_state(plain) for plain in sorted(found, key=lambda state: int(state["queued"]))]

    def events_of_nonce(self, nonce: str) -> tuple[Event, ...] | None:
        """Return what came with an entry, None when it is not among the newest ones."""
        events = self._nonces.get(nonce)
        return None if events is None else read_events(events)

    def to_snapshot(self) -> dict[str, Any]:
        """Return all that is needed to go on from here, for JSON."""
        return {
            "number": self.number,
            "sha256": self.sha256,
            "states": self.states,
            "requests": self.requests,
            "milestones": self.milestones,
            "durations": list(self.durations),
        }

    @classmethod
    def from_snapshot(cls, snapshot: dict[str, Any]) -> "Book":
        """Return the book that `to_snapshot` was asked of."""
        book = cls()
        book.number, book.sha256 = snapshot["number"], snapshot["sha256"]
        book.states, book.requests = snapshot["states"], snapshot["requests"]
        book.milestones = snapshot["milestones"]
        book.durations.extend(snapshot["durations"])
        book.open = {key for key, state in book.states.items() if state["status"] in OPEN}
        book.last_queued = max((state["queued"] for state in book.states.values()), default=0)
        return book


def make_line(book: Book, batch: Batch, nonce: str, at: str) -> bytes:
    """Return the line, without its newline, that would let a batch happen after a book's newest."""
    entry = Entry(
        number=book.number + 1,
        nonce=nonce,
        at=at,
        events=batch.events,
        files={path: hashlib.sha256(data).hexdigest() for path, data in batch.files.items()},
        previous_sha256=book.sha256,
    )
    text = json.dumps(to_plain(entry), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def read_events(plain: Iterable[Any]) -> tuple[Event, ...]:
    """Return events from their JSON.

    Raises:
        RecordError: they are none.
    """
    return tuple(from_plain(Event, event, "event") for event in plain)


def events_of(lines: Iterable[bytes]) -> Iterator[Event]:
    """Yield the events of a ledger."""
    for line in lines:
        yield from read_events(json.loads(line)["events"])


def check_content(path: str, content: bytes | None, sha256: str) -> bytes:
    """Return a file's content.

    Raises:
        LedgerError: it is missing, or not what the ledger holds.
    """
    if content is None:
        raise LedgerError(f"{path} is missing; the ledger has it. `cmc verify` checks the store")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise LedgerError(f"{path} was changed outside the ledger. `cmc verify` checks the store")
    return content


def _state(plain: dict[str, Any]) -> State:
    state: State = from_plain(State, plain, f"state of {plain['request_id']}")
    return state
