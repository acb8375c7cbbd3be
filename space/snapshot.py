"""The results as they were last read well, and who reads them again when they change."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from protocol.errors import CMCError, RecordError
from protocol.evidence import Evidence, current_evidence
from protocol.files import write_whole
from protocol.jsonable import from_json, to_json
from protocol.records import Result
from protocol.statistics.files import is_current
from protocol.statistics.records import BoardStatistics


class Source(Protocol):
    """Where results come from."""

    def revision(self) -> str:
        """Return what changes when the results do: a commit, or a hash over the files' dates."""

    def results(self) -> Sequence[Result]:
        """Return all results."""

    def statistics(self) -> Sequence[BoardStatistics]:
        """Return the stored statistics of all boards; none are made here."""

    def evidence(self) -> Evidence:
        """Return what else lies beside the results: ablations, controls, viewers and so on."""

    def replications(self) -> Mapping[str, int]:
        """Return by request id how many accounts ran a part of it again and found it to agree."""

    def galleries(self) -> Collection[str]:
        """Return the ids of the requests whose runs left pictures."""

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        """Return a file of a run's pictures; None where it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All that the page shows, of one moment."""

    revision: str
    results: tuple[Result, ...]
    statistics: tuple[BoardStatistics, ...]
    """Those that were made from exactly these results."""
    read_at: str
    """UTC, ISO 8601."""
    replications: Mapping[str, int] = field(default_factory=dict)
    """By request id: how many accounts ran a part of it again and found it to agree."""
    evidence: Evidence = field(default_factory=Evidence)
    """What else lies beside the results; effects only where they were made from exactly these."""


class NoSource:
    """No store: the published rows alone."""

    def revision(self) -> str:
        """Return the same for ever."""
        return "published"

    def results(self) -> Sequence[Result]:
        """Return nothing."""
        return ()

    def statistics(self) -> Sequence[BoardStatistics]:
        """Return nothing."""
        return ()

    def evidence(self) -> Evidence:
        """Return nothing."""
        return Evidence()

    def replications(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}

    def galleries(self) -> Collection[str]:
        """Return nothing."""
        return ()

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        """Return nothing."""
        del request_id, name
        return None


class SnapshotKeeper:
    """Holds the last good snapshot; a source that fails changes nothing but what is said of it."""

    def __init__(
        self,
        source: Source,
        keep: Path | None = None,
        on_change: Callable[[Snapshot], object] = lambda _: None,
    ) -> None:
        """Begin with the snapshot in `keep` where there is one, else with a first reading.

        Args:
            source: where results come from.
            keep: file that outlives the process, so that a start needs nobody's answer.
            on_change: called with each new snapshot.

        Raises:
            CMCError: nothing was kept, and the source cannot be read.
        """
        self.source = source
        self._keep = keep
        self._on_change = on_change
        self._stop = threading.Event()
        self.problem = ""
        """Why the newest reading failed; empty when it did not."""
        kept = _read_kept(keep)
        self.snapshot = kept or self._read(source.revision())
        self.checked_at = self.snapshot.read_at
        """When the source last answered; UTC, ISO 8601."""

    def refresh(self) -> None:
        """Read again if the revision changed; keep what there is when the source fails."""
        try:
            revision = self.source.revision()
            if revision != self.snapshot.revision:
                self.snapshot = self._read(revision)
                self._on_change(self.snapshot)
        except (CMCError, OSError) as error:
            self.problem = f"{type(error).__name__}: {error}"
        else:
            self.problem, self.checked_at = "", utc_now()

    def start(self, every_seconds: float) -> None:
        """Refresh from a thread of its own until `stop`."""

        def repeat() -> None:
            while not self._stop.wait(every_seconds):
                self.refresh()

        threading.Thread(target=repeat, name="refresh", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _read(self, revision: str) -> Snapshot:
        results = tuple(self.source.results())
        snapshot = Snapshot(
            revision=revision,
            results=results,
            statistics=tuple(s for s in self.source.statistics() if is_current(s, results)),
            read_at=utc_now(),
            replications=self.source.replications(),
            evidence=current_evidence(self.source.evidence(), results),
        )
        if self._keep is not None:
            write_whole(self._keep, to_json(snapshot).encode())
        return snapshot


def utc_now() -> str:
    """Return the time as UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_kept(path: Path | None) -> Snapshot | None:
    if path is None or not path.is_file():
        return None
    try:
        return from_json(Snapshot, path.read_bytes())
    except RecordError:
        # An older version's form: as good as absent, and written anew.
        return None
