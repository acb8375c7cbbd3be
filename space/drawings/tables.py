"""Tables that are no board: correlation, complexity, quality over QP, prompts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.correlations import AgreementRow
from protocol.published import read_table
from space.drawings.style import COLOURS, GREY, layout, log_axis, safe, short, with_grid
from space.words import DIMENSION_TITLES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def correlation_figure() -> "Figure":
    """Return table 2: how each indicator, once trained, ranks pictures as people do."""
    lines = sorted(read_table("indicator_correlation"), key=lambda line: float(line["srocc"]))
    bars = [
        Bar(line["dimension"], f"{line['metric']} ({line['dimension']})", float(line["srocc"]))
        for line in lines
    ]
    drawing: Any = bars_figure("Rank correlation with human scores", bars, "SRoCC")
    drawing.update_xaxes(range=[0, 1])
    return with_grid(drawing)


def measured_correlation_figure(rows: Sequence[AgreementRow]) -> "Figure":
    """Return our table 2, with intervals over the pictures and the paper's values beside it."""
    ordered = sorted(rows, key=lambda row: row.measured.srocc.value)
    bars = [
        Bar(
            "measured",
            f"{row.indicator} ({DIMENSION_TITLES[row.dimension].lower()})",
            row.measured.srocc.value,
            (row.measured.srocc.low, row.measured.srocc.high),
        )
        for row in ordered
    ]
    drawing: Any = bars_figure("Rank correlation with human scores", bars, "SRoCC")
    printed = [row for row in ordered if row.published_srocc is not None]
    drawing.add_trace(
        {
            "type": "scatter",
            "mode": "markers",
            "name": "paper, its own pictures",
            "x": [row.published_srocc for row in printed],
            "y": [ordered.index(row) for row in printed],
            "marker": {"color": GREY, "size": 9, "symbol": "diamond-open"},
            "hovertemplate": "paper: %{x:.3f}<extra></extra>",
        }
    )
    return with_grid(drawing)


def complexity_figure() -> "Figure":
    """Return table 6: seconds for a picture of 1024 x 1024."""
    lines = sorted(read_table("complexity_seconds"), key=lambda line: -float(line["seconds"]))
    bars = [
        Bar(line["stage"], f"{line['system']} ({line['stage']})", float(line["seconds"]))
        for line in lines
    ]
    return seconds_figure("Seconds for a picture of 1024 x 1024", bars)


def seconds_figure(title: str, bars: Sequence["Bar"]) -> "Figure":
    """Return bars over a logarithmic axis of seconds, the slowest at the bottom."""
    drawing: Any = bars_figure(title, sorted(bars, key=lambda bar: -bar.value), "seconds")
    drawing.update_xaxes(**log_axis([bar.value for bar in bars], "seconds"))
    return with_grid(drawing)


LONGEST_LABEL = 34


class Bar(NamedTuple):
    """One bar."""

    group: str
    """Bars of one colour."""
    name: str
    value: float
    interval: tuple[float, float] | None = None


def bars_figure(title: str, bars: Sequence[Bar], axis: str) -> "Figure":
    """Return horizontal bars in the order given, the first at the bottom."""
    from plotly.graph_objects import Figure

    drawing: Any = Figure()
    # Places and not names stand on the axis: two names may be cut to the same.
    places = {id(bar): place for place, bar in enumerate(bars)}
    # By name, so that a group has one colour in every figure of its kind.
    for number, group in enumerate(sorted({bar.group for bar in bars})):
        chosen = [bar for bar in bars if bar.group == group]
        drawing.add_trace(
            {
                "type": "bar",
                "orientation": "h",
                "name": group,
                "x": [bar.value for bar in chosen],
                "y": [places[id(bar)] for bar in chosen],
                "error_x": {
                    "array": [b.interval[1] - b.value if b.interval else 0 for b in chosen],
                    "arrayminus": [b.value - b.interval[0] if b.interval else 0 for b in chosen],
                    "thickness": 1.5,
                    "color": COLOURS[1],
                    "visible": any(b.interval for b in chosen),
                },
                "marker": {"color": COLOURS[number % len(COLOURS)]},
                "hovertext": [f"{safe(bar.name)}: {bar.value:.4g}" for bar in chosen],
                "hoverinfo": "text",
                "textposition": "none",
                # Plotly's own width follows from the gaps within one group.
                "width": 0.72,
            }
        )
    drawing.update_layout(**layout(title, height=120 + 24 * max(6, len(bars))))
    drawing.update_layout(margin={"l": 230}, barmode="overlay")
    drawing.update_yaxes(
        tickvals=list(places.values()), ticktext=[short(bar.name, LONGEST_LABEL) for bar in bars]
    )
    drawing.update_xaxes(title_text=axis)
    return with_grid(drawing)


QUALITY_COLUMNS = ("topiq_fr", "topiq_nr", "clipsim", "clipiqa", "lpips", "liqe", "ssim", "fid")


def quality_figure() -> "Figure":
    """Return table A1: the VVC picture alone and what is painted from it, at four QPs."""
    from plotly.subplots import make_subplots

    lines = read_table("reference_quality")
    drawing: Any = make_subplots(rows=2, cols=4, subplot_titles=QUALITY_COLUMNS)
    for number, column in enumerate(QUALITY_COLUMNS):
        for kind, colour in (("VVC", GREY), ("CMC", COLOURS[0])):
            chosen = [line for line in lines if line["image"] == kind]
            drawing.add_trace(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": "VVC alone" if kind == "VVC" else "painted from it",
                    "legendgroup": kind,
                    "showlegend": number == 0,
                    "x": [int(line["vvc_qp"]) for line in chosen],
                    "y": [float(line[column]) for line in chosen],
                    "line": {"color": colour},
                },
                row=1 + number // 4,
                col=1 + number % 4,
            )
    # From coarse to fine, as the table is printed and as one's own ablation is drawn.
    tested = [int(qp) for qp in dict.fromkeys(line["vvc_qp"] for line in lines)]
    drawing.update_xaxes(title_text="QP", tickvals=tested, autorange="reversed")
    drawing.update_layout(**layout("Quality over the QP of the sent picture", height=560))
    return with_grid(drawing)


def prompt_figure() -> "Figure":
    """Return table 1 of the GPT-4o paper: a structured prompt beside a plain one, text mode."""
    from plotly.subplots import make_subplots

    lines = read_table("raster_scan_prompt")
    columns = ("clipsim", "dists", "clipiqa", "musiq")
    drawing: Any = make_subplots(rows=1, cols=4, subplot_titles=columns)
    for number, column in enumerate(columns):
        for place, method in enumerate(dict.fromkeys(line["method"] for line in lines)):
            chosen = [line for line in lines if line["method"] == method]
            drawing.add_trace(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": method,
                    "legendgroup": method,
                    "showlegend": number == 0,
                    "x": [float(line["bpp"]) for line in chosen],
                    "y": [float(line[column]) for line in chosen],
                    "line": {"color": COLOURS[place % len(COLOURS)]},
                },
                row=1,
                col=1 + number,
            )
    drawing.update_xaxes(title_text="bits per pixel")
    drawing.update_layout(**layout("Caption length and the form of the prompt", height=420))
    return with_grid(drawing)
