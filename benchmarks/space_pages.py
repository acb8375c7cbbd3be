"""The pages that `benchmarks/space.py` measures, each in a process of its own.

python benchmarks/space_pages.py {ours,dataframe} ROWS PORT
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from list_source import ListSource

T = TypeVar("T")
KEPT: list[object] = []

STARTED = time.perf_counter()
ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "space")]


def main() -> None:
    """Serve, print a line of JSON with where the start went, and wait to be killed."""
    kind, rows, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    phases = {"interpreter and this script": time.perf_counter() - STARTED}
    {"ours": serve_ours, "dataframe": serve_dataframe}[kind](rows, port, phases)
    print(json.dumps(phases), flush=True)
    while True:
        time.sleep(3600)


def serve_ours(rows: int, port: int, phases: dict[str, float]) -> None:
    """Serve the Space's own page; gradio comes after it has begun to answer."""
    source = timed(phases, "make the rows (no part of a start)", lambda: make_source(rows))
    timed(phases, "import the Space", import_space)
    from space.server import build_server, listening
    from space.shop import Shop

    shop = timed(phases, "read results", lambda: Shop(source))
    app = timed(phases, "import starlette, build routes", lambda: build_server(shop))
    serving = listening(app, "127.0.0.1", port)
    timed(phases, "import uvicorn, listen", serving.__enter__)
    # Dropped, it would end the server.
    KEPT.append(serving)


def serve_dataframe(rows: int, port: int, phases: dict[str, float]) -> None:
    """Serve the same cells in gradio's own table."""
    values, titles = timed(phases, "make the rows (no part of a start)", lambda: make_cells(rows))
    timed(phases, "import gradio", import_gradio)
    import gradio as gr

    with gr.Blocks(analytics_enabled=False) as page:
        gr.Dataframe(
            values, headers=titles, interactive=False, show_search="search", max_height=700
        )
    timed(
        phases,
        "launch",
        lambda: page.launch(
            server_name="127.0.0.1",
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
        ),
    )


def make_source(rows: int) -> "ListSource":
    """Return a source with that many T2I results."""
    from list_source import ListSource
    from make_results import make_result

    return ListSource(
        [
            make_result(f"owner-{i % 97}/model-{i:05d}", consistency=(i * 7919 % 10_007) / 10_007)
            for i in range(rows)
        ]
    )


def make_cells(rows: int) -> tuple[list[list[object]], list[str]]:
    """Return the cells and titles of the columns that our page shows unasked."""
    from protocol.rules import Track
    from space.rows import Rows
    from space.table import board, cells

    table = board(Track.T2I_ULB, "all", Rows(make_source(rows).results())).tables[0]
    columns = [column for column in table.columns if column.shown]
    by_column = cells(table)
    lines = zip(*(by_column[column.key] for column in columns), strict=True)
    titles = [f"{column.group} {column.title}".strip() for column in columns]
    return [list(line) for line in lines], titles


def import_gradio() -> None:
    """Import the library that takes longest."""
    import gradio  # noqa: F401


def import_space() -> None:
    """Import what the page is built from."""
    import space.server
    import space.shop  # noqa: F401


def timed(phases: dict[str, float], name: str, do: Callable[[], T]) -> T:
    """Call `do` and keep the seconds under `name`."""
    started = time.perf_counter()
    made = do()
    phases[name] = time.perf_counter() - started
    return made


if __name__ == "__main__":
    main()
