"""Who may be ranked together, and which place each row has."""

from collections.abc import Iterable, Sequence

from protocol.boards import Row
from protocol.rules import Mode


def common_gap(rows: Iterable[Row]) -> tuple[Mode, ...]:
    """Return the modes that even the most complete rows lack; only their equals are ranked."""
    gaps = [row.missing_modes for row in rows if row.overall is not None]
    return min(gaps, key=lambda gap: (len(gap), gap), default=())


def ranked_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that may be ranked together: those with the fullest coverage there is."""
    common = common_gap(rows)
    return [row for row in rows if row.overall is not None and row.missing_modes == common]


def ranks(ranked: Sequence[Row]) -> list[int]:
    """Return the ranks of rows that stand best first; equal Overalls share one, from 1."""
    first: dict[float, int] = {}
    return [
        first.setdefault(round(row.overall or 0.0, 9), place)
        for place, row in enumerate(ranked, start=1)
    ]
