"""Scores against the rate: one panel a score, systems as points, codecs as lines."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Panel(NamedTuple):
    """What stands over the rate."""

    title: str
    score: Callable[[Row, Mode], float | None]


def _ranking(dimension: Dimension, row: Row, mode: Mode) -> float | None:
    return row.scores.get((mode, dimension))


RANKING = tuple(Panel(DIMENSION_TITLES[d], partial(_ranking, d)) for d in Dimension)


def rate_figure(
    rows: Sequence[Row], codecs: Sequence[Row], panels: Sequence[Panel] = RANKING
) -> "Figure":
    """Return the figure, two panels beside each other; all rows are of one bench and content."""
    from plotly.subplots import make_subplots

    lines = -(-len(panels) // 2)
    specs: list[list[dict[str, Any] | None]] = [[{}, {}] for _ in range(lines)]
    if len(panels) % 2:
        specs[-1][1] = None
    drawing: Any = make_subplots(rows=lines, cols=2, specs=specs, horizontal_spacing=0.1)
    systems = [row for row in rows if row.role != Role.CODEC]
    names = row_names(systems)
    families = sorted({_family(row) for row in codecs})
    for number_of_panel, panel in enumerate(panels):
        first = number_of_panel == 0
        where = {"row": 1 + number_of_panel // 2, "col": 1 + number_of_panel % 2}
        for number, family in enumerate(families):
            members = [row for row in codecs if _family(row) == family]
            colour = GREY if systems else COLOURS[number % len(COLOURS)]
            trace = _codec_line(members, panel, DASHES[number % len(DASHES)], colour)
            drawing.add_trace(trace | {"showlegend": first}, **where)
        if rest := systems[MOST_NAMED:]:
            trace = _system_points(rest, f"{len(rest)} more", panel, GREY)
            # Below the named points, and after them in the legend.
            trace |= {"legendgroup": "more", "legendrank": 1001}
            drawing.add_trace(trace | {"showlegend": first}, **where)
        for number, row in enumerate(systems[:MOST_NAMED]):
            colour = COLOURS[number % len(COLOURS)]
            trace = _system_points([row], names[number], panel, colour)
            trace["legendgroup"] = f"system {number}"
            drawing.add_trace(trace | {"showlegend": first}, **where)
        drawing.update_yaxes(title_text=panel.title, **where)
    used = {mode for row in systems for mode in row.bits_per_pixel}
    for mode in Mode:
        if mode in used:
            drawing.add_trace(_mode_key(mode), row=1, col=1)
    rates = [bpp for row in [*systems, *codecs] for bpp in row.bits_per_pixel.values()]
    drawing.update_xaxes(**log_axis(rates, "bits per pixel", lambda bpp: f"{24 / bpp:,.0f}:1"))
    drawing.update_layout(
        **layout(
            "Scores against the size of the file",
            height=max(130 + 330 * lines, 150 + 22 * len(drawing.data) // len(panels)),
        ),
        **_LEGENDS,
    )
    return with_grid(drawing)


def _family(row: Row) -> str:
    return re.sub(r" (QP|q) \d+$", "", row.model)


def _codec_line(rows: Sequence[Row], panel: Panel, dash: str, colour: str) -> dict[str, Any]:
    ordered = sorted(rows, key=lambda row: row.bits_per_pixel.get(Mode.IMAGE, 0.0))
    points = _points(ordered, [Mode.IMAGE], panel)
    return {
        "type": "scatter",
        "x": [row.bits_per_pixel[mode] for row, mode, _ in points],
        "y": [score for *_, score in points],
        "hovertext": [_hover(row, mode, panel.title, score) for row, mode, score in points],
        "name": _family(rows[0]),
        "legendgroup": f"codec {_family(rows[0])}",
        "mode": "lines+markers",
        "line": {"color": colour, "dash": dash, "width": 1.6},
        "marker": {"color": colour, "size": 6},
        "hoverinfo": "text",
    }


def _system_points(rows: Sequence[Row], name: str, panel: Panel, colour: str) -> dict[str, Any]:
    points = _points(rows, list(Mode), panel)
    return {
        "type": "scatter",
        "x": [row.bits_per_pixel[mode] for row, mode, _ in points],
        "y": [score for *_, score in points],
        "hovertext": [_hover(row, mode, panel.title, score) for row, mode, score in points],
        "name": short(name),
        "mode": "markers",
        "marker": {
            "color": colour,
            "size": 11,
            "symbol": [SYMBOLS[mode] for _, mode, _ in points],
            "opacity": 0.9,
        },
        "hoverinfo": "text",
    }


def _points(
    rows: Sequence[Row], modes: Sequence[Mode], panel: Panel
) -> list[tuple[Row, Mode, float]]:
    """Return what has both a rate and a score."""
    return [
        (row, mode, score)
        for row in rows
        for mode in modes
        if mode in row.bits_per_pixel and (score := panel.score(row, mode)) is not None
    ]


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


def _hover(row: Row, mode: Mode, title: str, score: float) -> str:
    bpp = row.bits_per_pixel[mode]
    lines = [
        f"<b>{safe(row.model)}</b>",
        f"{mode} mode" + (f" with {safe(row.partner)}" if row.partner else ""),
        f"{title} {score:.4f}",
        f"{bpp:.4f} bits per pixel, {24 / bpp:,.0f} : 1",
    ]
    if mode in row.decode_seconds:
        lines.append(f"{row.decode_seconds[mode]:.2f} s to decode a picture")
    return "<br>".join(lines)
