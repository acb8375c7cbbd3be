"""A Hub on 127.0.0.1 that the real clients speak to: huggingface_hub, datasets, git-less.

In a test it is the fixture `hub`. For a benchmark it is a process:

    python tests/loopback_hub.py --port 8800 --server-error 0.05 --conflict 0.05 --timeout 0.02

which prints its endpoint and token as JSON; `GET /_test/calls` there tells what was asked.
"""

import argparse
import contextlib
import json
import os
import socket
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import hub_files
import hub_info
import hub_jobs
import hub_talk
from hub_accounts import ANONYMOUS
from hub_faults import Call, Fault, Rates
from hub_http import Answer, Ask, Route, answer, route
from hub_repos import Refusal
from hub_state import OWNER_TOKEN, HubState

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MOCK_OAUTH_TOKEN = "mock-oauth-token-for-local-dev"
"""The constant that gradio's mocked login hands out."""


def _calls(hub: HubState, ask: Ask) -> Answer:
    del ask
    return answer({"counts": hub.calls.counts(), "calls": [c._asdict() for c in hub.calls()]})


# The first that fits counts; `hub_talk` ends with the widest patterns.
ROUTES: tuple[Route, ...] = (
    route("GET", "/_test/calls", "", _calls),
    *hub_files.ROUTES,
    *hub_info.ROUTES,
    *hub_jobs.ROUTES,
    *hub_talk.ROUTES,
)


class LoopbackHub(HubState):
    """A Hub that serves from a thread while the `with` block lasts."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Keep LFS objects in `folder`, all else in memory."""
        super().__init__(folder)
        self.add_account(MOCK_OAUTH_TOKEN, "tester")
        self.token = OWNER_TOKEN
        self._server = _Server(("127.0.0.1", port), _Handler, self)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.cut_lines()
        self._server.server_close()

    def api(self, token: str | None = None) -> "HfApi":
        """Return the real client, signed in as the owner or with another token."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self.endpoint, token=token or self.token)

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """Return the environment for a process whose Hub this is, with a cache of its own."""
        return {
            **os.environ,
            "HF_ENDPOINT": self.endpoint,
            "HF_TOKEN": token or self.token,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type["_Handler"], hub: HubState) -> None:
        self.hub = hub
        self._lines: set[socket.socket] = set()
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        line, address = super().get_request()
        self._lines.add(line)
        return line, address

    def shutdown_request(self, request: Any) -> None:
        self._lines.discard(request)
        super().shutdown_request(request)

    def cut_lines(self) -> None:
        """Let the threads that wait for a client's next question end."""
        for line in list(self._lines):
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing about clients that hang up: tests kill them."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An answer in one piece: with the default, header and body are two small packets, and the
    # second waits 40 ms for the client to acknowledge the first.
    wbufsize = -1
    server: _Server
    raw_requestline: bytes

    def do(self) -> None:
        hub, url = self.server.hub, urlsplit(self.path)
        time.sleep(hub.latency_seconds)
        found, parts = _find_route(self.command, url.path)
        ask = self._ask(url.path, parse_qs(url.query, keep_blank_values=True), parts)
        fault = hub.faults.draw(found.operation) if found and found.operation else None
        reply = _answer(hub, found, ask, fault)
        if found is None or found.operation:
            hub.calls.add(
                Call(
                    self.command,
                    found.operation if found else "",
                    ask.repo_id,
                    unquote(url.path),
                    ask.account.user,
                    reply.status if reply else 0,
                    fault.name if fault else "",
                    len(ask.body),
                    _length(reply) if reply and self.command != "HEAD" else 0,
                    len(self.raw_requestline) + len(self.headers.as_bytes()),
                )
            )
        if reply is None:
            time.sleep(hub.hang_seconds)
            self.close_connection = True
        else:
            self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Say nothing: the log is `hub.calls`."""

    def _ask(self, path: str, query: dict[str, list[str]], parts: dict[str, str]) -> Ask:
        headers = {name.lower(): value for name, value in self.headers.items()}
        token = headers.get("authorization", "").removeprefix("Bearer ")
        return Ask(
            method=self.command,
            path=path,
            query=query,
            headers=headers,
            body=self._body(headers),
            account=self.server.hub.accounts.get(token, ANONYMOUS),
            endpoint=f"http://{headers.get('host', '')}",
            parts=parts,
        )

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        parts = []
        while length := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, reply: Answer) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(_length(reply)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.file is None:
            self.wfile.write(reply.body)
            return
        with reply.file.open("rb") as file:
            file.seek(reply.start)
            left = reply.length
            while left > 0:
                part = file.read(min(left, 1 << 20))
                self.wfile.write(part)
                left -= len(part)


def _length(reply: Answer) -> int:
    return reply.length if reply.file else len(reply.body)


def _find_route(method: str, path: str) -> tuple[Route | None, dict[str, str]]:
    for candidate in ROUTES:
        found = candidate.pattern.fullmatch(path) if candidate.method == method else None
        if found is not None:
            return candidate, {key: value or "" for key, value in found.groupdict().items()}
    return None, {}


def _answer(hub: HubState, found: Route | None, ask: Ask, fault: Fault | None) -> Answer | None:
    """Return what is sent, or None where the line is to be cut."""
    if found is None:
        return _refused(Refusal(404, f"the loopback Hub has no {ask.method} {ask.path}"))
    if fault is None or fault.after:
        try:
            reply = found.handler(hub, ask)
        except Refusal as refusal:
            return _refused(refusal)
        except (ValueError, KeyError, TypeError) as error:
            return _refused(Refusal(400, f"{type(error).__name__}: {error}"))
        if found.operation == "commit":
            time.sleep(hub.commit_latency_seconds)
        if fault is None:
            return reply
    if fault.status == 0:
        return None
    messages = {409: "Another commit operation is in progress", 412: "A commit has happened since."}
    return _refused(Refusal(fault.status, messages.get(fault.status, f"injected {fault.name}")))


def _refused(refusal: Refusal) -> Answer:
    headers = {"X-Error-Message": refusal.message.replace("\n", " ")}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    return answer({"error": refusal.message, **refusal.more}, refusal.status, headers)


def main() -> int:
    """Serve until the process ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="of LFS objects (default: a temporary one)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every call")
    parser.add_argument("--hang", type=float, default=2.0, help="seconds before a line is cut")
    for share in ("server-error", "conflict", "too-many", "timeout"):
        parser.add_argument(f"--{share}", type=float, default=0.0, help="share of the calls")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hub = LoopbackHub(options.folder or Path(folder), options.port)
        hub.latency_seconds, hub.hang_seconds = options.latency, options.hang
        rates = Rates(
            server_error=options.server_error,
            conflict=options.conflict,
            too_many=options.too_many,
            timeout=options.timeout,
        )
        hub.faults.set_rates(rates, options.seed)
        with hub:
            print(json.dumps({"endpoint": hub.endpoint, "token": hub.token}), flush=True)  # noqa: T201
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
