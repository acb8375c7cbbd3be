"""The results as they were last read well, and who reads them again when they change."""

import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from protocol.counts import counted
from protocol.errors import NoStoreError, RecordError, StoreError
from protocol.evidence import Evidence, current_evidence
from protocol.files import write_whole
from protocol.frozen import FrozenEntry
from protocol.jsonable import from_json, to_json
from protocol.manifest import ManifestEntry
from protocol.records import Result
from protocol.statistics.files import is_current
from protocol.statistics.records import BoardStatistics
from submission.redaction import redact
from submission.wording import shown


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

    def submissions(self) -> Mapping[str, int]:
        """Return by request id how many requests its account has made on its bench."""

    def galleries(self) -> Collection[str]:
        """Return the ids of the requests whose runs left pictures."""

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        """Return a file of a run's pictures; None where it is not there."""

    def damaged(self) -> Mapping[str, str]:
        """Return by request id what the last reading left out, and why."""

    def manifest(self) -> Sequence[ManifestEntry]:
        """Return what became of every request, as of the last look; costs no call."""

    def frozen(self) -> Sequence[FrozenEntry]:
        """Return the boards that were frozen, oldest first."""

    def as_of(self, label: str) -> "Snapshot":
        """Return a frozen board as a snapshot."""


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
    submissions: Mapping[str, int] = field(default_factory=dict)
    """By request id: how many requests its account has made on its bench."""
    evidence: Evidence = field(default_factory=Evidence)
    """What else lies beside the results; effects only where they were made from exactly these."""
    manifest: tuple[ManifestEntry, ...] = ()
    """What became of every request, also of those without a result."""
    frozen: tuple[FrozenEntry, ...] = ()
    """The boards that were frozen, oldest first."""
    damaged: Mapping[str, str] = field(default_factory=dict)
    """By request id: which of its files cannot be shown, and why."""


UNREAD = Snapshot(revision="", results=(), statistics=(), read_at="")
"""Before a source has ever answered: the published rows alone."""

LONGEST_PROBLEM = 400
"""Characters of an error that are shown."""

