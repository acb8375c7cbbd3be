"""The tools, asked by MCP's own client, answer what the HTTP API answers."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from make_results import make_result
from picture_files import write_pictures

from protocol.records import Result
from space.api import find_pictures, find_record, find_rows
from space.shop import Shop
from space.sources import StoreSource
from submission.store import FolderStore

ROOT = Path(__file__).parents[2]
PER_IMAGE = b"per image"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FolderStore:
    import hashlib
    from dataclasses import replace

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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    settings = {"CMC_STORE": str(store.folder), "GRADIO_SERVER_PORT": port}
    process = subprocess.Popen(
        [sys.executable, "-m", "app"],
        cwd=ROOT,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        try:
            assert "the board is on" in process.stdout.readline()
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.kill()


async def _ask(address: str, calls: list[tuple[str, dict[str, Any]]]) -> tuple[Any, list[Any]]:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(address) as (read, write, _),
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
