"""All scores of each system around a circle, as in the paper's figure 5."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.boards import Row
from protocol.rules import TRACKS, Dimension, Track
from space.drawings.style import COLOURS, GRID, layout, row_names, safe, short
from space.words import DIMENSION_TITLES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 12
"""Polygons that one can still tell apart."""


def radar_figure(track: Track, rows: Sequence[Row]) -> "Figure":
    """Return the figure for the best rows of a board that have all of its scores."""
    from plotly.graph_objects import Figure

    cells = [(mode, dimension) for mode in TRACKS[track].modes for dimension in Dimension]
    spokes = [f"{DIMENSION_TITLES[dimension]}<br>{mode}" for mode, dimension in cells]
    whole = [row for row in rows if all(cell in row.scores for cell in cells)][:MOST]
    drawing: Any = Figure()
    for number, (row, name) in enumerate(zip(whole, row_names(whole), strict=True)):
        values = [row.scores[cell] for cell in cells]
        drawing.add_trace(
            {
                "type": "scatterpolar",
                "r": [*values, values[0]],
                "theta": [*spokes, spokes[0]],
                "name": short(name),
                "mode": "lines+markers",
                "line": {"color": COLOURS[number % len(COLOURS)], "width": 2},
                "marker": {"size": 5},
                "hovertext": [f"<b>{safe(row.model)}</b><br>{v:.4f}" for v in [*values, values[0]]],
                "hoverinfo": "text+theta",
                # The leader and its neighbours; the others are a press on their name away.
                "visible": True if number < 4 else "legendonly",
            }
        )
    axis = {"gridcolor": GRID, "linecolor": GRID}
    # Few enough numbers for them to stand upright where the figure is narrow.
    numbers = axis | {"tickangle": 0, "nticks": 5}
    drawing.update_layout(
        **layout("All scores of each system", height=560),
        polar={"bgcolor": "rgba(0,0,0,0)", "radialaxis": numbers, "angularaxis": axis},
    )
    # The names of the spokes stand outside the circle.
    drawing.update_layout(margin={"l": 96, "r": 96})
    return drawing
