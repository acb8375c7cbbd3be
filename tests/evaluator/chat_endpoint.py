"""A server on this machine that speaks OpenAI's chat format, for tests."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image


@dataclass
class Endpoint:
    """What the server was asked, and what it is to answer."""

    port: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    script: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """Answers to give before the usual one: status, headers, body."""

    def system(self, **settings: object) -> str:
        chosen = "".join(f"&{name}={value}" for name, value in settings.items())
        return f"openai:acme-vision?base_url=http://127.0.0.1:{self.port}/v1{chosen}"


def answer_about(body: dict[str, Any]) -> bytes:
    """Answer as a server does: the words follow from the picture that was sent."""
    (image,) = [part for part in body["messages"][0]["content"] if part["type"] == "image_url"]
    png = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(png)) as picture:
        text = f" A picture, {picture.width} wide and {picture.height} high. "
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}
    head = {"id": "x", "object": "chat.completion", "created": 1, "model": "acme-vision-2026-11"}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


@contextmanager
def serve() -> Iterator[Endpoint]:
    """Run a server until the block ends."""
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.bodies.append(body)
            state.paths.append(self.path)
            state.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, content = state.script.pop(0) if state.script else (200, {}, b"")
            content = content or answer_about(body)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            del arguments

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
