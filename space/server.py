"""The server: hands out the site's files at once, and lets programs and submitters in with gradio.

Gradio takes seconds to import and the page does not need it, so it is imported behind the page's
back.
"""

import contextlib
import errno
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import InputError
from space.shop import Shop
from space.sources import open_source

if TYPE_CHECKING:
    from starlette.applications import Starlette

REFRESH_SECONDS = 20.0
IDLE_SECONDS = 75
"""A connection on which nothing is asked is closed after it: later than a proxy in front of the
page gives it up (nginx: 60), as what is asked while it is being closed is answered with a reset."""


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
        InputError: the port is in use, or may not be listened on.
        OSError: the server did not start.
    """
    refuse_busy_port(host, port)
    shop = Shop(open_source(store), _kept_file(store))
    with listening(build_server(shop), host, port) as address:
        shop.keeper.start(REFRESH_SECONDS)
        if announce is not None:
            announce(address)
        # An interrupt is how a server is meant to end.
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
        shop.keeper.stop()


def build_server(shop: Shop) -> "Starlette":
    """Return the app with all its routes, not yet listening."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Mount

    from space.api_app import build_api
    from space.bounds import Bounded
    from space.late import LateApp
    from space.page_routes import page_routes

    late = LateApp(lambda: build_api(shop))
    return Starlette(
        routes=[*page_routes(shop), Mount("/", late)],
        middleware=[Middleware(Bounded)],
        lifespan=lambda _: late.running(),
    )


@contextlib.contextmanager
def listening(app: "Starlette", host: str, port: int) -> Iterator[str]:
    """Serve from a thread while the block lasts; yield the address.

    Raises:
        InputError: the port is in use, or may not be listened on.
        OSError: the server did not start.
    """
    import uvicorn

    door = _listen(host, port)
    server = uvicorn.Server(
        # Its own logging configuration would close every handler that the process has.
        uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            lifespan="on",
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=2,
        )
    )
    thread = threading.Thread(target=server.run, args=([door],), name="server", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise OSError(f"the server on {host}:{port} ended before it began; see above")
        time.sleep(0.005)
    try:
        shown = "localhost" if host == "0.0.0.0" else host  # noqa: S104
        shown = f"[{shown}]" if ":" in shown else shown
        yield f"http://{shown}:{door.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()
        door.close()


def refuse_busy_port(host: str, port: int) -> int:
    """Return a port that can be listened on: the one given, or a free one for 0.

    Raises:
        InputError: it is in use, or may not be listened on.
    """
    with _listen(host, port) as door:
        return int(door.getsockname()[1])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"port {port} is in use; stop what listens on {host}:{port} or choose another port"
            ) from error
        raise InputError(
            f"cannot listen on {host}:{port}: {str(error.strerror).partition(' (')[0]}; wanted an "
            "address of this machine, as 127.0.0.1 or 0.0.0.0, and a port that this user may open"
        ) from error


def _kept_file(store: str) -> Path | None:
    """Return where the last good snapshot lies between two starts; None keeps none."""
    folder = os.environ.get("CMC_SNAPSHOT")
    # Of this store: another one's rows would be shown until it answers.
    mark = hashlib.sha256(store.encode()).hexdigest()[:12]
    return Path(folder) / f"snapshot-{mark}.json" if folder else None
