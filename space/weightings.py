"""Who leads a board under which weighting of consistency against perception."""

from collections import Counter
from collections.abc import Mapping, Sequence

from protocol.boards import Row
from protocol.rules import Dimension, Track
from protocol.statistics.weighting import Lead, lead_shares, leads


def weightings(track: Track, ranked: Sequence[Row]) -> tuple[tuple[Lead, ...], Mapping[int, float]]:
    """Return the leaders from weight 0 to 1, and each ranked row's share of the weights by its id.

    Codecs spend different rates, so none leads.
    """
    if track is Track.CODEC:
        return (), {}
    rows = [row for row in ranked if row.dimensions]
    names = _distinct_names(rows)
    means = {
        name: (row.dimensions[Dimension.FR], row.dimensions[Dimension.NR])
        for name, row in zip(names, rows, strict=True)
    }
    found = tuple(leads(means))
    shares = lead_shares(found)
    return found, {id(row): shares.get(name, 0.0) for name, row in zip(names, rows, strict=True)}


def _distinct_names(rows: Sequence[Row]) -> list[str]:
    names = [f"{row.model} + {row.partner}" if row.partner else row.model for row in rows]
    counts = Counter(names)
    return [
        # Two revisions of one model, say.
        name if counts[name] == 1 else f"{name} [{row.request_id[:8]}]"
        for name, row in zip(names, rows, strict=True)
    ]
