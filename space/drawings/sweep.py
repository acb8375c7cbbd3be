"""One thing varied: a panel an indicator, a line a system and mode, as in figures A4 to A7."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.ablations import AblationResult, Point
from space.drawings.style import COLOURS, layout, safe, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

AXES = {
    "strength": "strength",
    "prompt": "length that the caption was asked for",
    "vvc_qp": "QP of the sent picture",
    "seed": "seed",
}
"""What a plan varies, in words."""


def sweep_figure(found: AblationResult) -> "Figure":
    """Return the figure, with the paper's points where it printed any."""
    from plotly.subplots import make_subplots

    names = sorted({name for point in found.points for name in (*point.means, *point.sets)})
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    drawing: Any = make_subplots(rows=rows, cols=columns, subplot_titles=names)
    lines = list(dict.fromkeys((point.system, point.mode) for point in found.points))
    named: set[str] = set()
    for place, name in enumerate(names):
        where = {"row": 1 + place // columns, "col": 1 + place % columns}
        for number, (system, mode) in enumerate(lines):
            chosen = [p for p in found.points if (p.system, p.mode) == (system, mode)]
            label = f"{mode} mode" if system == "system" else safe(system)
            colour = COLOURS[number % len(COLOURS)]
            traces = [_line(chosen, name, label, colour)]
            if any(name in point.published for point in chosen):
                traces.append(_printed(chosen, name, label, colour))
            for trace in traces:
                # Each line is once in the legend, wherever it comes first.
                drawing.add_trace(trace | {"showlegend": trace["name"] not in named}, **where)
                named.add(trace["name"])
    axis = AXES.get(found.plan.vary, found.plan.vary)
    drawing.update_xaxes(title_text=axis, type="category")
    drawing.update_layout(**layout(safe(found.plan.title), height=150 + 260 * rows))
    return with_grid(drawing)


def _line(points: Sequence[Point], name: str, label: str, colour: str) -> dict[str, Any]:
    """Return a line with a gap where a value has no score: it keeps its place on the axis."""
    means = [point.means.get(name) for point in points]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [safe(point.value) for point in points],
        "y": [
            point.sets.get(name) if mean is None else mean.value
            for point, mean in zip(points, means, strict=True)
        ],
        "error_y": {
            "array": [mean and mean.high - mean.value for mean in means],
            "arrayminus": [mean and mean.value - mean.low for mean in means],
            "thickness": 1,
        },
        "name": label,
        "legendgroup": label,
        "line": {"color": colour},
        "hovertemplate": f"{label}<br>%{{x}}: %{{y:.4f}}<extra></extra>",
    }


def _printed(points: Sequence[Point], name: str, label: str, colour: str) -> dict[str, Any]:
    known = [(p.value, p.published[name]) for p in points if name in p.published]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [safe(value) for value, _ in known],
        "y": [value for _, value in known],
        "name": f"{label}, paper",
        "legendgroup": f"{label} paper",
        "line": {"color": colour, "dash": "dot"},
        "marker": {"symbol": "circle-open", "size": 8},
        "hovertemplate": "paper, its own pictures<br>%{x}: %{y:.4f}<extra></extra>",
    }
