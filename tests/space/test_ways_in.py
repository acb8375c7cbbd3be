"""What programs ask: the examples of docs/space.md as they stand there, and the MCP tools."""

import asyncio
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from app_process import ROOT, app_served
from list_source import ListSource
from make_results import make_result
from picture_files import write_pictures
from starlette.applications import Starlette
from starlette.types import Message

from protocol.errors import InputError
from protocol.records import Result
from space.api import find_pictures, find_record, find_rows
from space.bounds import Bounded
from space.shop import Shop
from space.sources import StoreSource
from submission.store import FolderStore

PER_IMAGE = b"per image"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    folder = tmp_path_factory.mktemp("mcp")
    store = FolderStore(folder / "store")
    made = make_result("asked")
    result = replace(made, per_image_sha256=hashlib.sha256(PER_IMAGE).hexdigest())
    store.submit(result.request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.finish(claim, result, PER_IMAGE)
    write_pictures(folder / "made", result, 0.0)
    store.beside.put(folder / "made", f"gallery/{result.request.request_id}")
    return store


@pytest.fixture(scope="module")
def address(store: FolderStore) -> Iterator[str]:
    with app_served(store) as address:
        yield address.rstrip("/")


async def _ask(address: str, calls: list[tuple[str, dict[str, Any]]]) -> tuple[Any, list[Any]]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"{address}/mcp") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        return tools, [await session.call_tool(name, arguments) for name, arguments in calls]


def test_the_three_tools_answer_what_the_api_answers(store: FolderStore, address: str) -> None:
    shop = Shop(StoreSource(store))
    (result,) = shop.keeper.snapshot.results
    assert isinstance(result, Result)
    request_id = result.request.request_id
    tools, answers = asyncio.run(
        _ask(
            address,
            [
                ("rows", {"track": "t2i-ulb", "content": "SCI"}),
                ("record", {"request_id": request_id}),
                ("pictures", {"request_id": request_id}),
                ("rows", {"track": "t2v"}),
                ("record", {"request_id": "../../etc/passwd"}),
            ],
        )
    )
    assert [tool.name for tool in tools] == ["rows", "record", "pictures"]
    assert tools[0].inputSchema["properties"]["content"]["enum"] == ["all", "NSI", "SCI", "AIGI"]
    rows, record, pictures, no_track, no_result = answers
    assert rows.structuredContent == {"result": find_rows(shop, "t2i-ulb", "SCI")}
    assert record.structuredContent == find_record(shop, request_id)
    assert pictures.structuredContent == {"result": find_pictures(shop, request_id)}
    assert (no_track.isError, no_result.isError) == (True, True)
    assert "there are t2i-ulb, t2i-elb" in no_track.content[0].text
    assert "no result" in no_result.content[0].text


