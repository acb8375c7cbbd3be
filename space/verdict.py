"""Who leads, by how much, and whether the lead is real: the sentences above a table.

What is known of chance comes from the stored statistics alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from protocol.boards import Row
from protocol.ranks import ranks
from protocol.rules import Track
from protocol.statistics.records import BoardComparison, BoardStatistics
from protocol.system_names import names_with_partners
from space.words import listed

Value: TypeAlias = str | int | float | bool | None

MOST_NAMED = 3
"""Of rows that share the lead."""

INTERVALS = ("overall_low", "overall_high", "rank_low", "rank_high")


def standing_values(
    statistics: BoardStatistics | None, *, whole: bool
) -> dict[str, dict[str, Value]]:
    """Return what is stored of each ranked row, by request id and column key.

    Args:
        statistics: of the board; None where there are none.
        whole: whether they speak of all rows of the table; the rank of one among some of them
            would stand beside its rank among all.
    """
    found: dict[str, dict[str, Value]] = {}
    for row in statistics.rows if statistics else ():
        if row.overall is None or row.standing is None:
            continue
        found[row.request_id] = {"overall_low": row.overall.low, "overall_high": row.overall.high}
        if whole:
            found[row.request_id] |= {
                "rank_low": row.standing.rank_low,
                "rank_high": row.standing.rank_high,
                "probability_first": row.standing.probability_first,
                "tie_group": row.standing.tie_group,
            }
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two texts of whole sentences, either of which may be empty."""

    lead: str = ""
    """Who leads and by how much."""
    doubt: str = ""
    """Whether that is real."""


def verdict(
    track: Track,
    ranked: Sequence[Row],
    digits: int,
    statistics: BoardStatistics | None = None,
) -> Verdict:
    """Return what is to be said of the ranked rows, best first; nothing where none is ranked."""
    if not ranked:
        return Verdict()
    if track is Track.CODEC:
        return Verdict(
            "Codecs spend different rates: the figure compares them at equal bits per pixel."
        )
    first = ranked[0]
    if len(ranked) == 1:
        return Verdict(f"{first.model} is the only ranked row.")
    leaders = [row for row, rank in zip(ranked, ranks(ranked), strict=True) if rank == 1]
    if len(leaders) > 1:
        return Verdict(f"{_shared(leaders)} share the lead.")
    second = ranked[1]
    lead = (first.overall or 0.0) - (second.overall or 0.0)
    one, other = names_with_partners([first, second])
    return Verdict(
        f"{one} leads by {lead:.{digits}f} before {other}.",
        _doubt(first, second, digits, statistics),
    )


def _shared(leaders: Sequence[Row]) -> str:
    names = names_with_partners(leaders)
    if len(names) > MOST_NAMED:
        names = [*names[: MOST_NAMED - 1], f"{len(names) - MOST_NAMED + 1} others"]
    return listed(names)


def _doubt(first: Row, second: Row, digits: int, statistics: BoardStatistics | None) -> str:
    if "published" in (first.source, second.source):
        return (
            "Scores by image were not published, so whether this lead is more than chance is "
            "not known."
        )
    if statistics is None:
        return "No statistics are stored for these rows, so whether this lead is real is not known."
    found = _comparison(statistics, first.request_id, second.request_id)
    if found is None:
        return "These two were not compared image by image."
    low, high = found.result.difference.low, found.result.difference.high
    span = f"{statistics.level:.0%} interval {low:.{digits}f} to {high:.{digits}f}"
    over = f"over {found.result.images} images"
    if found.is_separable:
        return f"The lead is real: {span} {over}."
    needed = found.result.images_needed
    tell = f"; about {needed:,} images would tell" if needed else ""
    return f"The lead may be chance: {span} {over}{tell}."


def _comparison(statistics: BoardStatistics, first: str, second: str) -> BoardComparison | None:
    pairs = (c for c in statistics.comparisons if (c.first, c.second) == (first, second))
    return next(pairs, None)
