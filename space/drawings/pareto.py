"""Overall against what it costs: who is not beaten, in one of them at no loss in the other."""

from collections.abc import Sequence
from math import log10
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.rates import pareto_front
from space.drawings.labels import MOST_NAMED, place_labels
from space.drawings.style import COLOURS, GREY, layout, log_axis, safe, short, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Point(NamedTuple):
    """One system."""

    name: str
    cost: float
    """Lower is better."""
    overall: float
    """Higher is better."""


def pareto_figure(points: Sequence[Point], cost: str) -> "Figure":
    """Return the figure; `cost` names the axis with its unit."""
    from plotly.graph_objects import Figure

    front = sorted(
        (points[at] for at in pareto_front([(p.cost, p.overall) for p in points])),
        key=lambda point: point.cost,
    )
    beaten = [point for point in points if point not in front]
    places = [(log10(point.cost), point.overall) for point in (*front, *beaten)]
    names = [short(point.name) for point in (*front, *beaten)]
    positions = place_labels(places, [*map(len, names)], joined=len(front))
    sides = dict(zip((*front, *beaten), positions, strict=True))
    named = {*front[:MOST_NAMED], *beaten[: max(0, MOST_NAMED - len(front))]}
    drawing: Any = Figure()
    for chosen, name, colour, mode in (
        (front, "not beaten", COLOURS[0], "lines+markers+text"),
        (beaten, "beaten", GREY, "markers+text"),
    ):
        drawing.add_trace(
            {
                "type": "scatter",
                "x": [point.cost for point in chosen],
                "y": [point.overall for point in chosen],
                "text": [short(point.name) if point in named else "" for point in chosen],
                "textposition": [sides[point] for point in chosen],
                "cliponaxis": False,
                "mode": mode,
                "name": name,
                "line": {"color": colour, "width": 1.5, "shape": "hv"},
                "marker": {"color": colour, "size": 10},
                "hovertext": [
                    f"<b>{safe(p.name)}</b><br>{cost} {p.cost:.4g}<br>Overall {p.overall:.4f}"
                    for p in chosen
                ],
                "hoverinfo": "text",
            }
        )
    drawing.update_xaxes(**log_axis([point.cost for point in points], cost))
    drawing.update_yaxes(title_text="Overall")
    drawing.update_layout(**layout(f"Overall against {cost}", height=500))
    return with_grid(drawing)
