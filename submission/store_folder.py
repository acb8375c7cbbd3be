"""The embedded store: a folder, safe for several processes on one machine.

ledger.jsonl                 what happened; every state follows from it
requests/ab/<id>.json        what was asked; written once
captions/ab/<sha256>.csv     a caption file that a request names; or .jsonl
reported/ab/<id>.<hash>.*    results that came with a request
results/ab/<id>.<token>.*    what came out: the result as JSON, the per-image scores as Parquet
progress/<id>.txt            a line for people and the last of the log, while a worker runs it
locks/                       of the writer, and of every worker that lives

A writer holds the ledger's lock, decides on the newest line, writes the files, and appends the line
that names them: a crash before that leaves files that nothing names. A lease's holder keeps a lock
of the kernel as well, so that the request of a dead process is free at once and not when its lease
runs out.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from protocol.errors import LedgerError
from protocol.files import sha256_of_file, write_whole
from protocol.states import Event, Lease
from submission.beside import Beside, FolderBeside
from submission.clock import now
from submission.ledger import Batch, Book, check_content, make_line
from submission.queue import Terms, new_nonce
from submission.store_ledger import LedgerStore

LEDGER = "ledger.jsonl"
ROOMS = ("requests", "captions", "reported", "results", "replications", "audits")


class FolderStore(LedgerStore):
    """Requests, events and results in one folder."""

    def __init__(
        self,
        folder: str | Path,
        *,
        terms: Terms | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep the folder's name; nothing is created before the first write."""
        self.folder = Path(folder)
        self.beside: Beside = FolderBeside(self.folder)
        super().__init__(FolderLedger(self.folder), terms=terms, clock=clock)

    @property
    def is_there(self) -> bool:
        """Whether something was ever written, or the store was made to be written to."""
        return (self.folder / LEDGER).is_file()

    def create(self) -> None:
        """Make the folder with an empty ledger where it is not there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / LEDGER).touch()


class FolderLedger:
    """A ledger that is one file, appended to under a lock."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder's name."""
        self.folder = folder
        self.book = Book()
        self._path = folder / LEDGER
        self._offset = 0
        """Bytes of the ledger that the book holds."""
        self._locks: dict[str, int] = {}
        # A heartbeat writes from a thread of its own.
        self._guard = threading.RLock()

    def refresh(self) -> Book:
        """Return the book as of the newest line.

        Raises:
            LedgerError: the ledger is damaged, or has become shorter.
        """
        with self._guard:
            self._read_on()
        return self.book

    def _read_on(self) -> None:
        if not self._path.is_file():
            if self._offset:
                raise LedgerError(f"{self._path} is gone; it was there a moment ago")
            return
        with self._path.open("rb") as file:
            if file.seek(0, os.SEEK_END) < self._offset:
                raise LedgerError(f"{self._path} has become shorter; a ledger only grows")
            file.seek(self._offset)
            # A line without its end is one that a writer has just begun, or died over.
            whole, newline, _ = file.read().rpartition(b"\n")
        if newline:
            for line in whole.split(b"\n"):
                self.book.apply(line)
                self._offset += len(line) + 1

    def change(self, decide: Callable[[Book], Batch]) -> tuple[Event, ...]:
        """Let one batch happen while nobody else writes."""
        with self._writing():
            book = self.refresh()
            batch = decide(book)
            if not batch.events:
                return ()
            for path, content in batch.files.items():
                write_whole(self.folder / path, content)
            self._append(make_line(book, batch, new_nonce(), now()))
            return batch.events

    def _append(self, line: bytes) -> None:
        with self._path.open("ab") as file:
            # What a writer died over is no part of the ledger: its change never happened.
            file.truncate(self._offset)
            try:
                file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                os.ftruncate(file.fileno(), self._offset)
                # "No space left on device" alone does not say on which.
                error.filename = error.filename or str(self._path)
                raise
        self.refresh()

    def lines(self) -> Iterator[bytes]:
        """Yield the whole ledger, oldest line first."""
        if self._path.is_file():
            with self._path.open("rb") as file:
                yield from (line[:-1] for line in file if line.endswith(b"\n"))

    def read_all(self, wanted: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        """Yield files, each checked against its sha256."""
        for path, sha256 in wanted:
            file = self.folder / path
            content = file.read_bytes() if file.is_file() else None
            yield check_content(path, content, sha256)

    def local_path(self, path: str, sha256: str) -> Path:
        """Return the file itself, checked."""
        next(self.read_all([(path, sha256)]))
        return self.folder / path

    def attached(self, path: str) -> bytes | None:
        """Return a file that came with a request; None where there is none."""
        file = self.folder / path
        return file.read_bytes() if file.is_file() else None

    def size(self, path: str) -> int:
        """Return the bytes of a file that came with a request."""
        file = self.folder / path
        if not file.is_file():
            raise LedgerError(f"{path} is missing; the ledger has it")
        return file.stat().st_size

    def digests(self) -> Mapping[str, str]:
        """Return the sha256 of every file that an entry of the ledger may bring."""
        return {
            str(file.relative_to(self.folder)): sha256_of_file(file)
            for room in ROOMS
            for file in sorted((self.folder / room).rglob("*"))
            # A leading dot is a file that a crash cut off before it had its name.
            if file.is_file() and not file.name.startswith(".")
        }

    def hold(self, nonce: str) -> None:
        """Take a lock that ends with this process."""
        path = self._lock_path(nonce)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._locks[nonce] = os.open(path, os.O_CREAT | os.O_WRONLY)
        fcntl.flock(self._locks[nonce], fcntl.LOCK_EX)

    def let_go(self, nonce: str) -> None:
        """End the lock and remove its file."""
        descriptor = self._locks.pop(nonce, None)
        if descriptor is not None:
            self._lock_path(nonce).unlink(missing_ok=True)
            os.close(descriptor)

    def is_dead(self, lease: Lease) -> bool:
        """Return whether the kernel has ended the holder's lock; False for another machine's.

        And for one that this user may not open, who may look at a queue and not work on it.
        """
        try:
            descriptor = os.open(self._lock_path(lease.nonce), os.O_WRONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def note(self, request_id: str, text: str) -> None:
        """Write the progress beside the ledger."""
        path = self.folder / "progress" / f"{request_id}.txt"
        if text:
            write_whole(path, text.encode())
        else:
            path.unlink(missing_ok=True)

    def noted(self, request_id: str) -> str:
        """Return what the holder last wrote."""
        path = self.folder / "progress" / f"{request_id}.txt"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _lock_path(self, nonce: str) -> Path:
        return self.folder / "locks" / f"{nonce}.lock"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        path = self.folder / "locks" / "ledger.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._guard, path.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
