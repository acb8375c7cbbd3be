"""The sources of results that the page can show."""

import contextlib
import hashlib
from collections.abc import Collection, Mapping, Sequence

from protocol.errors import RecordError
from protocol.evidence import Evidence
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.replications import replication_counts
from protocol.states import Status
from protocol.statistics.records import BoardStatistics
from space.snapshot import NoSource, Source
from submission.evidence import read_evidence
from submission.history import submission_counts
from submission.replications import read_replications
from submission.store import Store, open_store


class StoreSource:
    """A store, in a folder or on the Hub, with what lies beside its results."""

    def __init__(self, store: Store) -> None:
        """Keep the store; nothing is asked yet."""
        self.store = store

    def revision(self) -> str:
        """Return a hash over what the rows are made from, and the revision of what lies beside."""
        # Progress and claims write lines too, and change no board.
        book = self.store.ledger.refresh()
        counts = submission_counts(book)
        digest = hashlib.sha256()
        for state in book.with_status(Status.FINISHED):
            row = (state.request_id, sorted(state.files.items()), counts[state.request_id])
            digest.update(f"{row}\n".encode())
        return f"{digest.hexdigest()[:12]}-{self.store.beside.revision()}"

    def results(self) -> Sequence[Result]:
        """Return all results.

        Raises:
            RecordError: a result cannot be read.
            LedgerError: one is missing or is not the one that the ledger holds.
        """
        return self.store.results()

    def statistics(self) -> Sequence[BoardStatistics]:
        """Return the stored statistics; those in another version's form are as good as absent."""
        found = []
        for path in self.store.beside.lists():
            content = self.store.beside.read(path) if path.startswith("statistics/") else None
            if content is not None:
                with contextlib.suppress(RecordError):
                    found.append(from_json(BoardStatistics, content))
        return found

    def evidence(self) -> Evidence:
        """Return what else lies beside the results."""
        return read_evidence(self.store.beside)

    def replications(self) -> Mapping[str, int]:
        """Return by request id how many accounts ran a part of it again and found it to agree.

        Raises:
            LedgerError: a record is missing or is not the one that the ledger holds.
        """
        return replication_counts(read_replications(self.store))

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


def open_source(store: str) -> Source:
    """Return the source for a store's name; without one, the published rows alone."""
    return StoreSource(open_store(store, hurried=True)) if store else NoSource()
