"""The routes that readers need: the page, its files, the data behind it, the badges."""

import asyncio
from typing import TYPE_CHECKING

from protocol.errors import CMCError
from space.badge import badge
from space.plain import plain_json
from space.shop import Shop
from space.site import media_type
from space.snapshot import say_briefly

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute


def page_routes(shop: Shop) -> "list[BaseRoute]":
    """Return the routes; all answer from the newest snapshot."""
    from starlette.responses import Response
    from starlette.routing import Route

    async def file(request: "Request") -> Response:
        return await _answer(shop, request.url.path.lstrip("/") or "index.html", request)

    def status(_: "Request") -> Response:
        headers = {"Cache-Control": "no-store"}
        return Response(plain_json(shop.status()), media_type="application/json", headers=headers)

    def badge_of(request: "Request") -> Response:
        drawn = badge(request.path_params["name"], shop.rows)
        return Response(drawn or b"", 200 if drawn else 404, media_type="image/svg+xml")

    return [
        Route("/", file),
        Route("/data/status.json", status),
        Route("/badge/{name:path}.svg", badge_of),
        Route("/page/{path:path}", file),
        Route("/data/{path:path}", file),
    ]


async def _answer(shop: Shop, path: str, request: "Request") -> "Response":
    from starlette.responses import Response

    try:
        # A file that is made already needs no thread.
        found = shop.made(path) or await asyncio.to_thread(shop.find, path)
    except (CMCError, OSError) as error:
        # Pictures are fetched when somebody looks; the store may be away then.
        return Response(say_briefly(error), status_code=503, media_type="text/plain")
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
