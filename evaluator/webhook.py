"""The Hub's word that a store has changed: a webhook that ends a worker's pause.

Polling stays underneath: a call that is lost delays a request by one pause, and no more.
"""

import contextlib
import hmac
import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from protocol.errors import InputError

MAX_BYTES = 1 << 20
"""Of a call; the Hub's are a few kilobytes."""
LONGEST_CALL = 30.0
"""Seconds from a call's first byte to its answer; one that trickles holds a thread no longer."""
MIN_SECRET = 16


class Webhook:
    """A place that the Hub calls, and that a worker waits at."""

    def __init__(self, secret: str, repo_id: str) -> None:
        """Wait for word about one dataset.

        Args:
            secret: what the Hub sends along, as it was given when the webhook was made.
            repo_id: of the dataset with the requests.

        Raises:
            InputError: the secret is so short that it can be guessed, or no header can hold it.
        """
        if len(secret) < MIN_SECRET:
            raise InputError(
                f"the webhook's secret has {len(secret)} characters; wanted {MIN_SECRET} or more"
            )
        if not (secret.isascii() and secret.isprintable() and secret == secret.strip()):
            raise InputError(
                "the webhook's secret would not arrive as it is: wanted letters, digits and signs "
                "of ASCII, and no space or line's end before or behind them"
            )
        self._secret, self._repo_id = secret, repo_id
        self._called = threading.Event()

    def wait(self, seconds: float) -> None:
        """Return when the Hub has called since the last time, or when the time is over."""
        self._called.wait(seconds)
        # Before the worker looks, so that a call during its look is not forgotten.
        self._called.clear()

    def receive(self, secret: str, body: bytes) -> int:
        """Take a call and return the HTTP status that answers it.

        Args:
            secret: the header `X-Webhook-Secret`.
            body: the payload, version 3: `event`, `repo`, `updatedRefs`.
        """
        # In constant time: how long a comparison takes must not tell how much of it was right.
        if not hmac.compare_digest(secret.encode(), self._secret.encode()):
            return 403
        try:
            payload: dict[str, Any] = json.loads(body)
            repo = payload["repo"]
            about = (repo["type"], repo["name"], payload["event"]["scope"].split(".")[0])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return 400
        if about == ("dataset", self._repo_id, "repo"):
            self._called.set()
        return 200


@contextlib.contextmanager
def serving(webhook: Webhook, host: str, port: int) -> Iterator[int]:
    """Answer calls while the block lasts; yields the port, which is a free one for 0.

    Raises:
        InputError: nobody can listen there.
    """
    try:
        door = _Door((host, port), _handler(webhook))
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}:{port} for the Hub's calls: {error.strerror}; "
            "name a free address of this machine: --webhook [HOST:]PORT"
        ) from error
    with door as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Door(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller that hung up, and of anything else what Python says."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # A caller that sends nothing is let go.
        timeout = 10.0

        def handle(self) -> None:
            hanging_up = threading.Timer(LONGEST_CALL, self._hang_up)
            hanging_up.daemon = True
            hanging_up.start()
            try:
                super().handle()
            finally:
                hanging_up.cancel()

        def _hang_up(self) -> None:
            # It may have hung up itself.
            with contextlib.suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            # Python refuses to read a number of thousands of digits.
            is_short = length.isdecimal() and len(length) <= len(str(MAX_BYTES))
            if not is_short or int(length) > MAX_BYTES:
                status = 413
            else:
                secret = self.headers.get("X-Webhook-Secret", "")
                status = webhook.receive(secret, self.rfile.read(int(length)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing: the worker's lines are about its work."""

    return Handler
