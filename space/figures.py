"""The figure under a table: scores against the rate, or against each other where no rate is known.

Plotly reads a few HTML tags in names and hover texts, so everything a person typed is escaped.
"""

import html
import math
import re
from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from protocol.boards import Row
from protocol.rules import TRACKS, Dimension, Mode, Role, Track
from space.labels import place_labels
from space.words import DIMENSION_TITLES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Okabe and Ito's colours, without the yellow that vanishes on white and the black on dark, then
# four of Paul Tol's.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
COLOURS = (*OKABE_ITO, "#999933", "#AA4499", "#44AA99", "#CC6677")
SYMBOLS = {Mode.FULL: "circle", Mode.IMAGE: "square", Mode.PIXEL: "diamond", Mode.TEXT: "cross"}
DASHES = ("solid", "dash", "dot", "dashdot")
GREY = "#7f8894"
GRID = "rgba(127, 136, 148, 0.22)"

_LEGENDS = {
    "legend": {"x": 1.01, "xanchor": "left", "y": 1.0, "yanchor": "top", "tracegroupgap": 0},
    "legend2": {"x": 1.0, "xanchor": "right", "y": 1.03, "yanchor": "bottom", "orientation": "h"},
}
"""Systems at the right; the symbols of the modes above the panels."""


def figure(track: Track, rows: Sequence[Row], codecs: Sequence[Row]) -> "Figure | None":
    """Return the figure for the rows of one bench and one content; None when nothing is to draw.

    Args:
        track: the board.
        rows: its rows.
        codecs: rows of the same bench and content that codecs alone have; the yardstick.
    """
    if any(row.bits_per_pixel for row in rows):
        return _rate_figure(rows, codecs)
    points = [row for row in rows if row.overall is not None]
    return _plane_figure(track, points) if points else None


