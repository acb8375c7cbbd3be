"""The page answers while the app behind it is still being made."""

import logging
import threading
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from space.late import LateApp
from space.server import listening


def answer(_: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


def server(make: Callable[[], Starlette]) -> Starlette:
    late = LateApp(make)
    routes = [Route("/page", answer), Mount("/", late)]
    return Starlette(routes=routes, lifespan=lambda _: late.running())


def test_the_page_answers_before_the_app_is_there_and_who_asks_for_it_waits() -> None:
    may_end, answers = threading.Event(), list[str]()

    def make() -> Starlette:
        may_end.wait(30)
        return Starlette(routes=[Route("/app", answer)])

    with listening(server(make), "127.0.0.1", 0) as address:
        early = threading.Thread(
            target=lambda: answers.append(httpx.get(f"{address}app", timeout=30).text)
        )
        early.start()
        assert httpx.get(f"{address}page", timeout=30).text == "here"
        assert answers == []
        may_end.set()
        early.join()
    assert answers == ["here"]


def test_an_app_that_cannot_be_made_fails_those_who_ask_and_not_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def make() -> Starlette:
        raise ImportError("no such part")

    with monkeypatch.context() as patch:
        # pytest's own; a server's process has none.
        patch.setattr(logging.getLogger(), "handlers", [])
        with listening(server(make), "127.0.0.1", 0) as address:
            assert httpx.get(f"{address}app", timeout=30).status_code == 500
            assert httpx.get(f"{address}page", timeout=30).text == "here"
    assert "no such part" in capsys.readouterr().err