_LOG = logging.getLogger(__name__)


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

    def submissions(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}

    def galleries(self) -> Collection[str]:
        """Return nothing."""
        return ()

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        """Return nothing."""
        del request_id, name
        return None

    def damaged(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    def manifest(self) -> Sequence[ManifestEntry]:
        """Return nothing."""
        return ()

    def frozen(self) -> Sequence[FrozenEntry]:
        """Return nothing."""
        return ()

    def as_of(self, label: str) -> Snapshot:
        """Refuse: nothing was frozen."""
        raise StoreError(f"there is no store, and no board {label}")


class SnapshotKeeper:
    """Holds the last good snapshot; a source that fails changes nothing but what is said of it."""

    def __init__(
        self,
        source: Source,
        keep: Path | None = None,
        on_change: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin with the snapshot in `keep`; without one, with the published rows alone.

        Args:
            source: where results come from; it is not asked yet.
            keep: file that outlives the process, so that a start needs nobody's answer.
            on_change: called after each new snapshot.
        """
        self.source = source
        self._keep = keep
        self._on_change = on_change
        self._stop = threading.Event()
        self._reading = threading.Lock()
        self.problem = ""
        """Why the newest reading failed, or left something out; empty when it did not."""
        self.trouble = ""
        """The same for a reader, in a few words."""
        self.failing_since = ""
        """When the first of the readings failed that failed since the last good one."""
        self.snapshot = _read_kept(keep) or UNREAD
        self.checked_at = self.snapshot.read_at
        """When the source last answered; UTC, ISO 8601; empty before it ever did."""

    def begin(self, patience_seconds: float) -> None:
        """Read for the first time where nothing was kept; who takes longer is not waited for."""
        if self.snapshot is UNREAD:
            reading = threading.Thread(target=self.refresh, name="first reading", daemon=True)
            reading.start()
            reading.join(patience_seconds)

    def refresh(self) -> None:
        """Read again if the revision changed; keep what there is when the source fails."""
        # One reading at a time: a source that hangs is not asked a second time meanwhile.
        if not self._reading.acquire(blocking=False):
            return
        try:
            revision = self.source.revision()
            # A damaged file may be mended without a line of the ledger.
            if revision != self.snapshot.revision or self.snapshot.damaged:
                self._take(read_snapshot(self.source, revision))
        except Exception as error:  # noqa: BLE001 - whatever a store answers, the page stays up
            if isinstance(error, NoStoreError) and not self.snapshot.revision:
                # Nobody has seen a row of it: most likely the first request is still to come.
                self._note(say_briefly(error), f"holds nothing yet: {error}")
                self.trouble = f"nothing was submitted to {shown(redact(error.store))} yet"
                self.failing_since = ""
            else:
                self._note(say_briefly(error), f"cannot be read: {type(error).__name__}: {error}")
                self.trouble = "the store does not answer"
                self.failing_since = self.failing_since or utc_now()
        else:
            damage = " ".join(self.snapshot.damaged.values())
            self._note(shown(redact(damage), LONGEST_PROBLEM), f"is damaged: {damage}")
            self.trouble = say_damage(self.snapshot)
            self.failing_since, self.checked_at = "", utc_now()
        finally:
            self._reading.release()

    def _take(self, newest: Snapshot) -> None:
        known = self.snapshot
        if (newest.revision, newest.damaged) != (known.revision, known.damaged):
            self.snapshot = newest
            self._on_change()
            self._write_kept()

    def _note(self, problem: str, told: str) -> None:
        if problem and problem != self.problem:
            # Whoever runs the server reads here what strangers are not told: folders.
            _LOG.warning("the store %s", told)
        self.problem = problem

    def start(self, every_seconds: float) -> None:
        """Refresh from a thread of its own until `stop`."""

        def repeat() -> None:
            while not self._stop.wait(every_seconds):
                self.refresh()

        threading.Thread(target=repeat, name="refresh", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()

    def _write_kept(self) -> None:
        if self._keep is None:
            return
        try:
            # For this server alone, and a result of before may hold what JSON has no word for.
            write_whole(self._keep, to_json(self.snapshot, only_finite=False).encode())
        except OSError as error:
            # The store has answered; only the next start will have to wait for it.
            _LOG.warning("the snapshot is not kept, see CMC_SNAPSHOT: %s", error)


def read_snapshot(source: Source, revision: str) -> Snapshot:
    """Return all that a source holds.

    Raises:
        CMCError: it cannot be read.
    """
    results = tuple(source.results())
    return Snapshot(
        revision=revision,
        results=results,
        statistics=tuple(s for s in source.statistics() if is_current(s, results)),
        read_at=utc_now(),
        replications=source.replications(),
        submissions=source.submissions(),
        evidence=current_evidence(source.evidence(), results),
        manifest=tuple(source.manifest()),
        frozen=tuple(source.frozen()),
        # After all that may find damage.
        damaged=dict(source.damaged()),
    )


def say_damage(snapshot: Snapshot) -> str:
    """Return how much is left out of a snapshot, in a few words; empty where nothing is."""
    count = len(snapshot.damaged)
    return f"damaged files of {counted(count, 'request')} are left out" if count else ""


def say_briefly(error: Exception) -> str:
    """Return an error for strangers: one short line, without tokens and without folders."""
    return shown(redact(f"{type(error).__name__}: {error}".replace("\n", " ")), LONGEST_PROBLEM)


def utc_now() -> str:
    """Return the time as UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _read_kept(path: Path | None) -> Snapshot | None:
    if path is None or not path.is_file():
        return None
    try:
        return from_json(Snapshot, path.read_bytes())
    except (RecordError, OSError):
        # Damaged, or an older version's form: as good as absent, and written anew.
        return None
