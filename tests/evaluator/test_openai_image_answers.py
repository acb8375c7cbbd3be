"""What an image endpoint may answer with, and how long it may ask to be left alone."""

import base64
import io
import json
import time
from collections.abc import Iterator

import numpy as np
import pytest
from image_server import ImageServer
from PIL import Image

from evaluator.decoders import Received, find_decoder
from protocol.rules import Mode
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

ITEM = Received(mode=Mode.TEXT, width=90, height=60, caption="a blue house", start=None, seed=1)


@pytest.fixture
def server() -> Iterator[ImageServer]:
    running = ImageServer()
    yield running
    running.close()


def answer(picture: Image.Image, head: str = "", break_at: int = 0) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    text = base64.b64encode(file.getvalue()).decode()
    text = head + text[:break_at] + "\n" * bool(break_at) + text[break_at:]
    return json.dumps({"data": [{"b64_json": text}]}).encode()


def painted(server: ImageServer) -> Image.Image:
    system = pin_system(f"openai-image:m?sizes=96x64&base_url={server.url}")
    (outcome,) = (
        find_decoder("openai-image").load(system, PROTOCOLS["demo-0"], "cpu").decode([ITEM])
    )
    assert isinstance(outcome, Image.Image)
    return outcome


def test_what_a_model_leaves_transparent_is_white(server: ImageServer) -> None:
    half = Image.new("RGBA", (96, 64), (255, 0, 0, 255))
    half.paste((0, 0, 255, 0), (0, 0, 48, 64))
    server.queued.append((200, {}, answer(half)))
    pixels = np.asarray(painted(server))
    assert pixels[:, :40].min() == 255
    assert (pixels[:, 50:] == (255, 0, 0)).all()


@pytest.mark.parametrize(("head", "break_at"), [("data:image/png;base64,", 0), ("", 76)])
def test_base64_with_a_head_or_in_lines_is_read(
    head: str, break_at: int, server: ImageServer
) -> None:
    server.queued.append((200, {}, answer(Image.new("RGB", (96, 64), "red"), head, break_at)))
    assert (np.asarray(painted(server)) == (255, 0, 0)).all()


def test_a_wait_in_parts_of_a_second_is_kept(
    server: ImageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    server.queued.append((429, {"Retry-After": "7.5"}, b"{}"))
    painted(server)
    assert 7.5 <= slept[0] < 7.7
