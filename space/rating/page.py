"""The rating page: one component whose script asks the desk."""

import contextlib
import logging
import threading
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.errors import CMCError
from protocol.rating_log import RatingLog
from protocol.ratings import SCALE_HIGH, WORDS
from space.rating.desk import Desk, Told
from space.rating.study import find_pairs
from space.server import refuse_busy_port

if TYPE_CHECKING:
    import gradio as gr

_LOG = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"


def consent_text() -> str:
    """Return what a viewer agrees to."""
    return (STATIC / "consent.md").read_text(encoding="utf-8")


def serve(
    distorted: Path,
    references: Path,
    ratings: Path,
    *,
    host: str,
    port: int,
    announce: Callable[[str], object],
) -> None:
    """Show the page until the process is interrupted.

    Args:
        distorted: pictures to rate, in folders of any depth.
        references: their ground truth.
        ratings: the folder that keeps the ratings.
        host: address to listen on.
        port: port to listen on.
        announce: called with the page's address once it can be opened.

    Raises:
        InputError: the port is in use, or there is nothing to rate.
    """
    import gradio as gr
    from starlette.middleware import Middleware

    from space.bounds import Bounded

    # Gradio takes 0 for a port of its own choice and then asks itself on port 0.
    port = refuse_busy_port(host, port)
    desk = Desk(RatingLog(ratings), find_pairs(distorted, references), consent_text())
    page = build_page(desk)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        theme=gr.themes.Base(font="sans-serif", font_mono="monospace"),
        css=".gradio-container { max-width: none !important; padding: 8px 0 !important; } "
        ".gradio-container .main { padding: 0 4px !important; }",
        footer_links=[],
        app_kwargs={"middleware": [Middleware(Bounded)]},
        prevent_thread_lock=True,
        run_history=False,
        share=False,
        quiet=True,
        ssr_mode=False,
    )
    announce(str(address))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    page.close(verbose=False)


def build_page(desk: Desk) -> "gr.Blocks":
    """Return the page, not yet served."""
    import gradio as gr

    # Gradio sends the one argument of the browser's call.
    def enter(entry: Any) -> Told:
        return answer(lambda: desk.enter(str(entry["name"]), agrees=bool(entry["agrees"])))

    def show(entry: Any) -> Told:
        return answer(lambda: desk.show(str(entry["viewer"])))

    def save(entry: Any) -> Told:
        return answer(lambda: desk.save(**_typed(entry)))

    paragraphs = [f"<p>{escape(part)}</p>" for part in consent_text().strip().split("\n\n")]
    page: gr.Blocks
    with gr.Blocks(title="Rate pictures", analytics_enabled=False) as page:
        gr.HTML(
            {"consent": "".join(paragraphs), "words": list(WORDS), "high": SCALE_HIGH},
            html_template=(STATIC / "rate.html").read_text(encoding="utf-8"),
            css_template=(STATIC / "rate.css").read_text(encoding="utf-8"),
            js_on_load=(STATIC / "rate.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            server_functions=[enter, show, save],
            elem_id="rating",
        )
    return page


def _typed(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "viewer": str(entry["viewer"]),
        "picture": str(entry["picture"]),
        "dimension": str(entry["dimension"]),
        "rating": float(entry["rating"]),
    }


def answer(ask: Callable[[], Told]) -> Told:
    """Return the desk's answer, or the sentence that says why there is none.

    A path would tell the viewer which system made a picture; the server's own output has it.
    """
    try:
        return ask()
    except CMCError as error:
        return {"problem": str(error)}
    except OSError as error:
        _LOG.error("%s", error)
        why = error.strerror or "no further reason"
        return {"problem": f"a file of the study cannot be used ({why}); tell whoever invited you"}
