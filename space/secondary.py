"""Columns of indicators that nothing is ranked by, where a board's rows were scored by them."""

from collections.abc import Iterable, Mapping, Sequence

from protocol.boards import Row
from protocol.records import Score
from protocol.rules import TRACKS, Content, Dimension, Mode, Track
from protocol.scores import cell_name
from protocol.secondary import SecondaryScores
from space.columns import Column, after
from space.lines import Extras
from space.words import MODE_TITLES

LEGIBILITY = "legibility"

Secondary = Mapping[str, Mapping[str, Sequence[Score]]]
"""Means by request id and by indicator."""


def by_request(scores: Iterable[SecondaryScores]) -> Secondary:
    """Return the means of each row."""
    found: dict[str, dict[str, Sequence[Score]]] = {}
    for one in scores:
        for row in one.rows:
            found.setdefault(row.request_id, {})[one.indicator.name] = row.scores
    return found


def secondary_values(rows: Sequence[Row], found: Secondary, content: Content | None) -> Extras:
    """Return the rows' means over the pictures of a content."""
    return {
        id(row): {
            _key(score.mode, name): score.mean
            for name, scores in found.get(row.request_id, {}).items()
            for score in scores
            if score.content is content and score.mean is not None
        }
        for row in rows
        if row.request_id in found
    }


def with_secondary_columns(
    columns: Sequence[Column],
    track: Track,
    rows: Sequence[Row],
    found: Secondary,
    content: Content | None,
) -> list[Column]:
    """Return the columns with those that a row of this content has a value for.

    Legibility is shown unasked where it matters, on screens.
    """
    there = {key for values in secondary_values(rows, found, content).values() for key in values}
    names = sorted({name for row in rows for name in found.get(row.request_id, {})})
    shown = list(columns)
    for mode in TRACKS[track].modes:
        more = [
            Column(
                key=_key(mode, name),
                group=MODE_TITLES[mode],
                title=name.capitalize() if name == LEGIBILITY else name,
                tooltip=_tooltip(mode, name),
                kind="score",
                higher_is_better=True,
                shown=name == LEGIBILITY and content is Content.SCI,
            )
            for name in names
            if _key(mode, name) in there
        ]
        shown = after(shown, cell_name((mode, Dimension.NR)), more)
    return shown


def _key(mode: Mode, name: str) -> str:
    return f"{mode}_{name}"


def _tooltip(mode: Mode, name: str) -> str:
    if name == LEGIBILITY:
        return (
            f"How much of the text that a reader program finds in the original it still reads in "
            f"{mode} mode: 1 less its share of wrong characters; nothing is ranked by it"
        )
    return f"{name} in {mode} mode; higher is better; nothing is ranked by it"
