"""A small server on this machine that speaks OpenAI's `/images` dialect."""

import atexit
import base64
import functools
import io
import json
import threading
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

Answer = tuple[int, dict[str, str], bytes]


def painted(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    """Return a good answer's body: one picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    data = {"data": [{"b64_json": base64.b64encode(file.getvalue()).decode()}]}
    return json.dumps(data).encode()


class ImageServer:
    """Answers with what is queued, and else with a picture; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.queued: list[Answer | Callable[[], Answer]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                form = read_form(self.headers["Content-Type"], body)
                form |= {"path": self.path, "key": self.headers.get("Authorization")}
                outer.asked.append(form)
                queued = outer.queued.pop(0) if outer.queued else outer.paint(form)
                status, headers, content = queued() if callable(queued) else queued
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.daemon = True
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def paint(self, form: dict[str, Any]) -> Answer:
        """Return the start picture's middle colour, or one that follows from the prompt."""
        width, height = map(int, form["size"].split("x"))
        red, green, blue = (sum(form["prompt"].encode()) * step % 256 for step in (3, 5, 7))
        if form["path"] == "/v1/images/edits":
            with Image.open(io.BytesIO(form["image"])) as start:
                assert start.size == (width, height)
                middle = start.convert("RGB").crop((width // 2, height // 2, width, height))
                red, green, blue = middle.resize((1, 1)).tobytes()
        return 200, {}, painted((width, height), (red, green, blue))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@functools.cache
def shared_server() -> ImageServer:
    """Return a server that answers until the tests end."""
    server = ImageServer()
    atexit.register(server.close)
    return server


def read_form(kind: str, body: bytes) -> dict[str, Any]:
    """Return the fields of a JSON or a multipart body; files as bytes."""
    if kind.startswith("application/json"):
        return dict(json.loads(body))
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    form: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        form[str(name)] = content if part.get_filename() else content.decode()
    return form