def _rate_figure(rows: Sequence[Row], codecs: Sequence[Row]) -> "Figure":
    from plotly.subplots import make_subplots

    drawing: Any = make_subplots(cols=2, horizontal_spacing=0.1)
    systems = [row for row in rows if row.role != Role.CODEC]
    names = _names(systems)
    families = sorted({_family(row) for row in codecs})
    for column, dimension in enumerate(Dimension, start=1):
        for number, family in enumerate(families):
            members = [row for row in codecs if _family(row) == family]
            colour = GREY if systems else COLOURS[number % len(COLOURS)]
            trace = _codec_line(members, dimension, DASHES[number % len(DASHES)], colour)
            drawing.add_trace(trace | {"showlegend": column == 1}, row=1, col=column)
        for number, (row, name) in enumerate(zip(systems, names, strict=True)):
            trace = _system_points(row, name, dimension, COLOURS[number % len(COLOURS)])
            trace["legendgroup"] = f"system {number}"
            drawing.add_trace(trace | {"showlegend": column == 1}, row=1, col=column)
        drawing.update_yaxes(title_text=DIMENSION_TITLES[dimension], row=1, col=column)
    used = {mode for row in systems for mode in row.bits_per_pixel}
    for mode in Mode:
        if mode in used:
            drawing.add_trace(_mode_key(mode), row=1, col=1)
    rates = [bpp for row in [*systems, *codecs] for bpp in row.bits_per_pixel.values()]
    drawing.update_xaxes(**_rate_axis(rates))
    drawing.update_layout(
        **_layout(
            "Scores against the size of the file",
            height=max(460, 150 + 22 * len(drawing.data) // 2),
        ),
        **_LEGENDS,
    )
    return _with_grid(drawing)


def _names(rows: Sequence[Row]) -> list[str]:
    """Name each row by its model, and by its partner too where one model has several rows."""
    counts = Counter(row.model for row in rows)
    return [row.model if counts[row.model] == 1 else f"{row.model} + {row.partner}" for row in rows]


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


def _system_points(row: Row, name: str, dimension: Dimension, colour: str) -> dict[str, Any]:
    modes = [
        mode for mode in Mode if mode in row.bits_per_pixel and (mode, dimension) in row.scores
    ]
    return {
        "type": "scatter",
        "x": [row.bits_per_pixel[mode] for mode in modes],
        "y": [row.scores[mode, dimension] for mode in modes],
        "hovertext": [_hover(row, mode, dimension) for mode in modes],
        "name": html.escape(name if len(name) <= 28 else f"{name[:27]}…", quote=False),
        "mode": "markers",
        "marker": {
            "color": colour,
            "size": 11,
            "symbol": [SYMBOLS[mode] for mode in modes],
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
        f"<b>{html.escape(row.model, quote=False)}</b>",
        f"{mode} mode" + (f" with {html.escape(row.partner, quote=False)}" if row.partner else ""),
        f"{DIMENSION_TITLES[dimension]} {row.scores[mode, dimension]:.4f}",
        f"{bpp:.4f} bits per pixel, {24 / bpp:,.0f} : 1",
    ]
    if mode in row.decode_seconds:
        lines.append(f"{row.decode_seconds[mode]:.2f} s to decode a picture")
    return "<br>".join(lines)


def _rate_axis(rates: Sequence[float]) -> dict[str, Any]:
    """Return a logarithmic axis whose ticks say both the rate and the compression ratio."""
    low, high = min(rates), max(rates)
    steps = (1, 2, 5) if high / low < 30 else (1, 3)
    ticks = [
        step * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        for step in steps
    ]
    margin = 0.11 * max(1.0, math.log10(high / low))
    return {
        "type": "log",
        "range": [math.log10(low) - margin, math.log10(high) + margin],
        "tickvals": ticks,
        "ticktext": [f"{tick:.6g}<br><i>{24 / tick:,.0f}:1</i>" for tick in ticks],
        "tickangle": 0,
        "title_text": "bits per pixel",
    }


def _plane_figure(track: Track, rows: Sequence[Row]) -> "Figure":
    from plotly.graph_objects import Figure

    places = [_place(track, row) for row in rows]
    drawing: Any = Figure()
    for trace in _level_lines(track, places):
        drawing.add_trace(trace)
    drawing.add_trace(
        {
            "type": "scatter",
            "x": [x for x, _ in places],
            "y": [y for _, y in places],
            "text": [html.escape(row.model, quote=False) for row in rows],
            "textposition": place_labels(places, [len(row.model) for row in rows]),
            "hovertext": [
                f"<b>{html.escape(row.model, quote=False)}</b><br>Overall {row.overall:.4f}"
                f"<br>consistency {x:.4f}<br>perception {y:.4f}"
                for row, (x, y) in zip(rows, places, strict=True)
            ],
            "mode": "markers+text",
            "marker": {"color": COLOURS[0], "size": 10},
            "hoverinfo": "text",
            "showlegend": False,
        }
    )
    drawing.update_xaxes(title_text="mean consistency", range=_padded([x for x, _ in places]))
    drawing.update_yaxes(title_text="mean perception", range=_padded([y for _, y in places]))
    drawing.update_layout(**_layout("Consistency and perception", height=470))
    return _with_grid(drawing)


def _place(track: Track, row: Row) -> tuple[float, float]:
    modes = [mode for mode in TRACKS[track].modes if mode not in row.missing_modes]
    x, y = (fmean(row.scores[mode, dimension] for mode in modes) for dimension in Dimension)
    return x, y


def _level_lines(track: Track, places: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Return lines of equal Overall: the rule of the board, drawn."""
    weights = TRACKS[track].weights
    (left, right), (_, high) = (_padded([place[axis] for place in places]) for axis in (0, 1))
    levels = [weights[Dimension.FR] * x + weights[Dimension.NR] * y for x, y in places]
    step = _round_step((max(levels) - min(levels)) / 6)
    first, last = math.floor(min(levels) / step), math.ceil(max(levels) / step)
    traces = []
    for level in (count * step for count in range(first, last + 1)):
        at_left = (level - weights[Dimension.FR] * left) / weights[Dimension.NR]
        at_right = (level - weights[Dimension.FR] * right) / weights[Dimension.NR]
        at_top = (level - weights[Dimension.NR] * high) / weights[Dimension.FR]
        # The line enters the figure at its left or its upper edge; its name stands there.
        start = (left, at_left) if at_left <= high else (at_top, high)
        end = (right, at_right)
        traces.append(
            {
                "type": "scatter",
                "x": [start[0], end[0]],
                "y": [start[1], end[1]],
                "mode": "lines+text",
                "text": [f"Overall {level:.4g}", ""],
                "textposition": "bottom right" if start[1] == high else "top right",
                "textfont": {"size": 10, "color": GREY},
                "line": {"color": GREY, "width": 1, "dash": "dot"},
                "opacity": 0.6,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    return traces


def _round_step(wanted: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is not under `wanted`."""
    power = 10.0 ** math.floor(math.log10(wanted or 1.0))
    return power * next((step for step in (1, 2, 5) if step * power >= wanted), 10)


def _padded(values: Sequence[float]) -> list[float]:
    margin = 0.12 * ((max(values) - min(values)) or 1.0)
    return [min(values) - margin, max(values) + margin]


def _layout(title: str, *, height: int) -> dict[str, Any]:
    return {
        "title": {"text": title, "x": 0.0, "xanchor": "left", "font": {"size": 15}},
        "height": height,
        "margin": {"l": 60, "r": 16, "t": 64, "b": 64},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": GREY},
        "hoverlabel": {"bgcolor": "#1d242d", "font": {"color": "#ffffff"}, "align": "left"},
        "dragmode": False,
    }


def _with_grid(drawing: "Figure") -> "Figure":
    drawing.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, ticks="")
    drawing.update_yaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, ticks="")
    return drawing
