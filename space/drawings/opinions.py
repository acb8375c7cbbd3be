"""Mean opinion scores of a study: how many pictures have which, and those of each folder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.ratings import SCALE_HIGH, SCALE_LOW
from protocol.studies import BIN_WIDTH, BINS, FolderScores
from space.drawings.style import COLOURS, layout, safe, short, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def opinions_figure(opinions: Sequence[FolderScores]) -> "Figure":
    """Return the paper's figure A3: a panel a dimension, one bar a quarter of a point."""
    from plotly.subplots import make_subplots

    titles = [str(one.dimension) for one in opinions]
    drawing: Any = make_subplots(cols=len(titles), subplot_titles=titles, shared_yaxes="all")
    for column, one in enumerate(opinions, start=1):
        lows = [SCALE_LOW + BIN_WIDTH * place for place in range(BINS)]
        drawing.add_trace(
            {
                "type": "bar",
                "name": str(one.dimension),
                "x": [low + BIN_WIDTH / 2 for low in lows],
                "y": list(one.counts),
                "width": BIN_WIDTH * 0.92,
                "marker": {"color": COLOURS[column - 1]},
                "hovertext": [
                    f"{low:.2f} to {low + BIN_WIDTH:.2f}: {count} images"
                    for low, count in zip(lows, one.counts, strict=True)
                ],
                "hoverinfo": "text",
                "textposition": "none",
                "showlegend": False,
            },
            row=1,
            col=column,
        )
    drawing.update_xaxes(title_text="mean opinion score", range=[SCALE_LOW, SCALE_HIGH], dtick=1)
    drawing.update_yaxes(title_text="images", row=1, col=1)
    drawing.update_layout(**layout("Distribution of the mean opinion scores", height=420))
    return with_grid(drawing)


def folders_figure(opinions: Sequence[FolderScores]) -> "Figure":
    """Return the paper's figure 6: each folder's quartiles and extremes, the best on top."""
    from plotly.subplots import make_subplots

    dimensions = list(dict.fromkeys(one.dimension for one in opinions))
    titles = [str(dimension) for dimension in dimensions]
    drawing: Any = make_subplots(cols=len(titles), subplot_titles=titles, horizontal_spacing=0.22)
    most = 0
    for column, dimension in enumerate(dimensions, start=1):
        folders = [one for one in opinions if one.dimension is dimension][::-1]
        most = max(most, len(folders))
        drawing.add_trace(
            {
                "type": "box",
                "orientation": "h",
                "name": str(dimension),
                # Places and not names stand on the axis: two names may be cut to the same.
                "y": list(range(len(folders))),
                "lowerfence": [one.low for one in folders],
                "q1": [one.lower for one in folders],
                "median": [one.middle for one in folders],
                "q3": [one.upper for one in folders],
                "upperfence": [one.high for one in folders],
                "mean": [one.mean for one in folders],
                "hovertext": [safe(one.folder) for one in folders],
                "marker": {"color": COLOURS[column - 1]},
                "showlegend": False,
            },
            row=1,
            col=column,
        )
        drawing.update_yaxes(
            tickvals=list(range(len(folders))),
            ticktext=[short(one.folder) for one in folders],
            row=1,
            col=column,
        )
    # A normalised score may lie off the scale, and the figure must not end before it.
    ends = [min(SCALE_LOW, *(one.low for one in opinions)) - 0.1]
    ends += [max(SCALE_HIGH, *(one.high for one in opinions)) + 0.1]
    drawing.update_xaxes(title_text="mean opinion score", range=ends, dtick=1)
    drawing.update_layout(
        **layout("Mean opinion scores of each system", height=max(320, 150 + 30 * most))
    )
    drawing.update_layout(margin={"l": 210})
    return with_grid(drawing)
