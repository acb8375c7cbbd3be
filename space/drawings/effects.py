"""What encoders and decoders add to the Overall of a pair, each with its interval."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from protocol.statistics.additive import Additive
from protocol.statistics.bootstrap import Estimate
from space.drawings.style import COLOURS, GREY, layout, safe, short, with_grid

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def effects_figure(fitted: Additive) -> "Figure":
    """Return the figure: encoders at the left, decoders at the right, the best on top."""
    from plotly.subplots import make_subplots

    titles = ("encoders (I2T)", "decoders (T2I)")
    drawing: Any = make_subplots(cols=2, subplot_titles=titles, horizontal_spacing=0.22)
    for column, effects in enumerate((fitted.encoders, fitted.decoders), start=1):
        drawing.add_trace(_dots(effects, COLOURS[column - 1]), row=1, col=column)
        ordered = _ordered(effects)
        drawing.update_yaxes(
            tickvals=list(range(len(ordered))),
            ticktext=[short(name) for name, _ in ordered],
            range=[-0.6, len(ordered) - 0.4],
            row=1,
            col=column,
        )
        drawing.add_vline(x=0, line={"color": GREY, "width": 1}, row=1, col=column)
    longest = max(len(fitted.encoders), len(fitted.decoders))
    # One scale for both: how much more the decoder matters is to be seen.
    drawing.update_xaxes(title_text="effect on the Overall", matches="x")
    drawing.update_layout(
        **layout("What encoder and decoder add", height=max(320, 150 + 30 * longest))
    )
    drawing.update_layout(margin={"l": 210})
    return with_grid(drawing)


def _ordered(effects: Mapping[str, Estimate]) -> list[tuple[str, Estimate]]:
    """Return the smallest first: plotly draws the first at the bottom."""
    return sorted(effects.items(), key=lambda item: item[1].value)


def _dots(effects: Mapping[str, Estimate], colour: str) -> dict[str, Any]:
    ordered = _ordered(effects)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [effect.value for _, effect in ordered],
        # Places and not names stand on the axis: two names may be cut to the same.
        "y": list(range(len(ordered))),
        "error_x": {
            "array": [effect.high - effect.value for _, effect in ordered],
            "arrayminus": [effect.value - effect.low for _, effect in ordered],
            "thickness": 1.5,
        },
        "marker": {"color": colour, "size": 9},
        "hovertext": [
            f"<b>{safe(name)}</b><br>{effect.value:+.4f}, 95 % interval "
            f"{effect.low:+.4f} to {effect.high:+.4f}"
            for name, effect in ordered
        ],
        "hoverinfo": "text",
        "showlegend": False,
    }
