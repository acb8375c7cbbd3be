"""Mean perception against mean consistency, with the lines of equal Overall."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.boards import Row
from protocol.rules import TRACKS, Dimension, Track
from space.drawings.labels import MOST_NAMED, place_labels
from space.drawings.style import (
    COLOURS,
    LEVEL,
    LONGEST_NAME,
    layout,
    row_names,
    safe,
    short,
    with_grid,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

NAME_WIDTH, NAME_HEIGHT = 0.16, 0.1
"""Of a level line, as shares of the narrowest figure that the page draws: 564 x 372 pixels."""

LEAST_SPAN = 1e-9
"""Of Overalls that are not equal; less is of floating point."""


def plane_figure(track: Track, rows: Sequence[Row]) -> "Figure":
    """Return the figure for the ranked rows of a board."""
    from plotly.graph_objects import Figure

    places = [_place(row) for row in rows]
    names = row_names(rows)
    drawing: Any = Figure()
    for trace in _level_lines(track, places):
        drawing.add_trace(trace)
    drawing.add_trace(
        {
            "type": "scatter",
            "x": [x for x, _ in places],
            "y": [y for _, y in places],
            "text": [short(name) if at < MOST_NAMED else "" for at, name in enumerate(names)],
            "textposition": place_labels(places, [min(len(name), LONGEST_NAME) for name in names]),
            "hovertext": [
                f"<b>{safe(name)}</b><br>Overall {row.overall:.4f}"
                f"<br>consistency {x:.4f}<br>perception {y:.4f}"
                for name, row, (x, y) in zip(names, rows, places, strict=True)
            ],
            "mode": "markers+text",
            "marker": {"color": COLOURS[0], "size": 10},
            "hoverinfo": "text",
            "showlegend": False,
        }
    )
    drawing.update_xaxes(title_text="mean consistency", range=_padded([x for x, _ in places]))
    drawing.update_yaxes(title_text="mean perception", range=_padded([y for _, y in places]))
    drawing.update_layout(**layout("Consistency and perception", height=470))
    return with_grid(drawing)


def _place(row: Row) -> tuple[float, float]:
    return row.dimensions[Dimension.FR], row.dimensions[Dimension.NR]


def _level_lines(track: Track, places: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Return lines of equal Overall: the rule of the board, drawn."""
    weights = TRACKS[track].weights
    (left, right), (low, high) = (_padded([place[axis] for place in places]) for axis in (0, 1))
    levels = [weights[Dimension.FR] * x + weights[Dimension.NR] * y for x, y in places]
    span = max(levels) - min(levels)
    # One row, or equal ones, have no span but that of the figure around them.
    step = _round_step((span if span > LEAST_SPAN else right - left) / 6)
    first, last = math.floor(min(levels) / step), math.ceil(max(levels) / step)
    traces = []
    named: list[tuple[float, float]] = []
    for level in (count * step for count in range(first, last + 1)):
        at_left = (level - weights[Dimension.FR] * left) / weights[Dimension.NR]
        at_right = (level - weights[Dimension.FR] * right) / weights[Dimension.NR]
        at_top = (level - weights[Dimension.NR] * high) / weights[Dimension.FR]
        # The line enters the figure at its left or its upper edge; its name stands there.
        start = (left, at_left) if at_left <= high else (at_top, high)
        corner = ((start[0] - left) / (right - left), (start[1] - low) / (high - low))
        has_room = _has_room(corner, named)
        if has_room:
            named.append(corner)
        traces.append(
            {
                "type": "scatter",
                "x": [start[0], right],
                "y": [start[1], at_right],
                "mode": "lines+text" if has_room else "lines",
                "text": [f"Overall {level:.4g}", ""],
                "textposition": "bottom right" if start[1] == high else "top right",
                # No colour of its own: the page gives its ink to what has none.
                "textfont": {"size": 10},
                "line": {"color": LEVEL, "width": 1, "dash": "dot"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces


def _has_room(corner: tuple[float, float], named: Sequence[tuple[float, float]]) -> bool:
    """Tell whether a name would stand inside a figure on a phone, and on none of those named."""
    inside = 0 <= corner[0] <= 1 - NAME_WIDTH and 0 <= corner[1] <= 1
    return inside and all(
        abs(corner[0] - x) >= NAME_WIDTH or abs(corner[1] - y) >= NAME_HEIGHT for x, y in named
    )


def _round_step(wanted: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not under `wanted`."""
    power = 10.0 ** math.floor(math.log10(wanted))
    return power * next((step for step in (1, 2, 5) if step * power >= wanted), 10)


def _padded(values: Sequence[float]) -> list[float]:
    margin = 0.12 * ((max(values) - min(values)) or 1.0)
    return [min(values) - margin, max(values) + margin]
