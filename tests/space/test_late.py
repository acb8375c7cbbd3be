"""The page answers while the app behind it is still being made, and while a store hangs."""

import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from list_source import ListSource
from make_results import make_result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from space.late import LateApp
from space.page_routes import page_routes
from space.server import listening
from space.shop import Shop
from space.snapshot import Snapshot, read_snapshot


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


def test_many_who_wait_for_a_store_that_hangs_hold_up_no_board() -> None:
    answers_now, asked = threading.Event(), threading.Semaphore(0)

    class Hanging(ListSource):
        def galleries(self) -> Collection[str]:
            asked.release()
            answers_now.wait(60)
            return []

        def as_of(self, label: str) -> Snapshot:
            asked.release()
            answers_now.wait(60)
            return super().as_of(label)

    source = Hanging([make_result()])
    source.boards = {"v1": read_snapshot(ListSource(), "then")}
    shop = Shop(source)
    waited_for = ["data/changes/v1..live.json"] * 2 + ["data/gallery.json"] * 40
    with (
        listening(Starlette(routes=page_routes(shop)), "127.0.0.1", 0) as address,
        ThreadPoolExecutor(len(waited_for)) as readers,
    ):
        waiting = [readers.submit(httpx.get, address + path, timeout=60) for path in waited_for]
        assert asked.acquire(timeout=30)
        assert asked.acquire(timeout=30)
        try:
            board = httpx.get(f"{address}data/board/codec.NSI.json", timeout=10)
        finally:
            answers_now.set()
        assert board.status_code == 200
        assert {one.result().status_code for one in waiting} == {200}
