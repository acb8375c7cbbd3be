"""The sources of results that the page can show."""

import contextlib
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TypeVar

from protocol.errors import LedgerError, RecordError
from protocol.evidence import Evidence
from protocol.frozen import FrozenEntry
from protocol.manifest import ManifestEntry
from protocol.records import Result
from protocol.replications import replication_counts
from protocol.states import Status
from protocol.statistics.records import BoardStatistics
from space.snapshot import NoSource, Snapshot, Source
from submission.evidence import read_evidence, read_statistics
from submission.filed import files_of
from submission.finished import read_results
from submission.freezing import list_frozen, read_frozen
from submission.history import submission_counts
from submission.manifest import manifest_of
from submission.replications import replications_in
from submission.store import Store, open_store, require_there

T = TypeVar("T")


class StoreSource:
    """A store, in a folder or on the Hub, with what lies beside its results."""

    def __init__(self, store: Store) -> None:
        """Keep the store; nothing is asked yet."""
        self.store = store
        self._frozen: dict[str, FrozenEntry] = {}
        """By path; a frozen board never changes, so each is read once."""
        self._damaged: dict[str, str] = {}

    def revision(self) -> str:
        """Return a hash over what the rows are made from, and the revision of what lies beside.

        Raises:
            StoreError: it is a folder that is no store: a disk that is not mounted has no rows, and
                is no reason to show none.
        """
        require_there(self.store)
        # Progress and claims write lines too, and change no board.
        book = self.store.ledger.refresh()
        counts = submission_counts(book)
        digest = hashlib.sha256()
        for state in book.with_status(Status.FINISHED):
            row = (state.request_id, sorted(state.files.items()), counts[state.request_id])
            digest.update(f"{row}\n".encode())
        return f"{digest.hexdigest()[:12]}-{self.store.beside.revision()}"

    def results(self) -> Sequence[Result]:
        """Return all results but the damaged ones."""
        self._damaged.clear()
        return self._undamaged(partial(read_results, self.store.ledger))

    def statistics(self) -> Sequence[BoardStatistics]:
        """Return the stored statistics; those in another version's form are as good as absent."""
        return read_statistics(self.store.beside)

    def evidence(self) -> Evidence:
        """Return what else lies beside the results."""
        return read_evidence(self.store.beside)

    def replications(self) -> Mapping[str, int]:
        """Return by request id how many accounts ran a part of it again and found it to agree."""
        return replication_counts(self._undamaged(partial(replications_in, self.store.ledger)))

    def damaged(self) -> Mapping[str, str]:
        """Return by request id which of its files the last reading left out, and why."""
        return self._damaged

    def submissions(self) -> Mapping[str, int]:
        """Return by request id how many requests its account has made on its bench."""
        return submission_counts(self.store.ledger.book)

    def galleries(self) -> Collection[str]:
        """Return the ids of the requests whose runs left pictures."""
        paths = self.store.beside.lists()
        return {path.split("/")[1] for path in paths if path.startswith("gallery/")}

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        """Return a file of a run's pictures; None where it is not there."""
        return self.store.beside.read(f"gallery/{request_id}/{name}")

    def manifest(self) -> Sequence[ManifestEntry]:
        """Return what became of every request, as of the last look at the ledger."""
        book = self.store.ledger.book
        return manifest_of(book if book.number else self.store.ledger.refresh())

    def frozen(self) -> Sequence[FrozenEntry]:
        """Return the boards that were frozen, oldest first."""
        self._frozen = list_frozen(self.store.beside, self._frozen)
        return tuple(self._frozen.values())

    def as_of(self, label: str) -> Snapshot:
        """Return a frozen board as a snapshot.

        Raises:
            CMCError: it cannot be read.
        """
        board = read_frozen(self.store, label)
        return Snapshot(
            revision=board.entry.sha256[:12],
            results=board.results,
            statistics=board.frozen.statistics,
            read_at=board.entry.frozen_at,
            replications=board.replications,
            evidence=board.evidence,
        )

    def _undamaged(self, read: Callable[[Mapping[str, str]], list[T]]) -> list[T]:
        """Read files of all finished requests; one that is damaged takes no other with it."""
        states = self.store.ledger.refresh().with_status(Status.FINISHED)
        with contextlib.suppress(LedgerError, RecordError):
            # On the Hub many at once take little longer than one.
            return read(files_of(states))
        found: list[T] = []
        for state in states:
            try:
                found += read(state.files)
            except (LedgerError, RecordError) as error:
                self._damaged[state.request_id] = f"{error}."
        return found


def open_source(store: str) -> Source:
    """Return the source for a store's name; without one, the published rows alone."""
    return StoreSource(open_store(store, hurried=True)) if store else NoSource()
