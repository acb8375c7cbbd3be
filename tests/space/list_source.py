"""A source of results that a test can change while the page is open."""

import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from protocol.errors import StoreError
from protocol.evidence import Evidence
from protocol.frozen import FrozenEntry, slug_of
from protocol.manifest import ManifestEntry
from protocol.published import published_sha256
from protocol.records import Result
from protocol.statistics.records import BoardStatistics
from space.snapshot import Snapshot


class ListSource:
    """Results in a list; `fails` makes it a Hub that is away, `may_answer` one that hangs."""

    def __init__(self, results: Sequence[Result] = (), pictures: Path | None = None) -> None:
        self.content = list(results)
        self.stored: list[BoardStatistics] = []
        self.counts: dict[str, int] = {}
        self.made: dict[str, int] = {}
        self.found = Evidence()
        self.entries: list[ManifestEntry] = []
        self.boards: dict[str, Snapshot] = {}
        """Frozen boards by label, oldest first."""
        self.faults: dict[str, str] = {}
        self.pictures = pictures
        self.fails = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def revision(self) -> str:
        self.may_answer.wait(60)
        if self.fails:
            raise StoreError("the Hub does not answer")
        return str([[r.request.request_id for r in self.content], *self.boards])

    def results(self) -> Sequence[Result]:
        return list(self.content)

    def statistics(self) -> Sequence[BoardStatistics]:
        return list(self.stored)

    def evidence(self) -> Evidence:
        return self.found

    def replications(self) -> Mapping[str, int]:
        return dict(self.counts)

    def submissions(self) -> Mapping[str, int]:
        return dict(self.made)

    def galleries(self) -> Collection[str]:
        return [path.name for path in self.pictures.iterdir()] if self.pictures else []

    def gallery_file(self, request_id: str, name: str) -> bytes | None:
        path = self.pictures / request_id / name if self.pictures else None
        return path.read_bytes() if path and path.is_file() else None

    def damaged(self) -> Mapping[str, str]:
        return dict(self.faults)

    def manifest(self) -> Sequence[ManifestEntry]:
        return list(self.entries)

    def frozen(self) -> Sequence[FrozenEntry]:
        return [
            FrozenEntry(
                label=label,
                slug=slug_of(label),
                frozen_at=board.read_at,
                frozen_by="someone",
                sha256="5" * 64,
                results=len(board.results),
                ledger_lines=7,
                ledger_sha256="6" * 64,
                published_sha256=published_sha256(),
            )
            for label, board in self.boards.items()
        ]

    def as_of(self, label: str) -> Snapshot:
        return self.boards[label]
