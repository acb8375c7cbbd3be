"""The paper's tables that are no board: correlation, complexity, quality over QP, prompts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.published import read_table
from space.drawings.style import COLOURS, GREY, layout, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Lines = Sequence[dict[str, str]]


def correlation_figure() -> "Figure":
    """Return table 2: how each indicator, once trained, ranks pictures as people do."""
    lines = sorted(read_table("indicator_correlation"), key=lambda line: float(line["srocc"]))
    drawing = _bars("Rank correlation with human scores")
    for number, dimension in enumerate(dict.fromkeys(line["dimension"] for line in lines)):
        chosen = [line for line in lines if line["dimension"] == dimension]
        drawing.add_trace(
            {
                "type": "bar",
                "orientation": "h",
                "name": dimension,
                "x": [float(line["srocc"]) for line in chosen],
                "y": [f"{line['metric']} ({dimension})" for line in chosen],
                "marker": {"color": COLOURS[number]},
                "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
            }
        )
    drawing.update_xaxes(title_text="SRoCC", range=[0, 1])
    drawing.update_layout(height=120 + 24 * len(lines))
    return with_grid(drawing)


def complexity_figure() -> "Figure":
    """Return table 6: seconds for a picture of 1024 x 1024 on one GPU."""
    lines = sorted(read_table("complexity_seconds"), key=lambda line: -float(line["seconds"]))
    drawing = _bars("Seconds for a picture of 1024 x 1024")
    for number, stage in enumerate(dict.fromkeys(line["stage"] for line in lines)):
        chosen = [line for line in lines if line["stage"] == stage]
        drawing.add_trace(
            {
                "type": "bar",
                "orientation": "h",
                "name": stage,
                "x": [float(line["seconds"]) for line in chosen],
                "y": [f"{line['system']} ({stage})" for line in chosen],
                "marker": {"color": COLOURS[number % len(COLOURS)]},
                "hovertemplate": "%{y}: %{x} s<extra></extra>",
            }
        )
    drawing.update_xaxes(title_text="seconds", type="log")
    drawing.update_layout(height=120 + 24 * len(lines))
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
    drawing.update_xaxes(title_text="QP", dtick=3)
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


def _bars(title: str) -> Any:
    from plotly.graph_objects import Figure

    drawing: Any = Figure()
    drawing.update_layout(**layout(title, height=400))
    drawing.update_layout(margin={"l": 190}, barmode="overlay")
    return drawing