def examples(language: str, word: str) -> list[str]:
    """Return the page's examples in a language that hold a word."""
    text = (ROOT / "docs" / "space.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found = [code for named, code in blocks if named == language and word in code]
    assert found, (language, word)
    return found


def here(code: str, address: str, store: FolderStore) -> str:
    request_id = store.results()[0].request.request_id
    filled = code.replace("http://127.0.0.1:7860", address)
    return filled.replace("OWNER/MODEL", "asked").replace("REQUEST", request_id)


def test_the_documented_calls_of_curl_answer(
    address: str, store: FolderStore, tmp_path: Path
) -> None:
    said = ""
    for code in examples("", "curl"):
        script = here(code, address, store).replace("curl ", "curl --fail --silent --max-time 60 ")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        said += done.stdout
    assert "asked" in said
    assert "event: complete" in said
    assert (tmp_path / "i2t.parquet").read_bytes().startswith(b"PAR1")
    assert b"#1 of 1" in (tmp_path / "badge.svg").read_bytes()


def test_the_documented_calls_of_gradio_s_client_answer(address: str, store: FolderStore) -> None:
    (code,) = examples("python", "gradio_client")
    request_id = store.results()[0].request.request_id
    # In a process of its own: the client leaves its event loop and its sockets open.
    code = here(code.replace("REQUEST", repr("REQUEST")), address, store)
    code += "import json; print(json.dumps([len(rows), record, pictures]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, record, pictures = json.loads(done.stdout.splitlines()[-1])
    shop = Shop(StoreSource(store))
    assert count == len(find_rows(shop, "t2i-ulb", "all"))
    assert record == find_record(shop, request_id)
    assert pictures == find_pictures(shop, request_id)


def test_a_wrong_question_is_answered_in_words_and_leaves_no_trace_in_the_server_s_log(
    store: FolderStore, capfd: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys, json\n"
        "from gradio_client import Client\n"
        "client = Client(sys.argv[1], verbose=False)\n"
        "for way, *asked in json.loads(sys.argv[2]):\n"
        "    try: client.predict(*asked, api_name=way)\n"
        "    except Exception as error: print(error)\n"
    )
    asked = [
        ("/rows", "t2v", "all"),
        ("/rows", "t2i", ["all"]),
        ("/record", None),
        ("/pictures", None),
    ]
    with app_served(store) as address:
        # The client waits five seconds for the app, which is still being imported.
        httpx.get(f"{address}config", timeout=60)
        arguments = [sys.executable, "-c", code, address, json.dumps(asked)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    for said, wanted in zip(
        done.stdout.splitlines(),
        ("no board 't2v'; there are", "no content", "no result 'None'", "no pictures of 'None'"),
        strict=True,
    ):
        assert wanted in said
    assert "Traceback" not in capfd.readouterr().err


def test_pictures_of_a_row_that_was_withdrawn_are_no_more_answered_than_the_server_has_them(
    tmp_path: Path,
) -> None:
    kept, gone = make_result("kept"), make_result("gone")
    for result in (kept, gone):
        write_pictures(tmp_path / result.request.request_id, result, 0.0)
    shop = Shop(ListSource([kept], tmp_path))
    for picture in find_pictures(shop, kept.request.request_id):
        assert shop.find(picture["original"]) is not None
    with pytest.raises(InputError, match="no pictures of"):
        find_pictures(shop, gone.request.request_id)


def test_the_documented_frame_and_badge_are_there(address: str, store: FolderStore) -> None:
    for language, word in (("html", "iframe"), ("markdown", "badge")):
        (code,) = examples(language, word)
        urls = re.findall(r"http[^\s\"()]+", here(code, address, store))
        assert urls
        for url in urls:
            assert httpx.get(url, timeout=60).status_code == 200, url


def test_nobody_leaves_files_or_long_bodies_with_the_server(address: str) -> None:
    gradio = f"{address}/gradio_api"
    for path in ("upload", "upload/", "process_recording"):
        sent = httpx.post(f"{gradio}/{path}", files={"files": b"a", "video": b"a"}, timeout=60)
        assert (sent.status_code, sent.json()) == (404, {"error": "no files are taken here"})
    for path in ("file=http://example.com/", "proxy=http://example.com/", "file/app.py"):
        assert httpx.get(f"{gradio}/{path}", timeout=60).json()["error"].startswith("no files")
    part = b" " * (1 << 20)
    for path in ("/gradio_api/call/rows", "/data/board/i2t.all.csv"):
        for body in (3 * part, iter([part, part, part])):
            refused = httpx.post(f"{address}{path}", content=body, timeout=60)
            assert refused.status_code == 413
            assert "a request may have 2,097,152 bytes" in refused.json()["error"]


@pytest.mark.parametrize(
    ("path", "parts", "left_unread", "status"),
    [("/gradio_api/upload", 3, 0, 404), ("/x", 4, 0, 413), ("/x", 40, 7, 413)],
)
def test_what_is_refused_was_read_to_its_end_within_bounds_so_that_no_reset_takes_the_answer(
    path: str, parts: int, left_unread: int, status: int
) -> None:
    part = {"type": "http.request", "body": b" " * (1 << 20), "more_body": True}
    coming = [part] * (parts - 1) + [part | {"more_body": False}]
    answer: list[Message] = []

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        assert len(coming) == left_unread
        answer.append(message)

    asyncio.run(Bounded(Starlette())({"type": "http", "path": path}, receive, send))
    assert answer[0]["status"] == status
