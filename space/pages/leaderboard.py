"""The tabs with tables and figures, one for each track."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from protocol.jsonable import to_plain
from protocol.records import Result
from protocol.rules import Track
from space.figures import figure
from space.table import CONTENTS, benches, board, rows_by_bench
from space.words import TRACK_WORDS

if TYPE_CHECKING:
    import gradio as gr
    from plotly.graph_objects import Figure

STATIC = Path(__file__).parent.parent / "static"

TRACKS_SHOWN = (Track.T2I_ULB, Track.T2I_ELB, Track.I2T, Track.CODEC)

ReadResults: TypeAlias = Callable[[], Sequence[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackTab:
    """The components of one tab that change when results do."""

    track: Track
    tab: "gr.Tab"
    board: "gr.HTML"
    figure: "gr.Plot"

    @property
    def components(self) -> list[Any]:
        """The components, in the order of `track_values`."""
        return [self.tab, self.board, self.figure]


def track_values(track: Track, results: Sequence[Result]) -> list[Any]:
    """Return what a tab's components show: whether it is there, its table, its figure."""
    import gradio as gr

    is_shown = bool(benches(track, results))
    return [
        gr.update(visible=is_shown),
        to_plain(board(track, results)),
        chosen_figure(track, results, "", ""),
    ]


def chosen_figure(
    track: Track, results: Sequence[Result], bench: str, content: str
) -> "Figure | None":
    """Return the figure for a browser's choice; an unknown one gives what the table shows first."""
    known = benches(track, results)
    if not known:
        return None
    chosen = next((one for one in known if one.label == bench), known[0])
    shown = CONTENTS.get(content)
    rows = rows_by_bench(track, shown, results).get(chosen, [])
    codecs = rows_by_bench(Track.CODEC, shown, results).get(chosen, [])
    return figure(track, rows, codecs)


def add_track(track: Track, read: ReadResults) -> TrackTab:
    """Add a track's tab to the tabs being built."""
    import gradio as gr

    results = read()
    words = TRACK_WORDS[track]
    with gr.Tab(words.tab, id=track.value, visible=bool(benches(track, results))) as tab:
        table = gr.HTML(
            to_plain(board(track, results)),
            html_template=_static("board.html"),
            css_template=_static("board.css"),
            js_on_load=_static("board.js"),
            apply_default_css=False,
            elem_id=f"board-{track.value}",
        )
        plot = gr.Plot(
            chosen_figure(track, results, "", ""),
            show_label=False,
            container=False,
            elem_classes="board-figure",
            elem_id=f"figure-{track.value}",
        )

    # Gradio evaluates these hints when the page is built, so they name nothing from type checking.
    def redraw(event: gr.EventData) -> Any:
        return chosen_figure(track, read(), str(event.bench), str(event.content))

    table.select(redraw, None, plot, api_visibility="private", show_progress="hidden", queue=False)
    return TrackTab(track=track, tab=tab, board=table, figure=plot)


def _static(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
