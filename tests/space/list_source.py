"""A source of results that a test can change while the page is open."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from protocol.errors import StoreError
from protocol.records import Result
from protocol.statistics.records import BoardStatistics


class ListSource:
    """Results in a list; `fails` makes it a Hub that is away."""

    def __init__(self, results: Sequence[Result] = (), galleries: Path | None = None) -> None:
        self.content = list(results)
        self.stored: list[BoardStatistics] = []
        self.counts: dict[str, int] = {}
        self.galleries = galleries
        self.fails = False

    def revision(self) -> str:
        if self.fails:
            raise StoreError("the Hub does not answer")
        return str([result.request.request_id for result in self.content])

    def results(self) -> Sequence[Result]:
        return list(self.content)

    def statistics(self) -> Sequence[BoardStatistics]:
        return list(self.stored)

    def replications(self) -> Mapping[str, int]:
        return dict(self.counts)

    def gallery_folder(self, request_id: str) -> Path | None:
        folder = self.galleries / request_id if self.galleries else None
        return folder if folder and folder.is_dir() else None
