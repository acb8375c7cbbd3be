"""The server: hands out the site's files, answers the API, reads new results."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import InputError
from space.plain import plain_json
from space.shop import Shop
from space.site import media_type
from space.sources import open_source

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import Request, Response

REFRESH_SECONDS = 20.0


def serve(
    store: str,
    host: str = "127.0.0.1",
    port: int = 7860,
    announce: Callable[[str], object] | None = None,
) -> None:
    """Show the page until the process is interrupted.

    Args:
        store: a folder or `hub:ORG/NAME`; empty shows the published rows alone.
        host: address to listen on.
        port: port to listen on.
        announce: called with the page's address once it can be opened.

    Raises:
        InputError: the port is in use.
        CMCError: the store cannot be read, and no snapshot was kept.
    """
    refuse_busy_port(host, port)
    shop = Shop(open_source(store), _kept_file())
    server = build_server(shop)
    address = launch(server, host, port)
    shop.keeper.start(REFRESH_SECONDS)
    if announce is not None:
        announce(address)
    # An interrupt is how a server is meant to end.
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    shop.keeper.stop()


def build_server(shop: Shop) -> "gr.Server":
    """Return the server with all its routes, not yet listening."""
    import gradio as gr
    from fastapi import Request, Response

    from space.api import add_api
    from space.badge import badge
    from space.intake_routes import add_intake

    server = gr.Server(title="CMC-Bench", docs_url=None, redoc_url=None)

    @server.get("/", include_in_schema=False)
    def index(request: Request) -> Response:
        return _answer(shop, "index.html", request)

    @server.get("/data/status.json")
    def status() -> Response:
        return Response(
            plain_json(shop.status()),
            media_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    @server.get("/badge/{name:path}.svg")
    def badge_of(name: str) -> Response:
        drawn = badge(name, shop.rows)
        status_code = 200 if drawn else 404
        return Response(drawn or b"", media_type="image/svg+xml", status_code=status_code)

    @server.get("/page/{path:path}", include_in_schema=False)
    def page_file(path: str, request: Request) -> Response:
        return _answer(shop, f"page/{path}", request)

    @server.get("/data/{path:path}")
    def data_file(path: str, request: Request) -> Response:
        return _answer(shop, f"data/{path}", request)

    add_api(server, shop)
    add_intake(server, shop)
    return server


def _answer(shop: Shop, path: str, request: "Request") -> "Response":
    from fastapi import Response

    found = shop.find(path)
    if found is None:
        return Response("no such file", status_code=404, media_type="text/plain")
    content, small, mark = found
    # A browser may keep everything, and asks each time whether it is still the newest.
    headers = {"Cache-Control": "no-cache", "ETag": mark, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == mark:
        return Response(status_code=304, headers=headers)
    headers["X-Content-Type-Options"] = "nosniff"
    if small is not content and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        content = small
    return Response(content, media_type=media_type(path), headers=headers)


def launch(server: "gr.Server", host: str, port: int) -> str:
    """Serve from a thread and return the address."""
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    _, address, _ = server.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        run_history=False,
        share=False,
        quiet=True,
        ssr_mode=False,
        _frontend=False,
        mcp_server=_has_mcp(),
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


def _has_mcp() -> bool:
    from importlib.util import find_spec

    return find_spec("mcp") is not None


def _kept_file() -> Path | None:
    """Return where the last good snapshot lies between two starts; None keeps none."""
    folder = os.environ.get("CMC_SNAPSHOT")
    return Path(folder) / "snapshot.json" if folder else None
