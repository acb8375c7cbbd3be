"""What all figures share: colours, layout, and names made safe.

Plotly reads a few HTML tags in names and hover texts, so everything a person typed is escaped.
"""

import html
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.boards import Row
from protocol.rules import Mode

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
LONGEST_NAME = 28
LONGEST_HOVER = 120
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def safe(name: str, longest: int = LONGEST_HOVER) -> str:
    """Return a name as text that plotly takes for text, of a length that can be shown."""
    cut = name if len(name) <= longest else f"{name[: longest - 1]}…"
    escaped = html.escape(cut, quote=False)
    # Marks that turn the direction of writing turn the name alone, as `bdi` does on the page.
    return escaped if name.isascii() else f"{_ISOLATE}{escaped}{_END_ISOLATE}"


def short(name: str) -> str:
    """Return a name for a legend or beside a point."""
    return safe(name, LONGEST_NAME)


def row_names(rows: Sequence[Row]) -> list[str]:
    """Name each row by its model, and by its partner too where one model has several rows."""
    counts = Counter(row.model for row in rows)
    return [row.model if counts[row.model] == 1 else f"{row.model} + {row.partner}" for row in rows]


def layout(title: str, *, height: int) -> dict[str, Any]:
    """Return the layout that all figures start from; the page puts its own colours in."""
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


def with_grid(drawing: "Figure") -> "Figure":
    """Return a figure with quiet grid lines."""
    drawing.update_xaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, ticks="")
    drawing.update_yaxes(gridcolor=GRID, zeroline=False, linecolor=GRID, ticks="")
    return drawing
