"""Who leads, by how much, and whether the lead is real: the sentence above a table."""

from collections.abc import Sequence

from protocol.boards import Row
from protocol.rules import Track


def verdict(track: Track, ranked: Sequence[Row], digits: int) -> str:
    """Return the sentence for the ranked rows, best first; empty where nothing is ranked."""
    if not ranked:
        return ""
    if track is Track.CODEC:
        return "Codecs spend different rates: the figure compares them at equal bits per pixel."
    first = ranked[0]
    if len(ranked) == 1:
        return f"{first.model} is the only ranked row."
    second = ranked[1]
    lead = (first.overall or 0.0) - (second.overall or 0.0)
    if round(lead, 9) == 0:
        return f"{first.model} and {second.model} share the lead."
    return f"{first.model} leads by {lead:.{digits}f} before {second.model}. {_doubt(first, second)}"


def _doubt(first: Row, second: Row) -> str:
    if "published" in (first.source, second.source):
        return (
            "Scores by image were not published, so whether this lead is more than chance is "
            "not known."
        )
    return "No interval is stored for these rows, so whether this lead is real is not known."
