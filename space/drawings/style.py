"""What all figures share: colours, layout, and names made safe.

Plotly reads a few HTML tags in names and hover texts, so everything a person typed is escaped.
"""

import html
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
LEVEL = "rgba(127, 136, 148, 0.6)"
LONGEST_NAME = 28
LONGEST_HOVER = 120
FEWEST_TICKS = 4
LEAST_AXIS = 270
"""Pixels of an axis in the narrowest figure of the page, where long names are in the legend."""
_CHARACTER, _GAP = 7.0, 6.0
"""Pixels of a tick's text: a digit, and what stays free between two."""
_ROUND = "15237"
"""The first digits that one likes to read, best first."""
_STEPS = (
    *((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)),
    *([n / m for n in range(m, 10 * m)] for m in (1, 2, 5, 10, 50)),
)
"""Ticks of one power of ten, coarse to fine."""
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


def safe(name: str) -> str:
    """Return a name as text that plotly takes for text, of a length that can be shown."""
    return _escape(name if len(name) <= LONGEST_HOVER else f"{name[: LONGEST_HOVER - 1]}…")


def _escape(cut: str) -> str:
    escaped = html.escape(cut, quote=False)
    # Marks that turn the direction of writing turn the name alone, as `bdi` does on the page.
    return escaped if cut.replace("…", "").isascii() else f"{_ISOLATE}{escaped}{_END_ISOLATE}"


def short(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a name for a legend or beside a point; of a long one the end stays too."""
    tail = longest // 2 - 1
    head = longest - 1 - tail
    return _escape(name if len(name) <= longest else f"{name[:head]}…{name[-tail:]}")


def row_names(rows: Sequence[Row]) -> list[str]:
    """Name each row by its model, and by its partner too where one model has several rows."""
    counts = Counter(row.model for row in rows)
    return [row.model if counts[row.model] == 1 else f"{row.model} + {row.partner}" for row in rows]


def log_axis(
    values: Sequence[float], title: str, below: Callable[[float], str] | None = None
) -> dict[str, Any]:
    """Return a logarithmic axis with round ticks that are written out: never a bare 5 for 0.05.

    Args:
        values: what lies on it.
        title: of the axis.
        below: what stands under the text of a tick.
    """
    low, high = math.log10(min(values)), math.log10(max(values))
    margin = 0.11 * max(high - low, 0.1)
    ends = (low - margin, high + margin)
    lines: dict[float, list[str]] = {}
    for steps in _STEPS:
        powers = range(math.floor(ends[0]), math.ceil(ends[1]) + 1)
        all_ticks = (step * 10.0**power for power in powers for step in steps)
        ticks = [tick for tick in all_ticks if ends[0] <= math.log10(tick) <= ends[1]]
        found = {tick: [f"{tick:.6g}", *([below(tick)] if below else [])] for tick in ticks}
        found = _with_room(found, ends[1] - ends[0])
        # Finer steps may leave no more of them.
        lines = max(lines, found, key=len)
        if len(lines) >= FEWEST_TICKS:
            break
    return {
        "type": "log",
        "range": list(ends),
        "tickvals": list(lines),
        "ticktext": ["<br><i>".join(both) + "</i>" * (len(both) - 1) for both in lines.values()],
        "tickangle": 0,
        "title_text": title,
    }


def _with_room(lines: Mapping[float, list[str]], decades: float) -> dict[float, list[str]]:
    """Return the ticks whose texts lie on no other's; of two the rounder one stays."""
    widths = {tick: _CHARACTER * max(map(len, both)) for tick, both in lines.items()}
    kept: list[float] = []
    for tick in sorted(lines, key=_oddness):
        away = ((abs(math.log10(tick / at)) * LEAST_AXIS / decades, at) for at in kept)
        if all(pixels >= (widths[tick] + widths[at]) / 2 + _GAP for pixels, at in away):
            kept.append(tick)
    return {tick: lines[tick] for tick in sorted(kept)}


def _oddness(tick: float) -> int:
    """Return how far from round a number is: 0 is 1, 10 or 0.1."""
    digits = f"{tick:.5e}".split("e")[0].rstrip("0").rstrip(".")
    return _ROUND.find(digits) if len(digits) == 1 and digits in _ROUND else 4 + len(digits)


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
