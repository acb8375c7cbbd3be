"""How each viewer used the scale: darker where more of the viewer's ratings lie."""

from typing import TYPE_CHECKING, Any

from protocol.ratings import SCALE_HIGH, SCALE_LOW
from protocol.studies import BIN_WIDTH, BINS, Study
from space.drawings.style import COLOURS, layout, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def viewers_figure(study: Study) -> "Figure":
    """Return a panel a dimension; one column a viewer, one row a quarter of a point."""
    from plotly.subplots import make_subplots

    dimensions = list(dict.fromkeys(viewer.dimension for viewer in study.viewers))
    drawing: Any = make_subplots(cols=len(dimensions), subplot_titles=[str(d) for d in dimensions])
    middles = [SCALE_LOW + BIN_WIDTH * (place + 0.5) for place in range(BINS)]
    for column, dimension in enumerate(dimensions, start=1):
        viewers = [viewer for viewer in study.viewers if viewer.dimension is dimension]
        names = [f"{v.number}{'' if v.is_used else ' out'}" for v in viewers]
        totals = [sum(viewer.counts) for viewer in viewers]
        drawing.add_trace(
            {
                "type": "heatmap",
                "x": names,
                "y": middles,
                "z": [
                    [v.counts[place] / total for v, total in zip(viewers, totals, strict=True)]
                    for place in range(BINS)
                ],
                "colorscale": [[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,1)"]],
                "showscale": False,
                "hovertemplate": "viewer %{x}<br>about %{y:.2f}: %{z:.0%}<extra></extra>",
            },
            row=1,
            col=column,
        )
        drawing.add_trace(
            {
                "type": "scatter",
                "mode": "markers",
                "x": names,
                "y": [viewer.middle for viewer in viewers],
                "error_y": {
                    "array": [viewer.upper - viewer.middle for viewer in viewers],
                    "arrayminus": [viewer.middle - viewer.lower for viewer in viewers],
                    "thickness": 1.5,
                },
                "name": "median and quartiles",
                "showlegend": column == 1,
                "marker": {"color": COLOURS[1], "size": 7, "symbol": "diamond"},
                "hovertemplate": "viewer %{x}: median %{y:.2f}<extra></extra>",
            },
            row=1,
            col=column,
        )
        drawing.update_yaxes(range=[SCALE_LOW, SCALE_HIGH], row=1, col=column)
    drawing.update_xaxes(title_text="viewer, by mean rating", type="category")
    drawing.update_layout(**layout("Ratings of each viewer", height=480))
    return with_grid(drawing)
