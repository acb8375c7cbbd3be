"""The app that takes gradio: what programs ask, signing in, and submissions."""

import os
import threading
from typing import TYPE_CHECKING

from space.api import add_api
from space.intake_routes import add_intake
from space.mcp_tools import build_tools

if TYPE_CHECKING:
    from fastapi import FastAPI

    from space.shop import Shop


_ONE_AT_A_TIME = threading.Lock()
"""Gradio keeps the Blocks that are being made in one place for all threads."""


def build_api(shop: "Shop") -> "FastAPI":
    """Return the app with gradio's API and the routes of the Submit page."""
    # Before gradio is imported: it asks for this only then.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio as gr
    from fastapi import FastAPI

    tools = build_tools(shop) if _has_mcp() else None
    app = FastAPI(
        title="CMC-Bench",
        docs_url=None,
        redoc_url=None,
        lifespan=(lambda _: tools.session_manager.run()) if tools else None,
    )
    add_intake(app, shop)
    if tools:
        # This also makes its session manager, which the lifespan runs.
        app.router.routes.extend(tools.streamable_http_app().routes)
    with _ONE_AT_A_TIME, gr.Blocks(title="CMC-Bench") as blocks:
        add_api(shop)
    mounted: FastAPI = gr.mount_gradio_app(
        app, blocks, path="/", run_history=False, ssr_mode=False, mcp_server=False
    )
    return mounted


def _has_mcp() -> bool:
    from importlib.util import find_spec

    return find_spec("mcp") is not None
