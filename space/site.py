"""The page as a whole, and the server that shows it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.errors import InputError
from protocol.records import Result
from space.pages.about import add_about
from space.pages.leaderboard import STATIC, TRACKS_SHOWN, ReadResults, add_track, track_values

if TYPE_CHECKING:
    import gradio as gr

TEXTS = Path(__file__).parent / "texts"


def serve(
    store_folder: Path | None,
    host: str = "127.0.0.1",
    port: int = 7860,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Show the page until the process is interrupted.

    Args:
        store_folder: a store of results; without one, only published rows are shown.
        host: address to listen on.
        port: port to listen on.
        announce: called with the page's address once it can be opened.

    Raises:
        InputError: the port is in use.
        RecordError: a result in the store cannot be read.
    """
    refuse_busy_port(host, port)
    page = build_page(results_reader(store_folder))
    address = launch(page, host, port)
    if announce is not None:
        announce(address)
    # An interrupt is how a server is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    page.close(verbose=False)


def results_reader(store_folder: Path | None) -> ReadResults:
    """Return a function that reads a store's results anew each time it is called."""
    if store_folder is None:
        return list
    from submission.store import FolderStore

    return FolderStore(store_folder).results


def build_page(read: ReadResults, title: str = "CMC-Bench") -> "gr.Blocks":
    """Return the page, not yet served; `read` is called again whenever a browser loads it."""
    import gradio as gr

    page: gr.Blocks
    with gr.Blocks(title=title, analytics_enabled=False) as page:
        gr.Markdown((TEXTS / "head.md").read_text(encoding="utf-8"), elem_classes="page-head")
        with gr.Tabs():
            tabs = [add_track(track, read) for track in TRACKS_SHOWN]
            add_about()

        def refresh() -> list[Any]:
            results: Sequence[Result] = read()
            return [value for tab in tabs for value in track_values(tab.track, results)]

        page.load(
            refresh,
            None,
            [component for tab in tabs for component in tab.components],
            api_visibility="private",
            show_progress="hidden",
            queue=False,
        )
    return page


def launch(page: "gr.Blocks", host: str, port: int) -> str:
    """Serve a page from a thread and return its address."""
    import gradio as gr

    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        theme=gr.themes.Base(
            primary_hue="blue", neutral_hue="slate", font="sans-serif", font_mono="monospace"
        ),
        css=(STATIC / "page.css").read_text(encoding="utf-8"),
        footer_links=[],
        prevent_thread_lock=True,
        run_history=False,
        share=False,
        quiet=True,
        ssr_mode=False,
    )
    return str(address)


def refuse_busy_port(host: str, port: int) -> None:
    """Raise when something listens on a port.

    Raises:
        InputError: it is in use, or may not be used.
    """
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        raise InputError(
            f"port {port} is in use; stop what listens on {host}:{port} or choose another port "
            f"({error.strerror})"
        ) from error
