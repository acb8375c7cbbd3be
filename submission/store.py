"""The embedded store: a folder, safe for several processes on one machine.

requests/<id>.json           what was asked; written once
events/<id>/<version>.json   what happened; the newest one holds the state
claims/<id>.lock             held by the worker's process; the kernel lets go when it dies
progress/<id>.txt            one line for people, from the worker that holds the claim
results/<id>.json, .parquet  what came out; the JSON is written last
gallery/<id>/                pictures to look at, with gallery.json, which is written last

A change of state is the creation of the next event's file, which only one process can win: that is
the compare-and-swap. Nothing else decides a state, so there are no two places to keep in step.
"""

import contextlib
import fcntl
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar

from protocol.errors import RecordError, StoreError
from protocol.files import sha256_of_file, write_whole
from protocol.jsonable import from_json, to_json
from protocol.records import Event, Failure, Request, Result, State, Status

T = TypeVar("T")
WAITING = (Status.PENDING, Status.RUNNING)
"""A running request whose worker died waits like a pending one; a live worker holds its lock."""


class Submitted(NamedTuple):
    """What became of a submission."""

    state: State
    is_new: bool
    """False when an identical request was there before."""


class QueueEntry(NamedTuple):
    """One line of the queue."""

    request: Request
    state: State
    progress: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one request; ends with the process or when the `claim` block is left."""

    request: Request
    state: State


class FolderStore:
    """Requests, events and results in one folder."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder's name; nothing is created before the first write."""
        self.folder = folder

    def submit(self, request: Request) -> Submitted:
        """Queue a request; an identical one is found by its id, and queued again if it failed."""
        path = self.folder / "requests" / f"{request.request_id}.json"
        is_new = _create(path, to_json(request).encode())
        state = self.state(request.request_id)
        if is_new:
            state = self._advance(state, Status.PENDING, request.submitter, "submitted")
        elif state.status is Status.FAILED:
            state = self._advance(state, Status.PENDING, request.submitter, "submitted again")
        return Submitted(state, is_new)

    def request(self, request_id: str) -> Request:
        """Return a request.

        Raises:
            StoreError: there is none of this id.
        """
        path = self.folder / "requests" / f"{request_id}.json"
        if not path.is_file():
            raise StoreError(f"{self.folder} holds no request {request_id!r}; see `cmc queue`")
        return _read(Request, path)

    def state(self, request_id: str) -> State:
        """Return where a request stands."""
        newest = self._newest_event(request_id)
        if newest is None:
            # A crash between the request's file and its first event leaves a request in the queue.
            return State(
                request_id=request_id,
                version=0,
                status=Status.PENDING,
                attempt=0,
                worker="",
                failure=None,
                updated_at="",
            )
        return _read(Event, newest).state

    def events(self, request_id: str) -> list[Event]:
        """Return a request's history, oldest first."""
        return [_read(Event, path) for path in self._event_paths(request_id)]

    def queue(self) -> list[QueueEntry]:
        """Return every request with its state, oldest submission first."""
        paths = sorted((self.folder / "requests").glob("*.json"))
        requests = sorted(
            (_read(Request, path) for path in paths),
            key=lambda request: (request.submitted_at, request.request_id),
        )
        return [
            QueueEntry(request, self.state(request.request_id), self._progress(request.request_id))
            for request in requests
        ]

    @contextlib.contextmanager
    def claim(
        self, worker: str, accepts: Callable[[Request], bool] = lambda _: True
    ) -> Iterator[Claim | None]:
        """Hold the oldest request that waits, or whose worker died; None when there is none.

        Args:
            worker: who asks, for the history.
            accepts: tells the requests that this worker can run.
        """
        for entry in self.queue():
            if entry.state.status not in WAITING or not accepts(entry.request):
                continue
            request_id = entry.request.request_id
            with _lock(self.folder / "claims" / f"{request_id}.lock") as held:
                state = self.state(request_id) if held else None
                if state is None or state.status not in WAITING:
                    continue
                reason = "claimed" if state.status is Status.PENDING else "its worker is gone"
                state = self._advance(
                    state, Status.RUNNING, worker, reason, attempt=state.attempt + 1
                )
                yield Claim(entry.request, state)
                return
        yield None

    def report_progress(self, claim: Claim, line: str) -> None:
        """Show people how far the claimed request is."""
        path = self.folder / "progress" / f"{claim.request.request_id}.txt"
        write_whole(path, line.encode())

    def finish(self, claim: Claim, result: Result, per_image: bytes) -> None:
        """Write a claimed request's result; the per-image Parquet first, the state last.

        Raises:
            StoreError: the Parquet is not the one that the result names.
        """
        if hashlib.sha256(per_image).hexdigest() != result.per_image_sha256:
            raise StoreError("the per-image scores are not those that the result was made from")
        stem = self.folder / "results" / claim.request.request_id
        write_whole(stem.with_suffix(".parquet"), per_image)
        write_whole(stem.with_suffix(".json"), to_json(result).encode())
        self._advance(claim.state, Status.FINISHED, claim.state.worker, "finished")

    def fail(self, claim: Claim, failure: Failure) -> None:
        """End a claimed request for a reason; its submitter may submit it again."""
        self._advance(claim.state, Status.FAILED, claim.state.worker, "failed", failure=failure)

    def results(self) -> list[Result]:
        """Return every result, by request id."""
        return [_read(Result, path) for path in sorted((self.folder / "results").glob("*.json"))]

    def per_image_path(self, request_id: str) -> Path:
        """Return where the per-image scores of a finished request lie."""
        return self.folder / "results" / f"{request_id}.parquet"

    def gallery_folder(self, request_id: str) -> Path:
        """Return where the pictures of a finished request lie that people may look at."""
        return self.folder / "gallery" / request_id

    def _advance(
        self,
        seen: State,
        status: Status,
        actor: str,
        reason: str,
        *,
        attempt: int | None = None,
        failure: Failure | None = None,
    ) -> State:
        newest = self._newest_event(seen.request_id)
        state = State(
            request_id=seen.request_id,
            version=seen.version + 1,
            status=status,
            attempt=seen.attempt if attempt is None else attempt,
            worker=actor if status is Status.RUNNING else seen.worker,
            failure=failure,
            updated_at=now(),
        )
        event = Event(
            state=state,
            actor=actor,
            reason=reason,
            previous_sha256=sha256_of_file(newest) if newest else "",
        )
        path = self.folder / "events" / seen.request_id / f"{state.version:06d}.json"
        if not _create(path, to_json(event).encode()):
            raise StoreError(
                f"request {seen.request_id} was changed by another process; nothing was written"
            )
        return state

    def _event_paths(self, request_id: str) -> list[Path]:
        return sorted((self.folder / "events" / request_id).glob("*.json"))

    def _newest_event(self, request_id: str) -> Path | None:
        paths = self._event_paths(request_id)
        return paths[-1] if paths else None

    def _progress(self, request_id: str) -> str:
        path = self.folder / "progress" / f"{request_id}.txt"
        return path.read_text(encoding="utf-8") if path.is_file() else ""


def now() -> str:
    """Return the time as UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _create(path: Path, content: bytes) -> bool:
    """Write a file whole unless it exists; say whether this call made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    write_whole(temporary, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    return True


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yield False at once when another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _read(kind: type[T], path: Path) -> T:
    try:
        return from_json(kind, path.read_bytes())
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
