"""The sources of results that the page can show."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

from protocol.errors import RecordError
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.statistics.records import BoardStatistics
from space.snapshot import NoSource, Source


class FolderSource:
    """A store on this machine."""

    def __init__(self, folder: Path) -> None:
        """Keep the store's folder."""
        self._folder = folder

    def revision(self) -> str:
        """Return a hash over the names, sizes and dates of all that is shown."""
        lines = []
        names = ("results/*.json", "statistics/*.json", "gallery/*/gallery.json")
        for path in sorted(path for name in names for path in self._folder.glob(name)):
            status = path.stat()
            lines.append(f"{path.parent.name}/{path.name} {status.st_size} {status.st_mtime_ns}")
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def results(self) -> Sequence[Result]:
        """Return all results.

        Raises:
            RecordError: a result cannot be read.
        """
        from submission.store import FolderStore

        return FolderStore(self._folder).results()

    def statistics(self) -> Sequence[BoardStatistics]:
        """Return the stored statistics; those in another version's form are as good as absent."""
        found = []
        for path in sorted((self._folder / "statistics").glob("*.json")):
            with contextlib.suppress(RecordError):
                found.append(from_json(BoardStatistics, path.read_bytes()))
        return found

    def gallery_folder(self, request_id: str) -> Path | None:
        """Return the folder with a result's pictures; None where the run kept none."""
        folder = self._folder / "gallery" / request_id
        return folder if folder.is_dir() else None


def open_source(store: Path | None) -> Source:
    """Return the source for a store's folder; without one, the published rows alone."""
    return NoSource() if store is None else FolderSource(store)
