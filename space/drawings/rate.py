"""Scores against the rate: one panel a dimension, systems as points, codecs as lines."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.boards import Row
from protocol.rules import Dimension, Mode, Role
from space.drawings.labels import MOST_NAMED
from space.drawings.style import (
    COLOURS,
    DASHES,
    GREY,
    SYMBOLS,
    layout,
    log_axis,
    row_names,
    safe,
    short,
    with_grid,
)
from space.words import DIMENSION_TITLES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LEGENDS = {
    "legend": {"x": 1.01, "xanchor": "left", "y": 1.0, "yanchor": "top", "tracegroupgap": 0},
    "legend2": {"x": 1.0, "xanchor": "right", "y": 1.03, "yanchor": "bottom", "orientation": "h"},
}
"""Systems at the right; the symbols of the modes above the panels."""


def rate_figure(rows: Sequence[Row], codecs: Sequence[Row]) -> "Figure":
    """Return the figure; rows and codecs are of one bench and one content."""
    from plotly.subplots import make_subplots

    drawing: Any = make_subplots(cols=2, horizontal_spacing=0.1)
    systems = [row for row in rows if row.role != Role.CODEC]
    names = row_names(systems)
    families = sorted({_family(row) for row in codecs})
    for column, dimension in enumerate(Dimension, start=1):
        for number, family in enumerate(families):
            members = [row for row in codecs if _family(row) == family]
            colour = GREY if systems else COLOURS[number % len(COLOURS)]
            trace = _codec_line(members, dimension, DASHES[number % len(DASHES)], colour)
            drawing.add_trace(trace | {"showlegend": column == 1}, row=1, col=column)
        if rest := systems[MOST_NAMED:]:
            trace = _system_points(rest, f"{len(rest)} more", dimension, GREY)
            # Below the named points, and after them in the legend.
            trace |= {"legendgroup": "more", "legendrank": 1001}
            drawing.add_trace(trace | {"showlegend": column == 1}, row=1, col=column)
        for number, row in enumerate(systems[:MOST_NAMED]):
            colour = COLOURS[number % len(COLOURS)]
            trace = _system_points([row], names[number], dimension, colour)
            trace["legendgroup"] = f"system {number}"
            drawing.add_trace(trace | {"showlegend": column == 1}, row=1, col=column)
        drawing.update_yaxes(title_text=DIMENSION_TITLES[dimension], row=1, col=column)
    used = {mode for row in systems for mode in row.bits_per_pixel}
    for mode in Mode:
        if mode in used:
            drawing.add_trace(_mode_key(mode), row=1, col=1)
    rates = [bpp for row in [*systems, *codecs] for bpp in row.bits_per_pixel.values()]
    drawing.update_xaxes(**log_axis(rates, "bits per pixel", lambda bpp: f"{24 / bpp:,.0f}:1"))
    drawing.update_layout(
        **layout(
            "Scores against the size of the file",
            height=max(460, 150 + 22 * len(drawing.data) // 2),
        ),
        **_LEGENDS,
    )
    return with_grid(drawing)


def _family(row: Row) -> str:
    return re.sub(r" (QP|q) \d+$", "", row.model)


def _codec_line(
    rows: Sequence[Row], dimension: Dimension, dash: str, colour: str
) -> dict[str, Any]:
    cell = (Mode.IMAGE, dimension)
    points = sorted(
        (row for row in rows if Mode.IMAGE in row.bits_per_pixel and cell in row.scores),
        key=lambda row: row.bits_per_pixel[Mode.IMAGE],
    )
    return {
        "type": "scatter",
        "x": [row.bits_per_pixel[Mode.IMAGE] for row in points],
        "y": [row.scores[cell] for row in points],
        "hovertext": [_hover(row, Mode.IMAGE, dimension) for row in points],
        "name": _family(rows[0]),
        "legendgroup": f"codec {_family(rows[0])}",
        "mode": "lines+markers",
        "line": {"color": colour, "dash": dash, "width": 1.6},
        "marker": {"color": colour, "size": 6},
        "hoverinfo": "text",
    }


def _system_points(
    rows: Sequence[Row], name: str, dimension: Dimension, colour: str
) -> dict[str, Any]:
    points = [
        (row, mode)
        for row in rows
        for mode in Mode
        if mode in row.bits_per_pixel and (mode, dimension) in row.scores
    ]
    return {
        "type": "scatter",
        "x": [row.bits_per_pixel[mode] for row, mode in points],
        "y": [row.scores[mode, dimension] for row, mode in points],
        "hovertext": [_hover(row, mode, dimension) for row, mode in points],
        "name": short(name),
        "mode": "markers",
        "marker": {
            "color": colour,
            "size": 11,
            "symbol": [SYMBOLS[mode] for _, mode in points],
            "opacity": 0.9,
        },
        "hoverinfo": "text",
    }


def _mode_key(mode: Mode) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "name": f"{mode} mode",
        "legend": "legend2",
        "mode": "markers",
        "marker": {"color": GREY, "size": 10, "symbol": SYMBOLS[mode]},
        "hoverinfo": "skip",
    }


def _hover(row: Row, mode: Mode, dimension: Dimension) -> str:
    bpp = row.bits_per_pixel[mode]
    lines = [
        f"<b>{safe(row.model)}</b>",
        f"{mode} mode" + (f" with {safe(row.partner)}" if row.partner else ""),
        f"{DIMENSION_TITLES[dimension]} {row.scores[mode, dimension]:.4f}",
        f"{bpp:.4f} bits per pixel, {24 / bpp:,.0f} : 1",
    ]
    if mode in row.decode_seconds:
        lines.append(f"{row.decode_seconds[mode]:.2f} s to decode a picture")
    return "<br>".join(lines)
