"""The sources of results that the page can show."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from protocol.errors import RecordError
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.replications import replication_counts
from protocol.states import Status
from protocol.statistics.records import BoardStatistics
from space.snapshot import NoSource, Source
from submission.replications import read_replications
from submission.store import FolderStore, Store, open_store


class StoreSource:
    """A store, in a folder or on the Hub; statistics and pictures lie beside one in a folder."""

    def __init__(self, store: Store) -> None:
        """Keep the store; nothing is asked yet."""
        self.store = store
        self._folder = store.folder if isinstance(store, FolderStore) else None

    def revision(self) -> str:
        """Return the number of the ledger's newest line, and a hash over what lies beside it."""
        lines = []
        names = ("statistics/*.json", "gallery/*/gallery.json")
        folder = self._folder
        for path in sorted(
            path for name in names for path in (folder.glob(name) if folder else ())
        ):
            status = path.stat()
            lines.append(f"{path.parent.name}/{path.name} {status.st_size} {status.st_mtime_ns}")
        beside = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
        # Progress and claims write lines too; only what ends a request changes a board.
        finished = self.store.ledger.refresh().with_status(Status.FINISHED)
        digest = hashlib.sha256()
        for state in finished:
            digest.update(f"{state.request_id} {sorted(state.files.items())}\n".encode())
        return f"{digest.hexdigest()[:12]}-{beside}"

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
        paths = (self._folder / "statistics").glob("*.json") if self._folder else ()
        for path in sorted(paths):
            with contextlib.suppress(RecordError):
                found.append(from_json(BoardStatistics, path.read_bytes()))
        return found

    def replications(self) -> Mapping[str, int]:
        """Return by request id how many accounts ran a part of it again and found it to agree.

        Raises:
            LedgerError: a record is missing or is not the one that the ledger holds.
        """
        return replication_counts(read_replications(self.store))

    def gallery_folder(self, request_id: str) -> Path | None:
        """Return the folder with a result's pictures; None where the run kept none."""
        folder = self._folder / "gallery" / request_id if self._folder else None
        return folder if folder and folder.is_dir() else None


def open_source(store: str) -> Source:
    """Return the source for a store's name; without one, the published rows alone."""
    return StoreSource(open_store(store)) if store else NoSource()
