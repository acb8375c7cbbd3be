"""Image endpoints: what is sent, what is done when they fail, and what it may cost."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import paint
from image_server import ImageServer, painted
from PIL import Image

from evaluator.bench import Bench
from evaluator.decoders import Decoder, DecodingStopped, Received, find_decoder
from evaluator.requests import make_request
from evaluator.run import evaluate
from protocol.errors import DecodeError, ModelError
from protocol.records import Request
from protocol.rules import Mode, Role
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

BROKEN = (500, {"Retry-After": "0"}, b"oh no")


@pytest.fixture
def server() -> Iterator[ImageServer]:
    server = ImageServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the pauses between tries instead of sleeping them."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


def received(mode: Mode, size: tuple[int, int] = (300, 200)) -> Received:
    return Received(
        mode=mode,
        width=size[0],
        height=size[1],
        caption="a blue house" if mode.has_caption else None,
        start=Image.new("RGB", size, (10, 200, 90)) if mode.has_start else None,
        seed=1,
    )


def load(server: ImageServer, settings: str = "", protocol: str = "demo-0") -> Decoder:
    text = f"openai-image:gpt-image-test?base_url={server.url}{settings and '&' + settings}"
    return find_decoder("openai-image").load(pin_system(text), PROTOCOLS[protocol], "cpu")


def test_text_mode_asks_for_a_picture_of_the_nearest_shape(server: ImageServer) -> None:
    decoder = load(server)
    (picture,) = decoder.decode([received(Mode.TEXT)])
    assert isinstance(picture, Image.Image)
    assert picture.size == (300, 200)
    (asked,) = server.asked
    assert asked["path"] == "/v1/images/generations"
    assert (asked["model"], asked["size"], asked["n"]) == ("gpt-image-test", "1536x1024", 1)
    assert asked["prompt"] == "a blue house"
    account = decoder.account(received(Mode.TEXT))
    assert (account.width, account.height) == (1536, 1024)
    assert account.details["seed"] == "none"
    assert account.details["endpoint"] == server.url
    assert account.details["answered_size"] == "1536x1024"
    assert len(account.details["answered_on"]) == 10


def test_the_other_modes_send_the_start_picture_and_an_instruction(server: ImageServer) -> None:
    decoder = load(server, "instruction=restore: {caption}&quality=low")
    for mode in (Mode.PIXEL, Mode.IMAGE, Mode.FULL):
        (picture,) = decoder.decode([received(mode)])
        assert isinstance(picture, Image.Image)
        assert picture.getpixel((150, 100)) == (10, 200, 90)
    image_prompt = PROTOCOLS["demo-0"].image_prompt
    told = ["restore: a blue house", image_prompt, "restore: a blue house"]
    assert [asked["prompt"] for asked in server.asked] == told
    assert {asked["path"] for asked in server.asked} == {"/v1/images/edits"}
    assert {asked["quality"] for asked in server.asked} == {"low"}


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((768, 512), (1024, 688)), ((100, 100), (1024, 1024)), ((1000, 100), (1024, 352))],
)
def test_free_sizes_are_multiples_of_16_of_a_shape_up_to_three_to_one(
    size: tuple[int, int], wanted: tuple[int, int], server: ImageServer
) -> None:
    account = load(server, "sizes=free", "cmc-1").account(received(Mode.TEXT, size))
    assert (account.width, account.height) == wanted


def test_a_busy_endpoint_is_asked_again_after_the_wait_that_it_names(
    server: ImageServer, short_pauses: list[float]
) -> None:
    server.queued += [(429, {"Retry-After": "7"}, b"{}"), BROKEN]
    (picture,) = load(server).decode([received(Mode.TEXT)])
    assert isinstance(picture, Image.Image)
    assert len(server.asked) == 3
    first, second = short_pauses
    assert 7.0 <= first < 8.0
    assert 0.0 <= second < 1.0


def test_pauses_grow_and_differ_where_no_wait_is_named(
    server: ImageServer, short_pauses: list[float]
) -> None:
    server.queued += [(503, {}, b"")] * 4
    load(server).decode([received(Mode.TEXT)])
    for attempt, pause in enumerate(short_pauses):
        assert 2**attempt / 2 <= pause <= 2**attempt
    assert len(set(short_pauses)) == 4


def test_an_endpoint_that_keeps_failing_stops_the_run_and_keeps_what_was_made(
    server: ImageServer,
) -> None:
    server.queued += [(200, {}, painted((1536, 1024), (1, 2, 3))), *[BROKEN] * 3]
    decoder = load(server, "tries=3")
    with pytest.raises(DecodingStopped, match="failed 3 times; the last was: HTTP 500: oh") as stop:
        decoder.decode([received(Mode.TEXT)] * 2)
    (kept,) = stop.value.done
    assert isinstance(kept, Image.Image)
    assert len(server.asked) == 4


def test_an_endpoint_that_is_not_there_is_named(server: ImageServer) -> None:
    decoder = load(server, "tries=2")
    server.close()
    with pytest.raises(DecodingStopped, match="failed 2 times; the last was: ConnectError"):
        decoder.decode([received(Mode.TEXT)])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "answered no JSON: '<html>'"),
        (b'{"data": []}', r"without data\[0\]\.b64_json"),
        (b'{"data": [{"url": "https://x"}]}', r"may need response_format=b64_json"),
        (b'{"data": [{"b64_json": "!"}]}', r"without data\[0\]\.b64_json"),
        (b'{"data": [{"b64_json": "AAAA"}]}', "is no picture of a format that is known here"),
        (b'{"error": {"message": "no such model"}}', "answered with an error: .*no such model"),
        (b"[1]", r"without data\[0\]\.b64_json"),
    ],
)
def test_an_answer_of_another_form_stops_the_run(
    body: bytes, message: str, server: ImageServer
) -> None:
    server.queued.append((200, {}, body))
    with pytest.raises(DecodingStopped, match=message):
        load(server).decode([received(Mode.TEXT)])
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["moderation_blocked", "content_filter"])
def test_a_refused_picture_is_not_scored_and_the_others_go_on(
    code: str, server: ImageServer
) -> None:
    refusal = {"error": {"message": "not this one", "code": code}}
    server.queued.append((400, {}, json.dumps(refusal).encode()))
    refused, painted_one = load(server).decode([received(Mode.TEXT)] * 2)
    assert isinstance(refused, DecodeError)
    assert refused.code == "NSFW_FILTERED"
    assert isinstance(painted_one, Image.Image)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "invalid_size", "HTTP 400: because"),
        (401, "invalid_api_key", r"goes to https://api\.openai\.com/v1 and to \$OPENAI_BASE_URL"),
        (429, "insufficient_quota", "fill the account up"),
    ],
)
def test_an_error_that_no_repeat_mends_is_not_repeated(
    status: int, code: str, message: str, server: ImageServer
) -> None:
    body = json.dumps({"error": {"message": "because", "code": code}}).encode()
    server.queued.append((status, {}, body))
    with pytest.raises(DecodingStopped, match=message):
        load(server).decode([received(Mode.TEXT)])
    assert len(server.asked) == 1


def test_a_wait_of_hours_is_not_waited(server: ImageServer, short_pauses: list[float]) -> None:
    server.queued.append((429, {"Retry-After": "7200"}, b"{}"))
    with pytest.raises(DecodingStopped, match="wants 7200 s of rest"):
        load(server).decode([received(Mode.TEXT)])
    assert short_pauses == []


def test_the_key_goes_to_trusted_addresses_only(
    server: ImageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = pin_system("openai-image:gpt-image-1")
    with pytest.raises(ModelError, match="OPENAI_API_KEY is not set"):
        find_decoder("openai-image").load(system, PROTOCOLS["demo-0"], "cpu")
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
    load(server).decode([received(Mode.TEXT)])
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    load(server).decode([received(Mode.TEXT)])
    assert [asked["key"] for asked in server.asked] == [None, "Bearer s3cret"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("sizes=big", "wanted free, or sizes like"),
        ("sizes=0x16", "wanted free, or sizes like"),
        ("max_calls=many", "wanted a whole number"),
    ],
)
def test_settings_without_a_meaning_are_refused(
    settings: str, message: str, server: ImageServer
) -> None:
    with pytest.raises(ModelError, match=message):
        load(server, settings)


def test_an_address_of_another_kind_and_no_model_are_refused() -> None:
    for text, message in (
        ("openai-image:m?base_url=file:///etc", "wanted an address with https"),
        ("openai-image", "names no model"),
    ):
        with pytest.raises(ModelError, match=message):
            find_decoder("openai-image").load(pin_system(text), PROTOCOLS["demo-0"], "cpu")


def test_an_endpoints_model_needs_no_look_up() -> None:
    system = pin_system("openai-image:gpt-image-1?quality=low")
    assert (system.model, system.revision, system.path) == ("gpt-image-1", "", "")
    assert system.label == "gpt-image-1 (quality low)"


@pytest.fixture
def ask(images: Path, captions: Path) -> Callable[..., Request]:
    def make(t2i: str) -> Request:
        return make_request(
            role=Role.T2I,
            i2t=f"file:{captions}",
            t2i=t2i,
            codec=None,
            modes=[Mode.TEXT],
            protocol="demo-0",
            images=images,
            dataset="three",
            submitter="test",
        )

    return make


def test_a_ceiling_of_calls_keeps_the_pictures_and_the_next_run_goes_on(
    server: ImageServer, ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    request = ask(f"openai-image:m?base_url={server.url}&max_calls=2&sizes=96x96")
    bench = make_bench(batch_size=3)
    with pytest.raises(ModelError, match=r"max_calls=2 calls were sent .* what was made is kept"):
        evaluate(request, bench)
    assert len(server.asked) == 2
    evaluation: Any = evaluate(request, bench)
    assert len(server.asked) == 3
    assert evaluation.result.provenance.t2i_details["seed"] == "none"
    assert len(evaluation.decoded) == 3
    evaluate(request, bench)
    assert len(server.asked) == 3


def test_the_start_picture_is_painted_over_in_a_real_evaluation(server: ImageServer) -> None:
    item = received(Mode.FULL, (64, 48))
    start = paint(64, 48)
    sent = Received(
        mode=item.mode, width=64, height=48, caption=item.caption, start=start, seed=item.seed
    )
    load(server, "sizes=free").decode([sent])
    (asked,) = server.asked
    assert asked["size"] == "64x48"
    assert asked["image"].startswith(b"\x89PNG")
