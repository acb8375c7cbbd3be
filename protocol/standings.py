"""Who stands where on every table of a board: what two boards are compared by."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import Bench, Row, best_first, published_rows, result_rows
from protocol.ranks import ranked_rows, ranks
from protocol.records import Result, System
from protocol.rules import Content, Track
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.records import BoardStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two boards that are compared."""

    name: str
    """A frozen board's label, or `live`."""
    at: str
    """When it stood so; UTC, ISO 8601."""
    results: Sequence[Result]
    statistics: Sequence[BoardStatistics]
    """Those that were made from exactly these results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One row of one table."""

    row: Row
    result: Result | None
    """None for a published row."""
    rank: int | None
    """None where the row lacks what the others have."""
    overall: float | None
    """None where the row has no rank: it would be a mean over other modes."""
    interval: Estimate | None
    """Of the Overall; None where no statistics are stored."""

    @property
    def key(self) -> str:
        """Equal for two rows of one system with one partner, on whatever bench."""
        return self._key(pinned=True)

    @property
    def unpinned(self) -> str:
        """The same, whatever the commit of the system."""
        return self._key(pinned=False)

    def _key(self, *, pinned: bool) -> str:
        if self.result is None:
            return f"published {self.row.model}"
        request = self.result.request
        systems = (request.i2t, request.t2i, request.codec)
        parts = [_identity(system, pinned=pinned) for system in systems]
        return json.dumps([request.role, *parts], sort_keys=True)


Tables = Mapping[str, tuple[Place, ...]]
"""By the label of a bench, best first; rows without a rank last."""


def standings(side: Side, track: Track, content: Content | None) -> Tables:
    """Return the tables of one board."""
    results = {result.request.request_id: result for result in side.results}
    intervals = {
        (s.bench, row.request_id): row.overall
        for s in side.statistics
        if (s.track, s.content) == (track, content)
        for row in s.rows
    }
    found = [*published_rows(track, content), *result_rows(side.results, track, content)]
    grouped: dict[Bench, list[Row]] = {}
    for row in best_first(found):
        if row.has_pictures:
            grouped.setdefault(row.bench, []).append(row)
    return {
        bench.label: tuple(_places(rows, results, intervals)) for bench, rows in grouped.items()
    }


def _places(
    rows: Sequence[Row],
    results: Mapping[str, Result],
    intervals: Mapping[tuple[str, str], Estimate | None],
) -> list[Place]:
    ranked = ranked_rows(rows)
    rank_of = {id(row): rank for row, rank in zip(ranked, ranks(ranked), strict=True)}
    ordered = [*ranked, *(row for row in rows if id(row) not in rank_of)]
    return [_place(row, rank_of.get(id(row)), results, intervals) for row in ordered]


def _place(
    row: Row,
    rank: int | None,
    results: Mapping[str, Result],
    intervals: Mapping[tuple[str, str], Estimate | None],
) -> Place:
    result = results.get(row.request_id)
    return Place(
        row=row,
        result=result,
        rank=rank,
        overall=row.overall if rank is not None else None,
        interval=intervals.get((row.bench.label, row.request_id)) if rank is not None else None,
    )


def _identity(system: System | None, *, pinned: bool) -> dict[str, object] | None:
    if system is None:
        return None
    return {**system.identity, **({} if pinned else {"revision": ""})}
