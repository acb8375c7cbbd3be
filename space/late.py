"""An ASGI app that is made after the server has begun to answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send


class LateApp:
    """Waits for an app that takes seconds to make, and is it from then on."""

    def __init__(self, make: "Callable[[], Starlette]") -> None:
        """Keep what makes the app; it is called from a thread of its own by `running`."""
        self._make = make
        self._ready: asyncio.Future[Starlette] | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer as the app does, once it is there."""
        if self._ready is None:
            raise RuntimeError("the app is asked outside of `running`")
        app = await asyncio.shield(self._ready)
        await app(scope, receive, send)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the app while the block runs; whoever asks meanwhile waits for it."""
        self._ready = asyncio.get_running_loop().create_future()
        ending = asyncio.Event()
        living = asyncio.create_task(self._live(self._ready, ending))
        try:
            yield
        finally:
            ending.set()
            await living

    async def _made(self) -> "Starlette":
        return self._make()

    async def _live(self, ready: "asyncio.Future[Starlette]", ending: asyncio.Event) -> None:
        # One task enters and leaves the app's own lifespan, as the task groups in it demand.
        try:
            # In a loop of its own: gradio leaves one open behind it where it finds none.
            app = await asyncio.to_thread(asyncio.run, self._made())
            async with app.router.lifespan_context(app):
                ready.set_result(app)
                await ending.wait()
        except Exception as error:
            if ready.done():
                raise
            # Everyone who asks is told; the page does not need this app.
            ready.set_exception(error)
            ready.exception()
