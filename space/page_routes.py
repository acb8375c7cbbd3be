"""The routes that readers need: the page, its files, the data behind it, the badges."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from protocol.errors import CMCError
from space.badge import badge
from space.plain import plain_json
from space.shop import Shop
from space.site import asks_the_store, media_type
from space.snapshot import say_briefly

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute


ASKERS = 8
"""Threads that wait for the store at a time; one that hangs holds up no file that needs none."""


def page_routes(shop: Shop) -> "list[BaseRoute]":
    """Return the routes; all answer from the newest snapshot."""
    from anyio import CapacityLimiter
    from starlette.responses import Response
    from starlette.routing import Route

    askers = CapacityLimiter(ASKERS)

    async def file(request: "Request") -> Response:
        path = request.url.path.lstrip("/") or "index.html"
        return await _answer(shop, path, request, askers)

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


async def _answer(
    shop: Shop, path: str, request: "Request", askers: "CapacityLimiter"
) -> "Response":
    from anyio.to_thread import run_sync
    from starlette.responses import Response

    find = partial(shop.find, path)
    try:
        # A file that is made already needs no thread.
        found = shop.made(path)
        if found is None and asks_the_store(path):
            found = await run_sync(find, limiter=askers)
        elif found is None:
            found = await asyncio.to_thread(find)
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
