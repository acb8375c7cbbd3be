"""What a stranger can make the server keep is bounded: no long bodies, and no files at all."""

from typing import TYPE_CHECKING

from space.plain import plain_json

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 2 << 20
"""Bytes of a request: a form with a caption file in base64 and a little more."""
LARGEST_SENT = 32 << 20
"""Bytes that are read of a request and thrown away before it is refused: on a connection that is
closed with something unread, the refusal is lost with what was not read."""
FILE_ROUTES = ("upload", "process_recording", "file", "proxy", "stream")
"""Gradio's routes that take, keep or fetch files, which no function here is asked with."""


class Bounded:
    """An app, of which nothing is asked that is too long or that nobody here needs."""

    def __init__(self, app: "ASGIApp") -> None:
        """Keep the app."""
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer as the app does, once the whole body is there and is short enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if _is_of_files(scope["path"]):
            await _refuse(404, "no files are taken here", send)
        elif body is None:
            sentence = f"a request may have {LARGEST_BODY:,} bytes; shorten the captions"
            await _refuse(413, sentence, send)
        else:
            await self._app(scope, _first(body, receive), send)


def _is_of_files(path: str) -> bool:
    room, _, name = path.strip("/").partition("/")
    return room == "gradio_api" and name.split("/")[0].split("=")[0] in FILE_ROUTES


async def _body(receive: "Receive") -> bytes | None:
    """Return what was sent, read to its end; None where it is too long or broken off."""
    body, sent_bytes, more = bytearray(), 0, True
    while more and sent_bytes <= LARGEST_SENT:
        message = await receive()
        if message["type"] != "http.request":
            return None
        part = message.get("body", b"")
        sent_bytes += len(part)
        if sent_bytes <= LARGEST_BODY:
            body += part
        more = message.get("more_body", False)
    return bytes(body) if sent_bytes <= LARGEST_BODY else None


def _first(body: bytes, receive: "Receive") -> "Receive":
    """Return what tells the app the body, and then whatever else comes."""
    kept: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> "Message":
        return kept.pop() if kept else await receive()

    return next_message


async def _refuse(status: int, sentence: str, send: "Send") -> None:
    content = plain_json({"error": sentence})
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
