"""Captions from a server on this machine: what is sent, what is retried, what is kept."""

import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from chat_endpoint import Endpoint, serve
from conftest import paint

from evaluator.bench import Bench
from evaluator.cache import CaptionEntry
from evaluator.captioners import Captioner, NamedPicture, openai
from evaluator.requests import make_request
from evaluator.run import evaluate
from protocol.errors import CaptionError, ModelError
from protocol.rules import CAPTION_PROMPTS, Mode, Role
from protocol.versions import PROTOCOLS
from submission.systems import pin_system

DEMO = PROTOCOLS["demo-0"]
PICTURE = NamedPicture("NSI_pgc_000.png", paint(40, 30))


def load(endpoint: Endpoint, **settings: object) -> Captioner:
    return openai.load(pin_system(endpoint.system(**settings)), DEMO, "cpu")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve() as running:
        yield running


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were to be waited, without the waiting."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_a_picture_is_sent_whole_with_the_prompt_and_the_answer_says_who_gave_it(
    endpoint: Endpoint,
) -> None:
    (caption,) = load(endpoint).caption([PICTURE])
    assert (caption.text, caption.tokens) == ("A picture, 40 wide and 30 high.", 8)
    assert caption.model == "acme-vision-2026-11"
    assert caption.answered_at.endswith("Z")
    (body,) = endpoint.bodies
    assert endpoint.paths == ["/v1/chat/completions"]
    asked = {key: body[key] for key in ("model", "temperature", "seed", "max_tokens")}
    assert asked == {"model": "acme-vision", "temperature": 0, "seed": 42, "max_tokens": 80}
    assert body["messages"][0]["content"][1] == {"type": "text", "text": CAPTION_PROMPTS[20]}


def test_settings_change_what_is_asked(endpoint: Endpoint) -> None:
    chosen = load(endpoint, prompt="q5", limit="max_completion_tokens", cut="words")
    (caption,) = chosen.caption([PICTURE])
    assert (caption.text, caption.is_cut) == ("A picture, 40 wide and", True)
    (body,) = endpoint.bodies
    assert (body["max_completion_tokens"], "max_tokens" in body) == (20, False)


@pytest.mark.parametrize(("reason", "is_cut"), [("stop", False), ("length", True)])
def test_an_answer_that_used_up_its_room_is_called_cut(
    endpoint: Endpoint, reason: str, is_cut: bool
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "A red"}}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "usage": None}
    answer["choices"] = [{**choice, "finish_reason": reason}]
    endpoint.script = [(200, {}, json.dumps(answer).encode())]
    (caption,) = load(endpoint).caption([PICTURE])
    assert (caption.text, caption.is_cut) == ("A red", is_cut)


def test_a_busy_server_is_asked_again_after_the_time_that_it_names(
    endpoint: Endpoint, waits: list[float]
) -> None:
    endpoint.script = [(429, {"retry-after": "7"}, b"{}"), (503, {}, b"{}"), (500, {}, b"{}")]
    (caption,) = load(endpoint).caption([PICTURE])
    assert caption.text.startswith("A picture")
    assert len(endpoint.bodies) == 4
    assert waits[0] == 7
    assert 1.5 <= waits[1] <= 2.5
    assert 3 <= waits[2] <= 5


def test_a_server_that_stays_busy_is_given_up(endpoint: Endpoint, waits: list[float]) -> None:
    endpoint.script = [(429, {}, b"{}")] * 9
    with pytest.raises(CaptionError, match=r"in 3 tries: HTTP 429. The captions so far are kept"):
        load(endpoint, retries=2).caption([PICTURE])
    assert len(waits) == 2
    endpoint.script = [(429, {"retry-after": "Wed, 01 Jan 2098 00:00:00 GMT"}, b"{}")]
    with pytest.raises(CaptionError, match="in 1 tries"):
        load(endpoint).caption([PICTURE])


def test_a_server_that_is_not_there_is_given_up(waits: list[float]) -> None:
    system = pin_system("openai:m?base_url=http://127.0.0.1:9/v1&retries=1")
    with pytest.raises(CaptionError, match="in 2 tries: ConnectError"):
        openai.load(system, DEMO, "cpu").caption([PICTURE])
    assert len(waits) == 1


def test_a_refusal_is_no_reason_to_ask_again_and_the_key_is_not_repeated(
    endpoint: Endpoint, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{endpoint.port}/v1/")
    body = b'{"error": {"message": "Incorrect API key provided: sk-very-secret"}}'
    endpoint.script = [(401, {"content-type": "application/json"}, body)]
    with pytest.raises(CaptionError, match=r"HTTP 401.*OPENAI_BASE_URL") as caught:
        load(endpoint).caption([PICTURE])
    assert "sk-very-secret" not in str(caught.value)
    assert endpoint.headers[0]["authorization"] == "Bearer sk-very-secret"
    assert waits == []


def test_a_key_goes_to_its_own_hosts_only(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("HF_TOKEN", "hf_very_secret")
    load(endpoint).caption([PICTURE])
    assert "secret" not in json.dumps(endpoint.headers)
    asked = "https://api.openai.com/v1/chat/completions"
    assert openai.key_for(asked) == "sk-very-secret"
    for other in ("http://api.openai.com/v1", "https://api.openai.com.evil.example/v1"):
        assert openai.key_for(openai.chat_url(other)) == ""
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="OPENAI_API_KEY is not set"):
        openai.key_for(asked)


@pytest.mark.parametrize(
    ("base", "posted_to"),
    [
        ("http://h:1", "http://h:1/v1/chat/completions"),
        ("http://h:1/v1/", "http://h:1/v1/chat/completions"),
        ("https://g/v1beta/openai/", "https://g/v1beta/openai/chat/completions"),
        ("https://g/v1/chat/completions", "https://g/v1/chat/completions"),
    ],
)
def test_every_form_of_base_url_leads_to_the_chat(base: str, posted_to: str) -> None:
    assert openai.chat_url(base) == posted_to


@pytest.mark.parametrize("base", ["ftp://h/v1", "h:1/v1", "http://u:p@h/v1", "https://h/v1?key=x"])
def test_a_base_url_that_is_none_or_holds_a_secret_is_refused(base: str) -> None:
    with pytest.raises(ModelError, match="base_url"):
        openai.chat_url(base)


@pytest.mark.parametrize("body", [b"no json", b"[]", b'{"choices": []}', b'{"choices": [{}]}'])
def test_an_answer_of_another_form_is_refused(endpoint: Endpoint, body: bytes) -> None:
    endpoint.script = [(200, {}, body)]
    with pytest.raises(CaptionError, match="answered"):
        load(endpoint).caption([PICTURE])


def finished(content: object, reason: str = "stop") -> tuple[int, dict[str, str], bytes]:
    choice = {"message": {"content": content}, "finish_reason": reason}
    return 200, {}, json.dumps({"choices": [choice]}).encode()


def test_content_in_parts_is_an_answer_of_another_form(endpoint: Endpoint) -> None:
    endpoint.script = [finished([{"type": "text", "text": "A cat."}])]
    with pytest.raises(CaptionError, match="answered in another form than OpenAI's"):
        load(endpoint).caption([PICTURE])


def test_what_a_filter_broke_off_is_no_caption(endpoint: Endpoint) -> None:
    endpoint.script = [finished("A person who", "content_filter")]
    with pytest.raises(CaptionError, match=r"no caption for NSI_pgc_000\.png.*content_filter"):
        load(endpoint).caption([PICTURE])


def test_what_a_model_thinks_is_no_part_of_its_caption(endpoint: Endpoint) -> None:
    endpoint.script = [finished("<think>a cat?</think>\n\nA cat."), finished("a?</think>A cat.")]
    assert [load(endpoint).caption([PICTURE])[0].text for _ in range(2)] == ["A cat."] * 2
    for answer in (finished("<think>a cat?", "length"), finished(None, "length")):
        endpoint.script = [answer]
        with pytest.raises(CaptionError, match="max_new_tokens=2000"):
            load(endpoint).caption([PICTURE])


def test_a_model_that_refuses_temperature_and_seed_is_asked_without_them(
    endpoint: Endpoint,
) -> None:
    said = {"error": {"message": "'temperature' does not support 0.0 with this model."}}
    endpoint.script = [(400, {}, json.dumps(said).encode())]
    with pytest.raises(CaptionError, match="sampling=own sends none"):
        load(endpoint).caption([PICTURE])
    load(endpoint, sampling="own", limit="max_completion_tokens").caption([PICTURE])
    assert not {"temperature", "seed", "max_tokens"} & set(endpoint.bodies[-1])
    assert endpoint.bodies[-1]["max_completion_tokens"] == 80


def test_an_empty_account_is_no_reason_to_ask_again(endpoint: Endpoint) -> None:
    said = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    endpoint.script = [(429, {}, json.dumps(said).encode())]
    with pytest.raises(CaptionError, match="You exceeded your quota"):
        load(endpoint).caption([PICTURE])
    assert len(endpoint.bodies) == 1


def test_an_empty_answer_is_no_caption_and_a_refusals_words_are_said(endpoint: Endpoint) -> None:
    declined = {"content": None, "refusal": "I cannot help with that"}
    refused = {"choices": [{"message": declined, "finish_reason": "stop"}]}
    for answer, why in (
        (finished(None, "content_filter"), "finish reason: content_filter"),
        (finished("<think>a cat?</think>"), "finish reason: stop"),
        ((200, {}, json.dumps(refused).encode()), "I cannot help with that"),
    ):
        endpoint.script = [answer]
        with pytest.raises(CaptionError, match=rf"no caption for NSI_pgc_000.png \({why}\)"):
            load(endpoint).caption([PICTURE])


def test_an_error_inside_an_answer_is_said(endpoint: Endpoint) -> None:
    endpoint.script = [(200, {}, b'{"error": {"message": "no such model", "code": 404}}')]
    with pytest.raises(CaptionError, match=r"answered with an error: .*no such model"):
        load(endpoint).caption([PICTURE])


def test_settings_that_mean_nothing_are_refused() -> None:
    for text, message in (
        ("openai:m?sampling=none", "wanted greedy or own"),
        ("openai:m?limit=words", "wanted max_tokens or max_completion_tokens"),
        ("openai:m?cut=bytes", "wanted no or words"),
        ("openai:m?cut=words&prompt=none", "asks for no number of words"),
        ("openai:m?max_new_tokens=-1", "wanted a number from 1"),
        ("openai", "names no model"),
    ):
        with pytest.raises(ModelError, match=message):
            openai.load(pin_system(text), DEMO, "cpu")


def test_a_run_stops_at_its_ceiling_keeps_what_it_has_and_ends_without_asking_twice(
    endpoint: Endpoint, images: Path, make_bench: Callable[..., Bench]
) -> None:
    def run(max_calls: int) -> Any:
        request = make_request(
            role=Role.I2T,
            i2t=endpoint.system(max_calls=max_calls),
            t2i="start-image",
            codec=None,
            modes=(Mode.PIXEL,),
            protocol="demo-0",
            images=images,
            dataset="three",
            submitter="tests",
        )
        return evaluate(request, make_bench())

    with pytest.raises(CaptionError, match=r"the 2 calls of this run \(max_calls\) are made"):
        run(2)
    assert len(endpoint.bodies) == 2
    evaluation = run(100)
    assert len(endpoint.bodies) == 3
    assert run(100).result.scores == evaluation.result.scores
    assert len(endpoint.bodies) == 3
    table = pq.read_table(io.BytesIO(evaluation.per_image)).to_pylist()
    assert {row["caption_tokens"] for row in table} == {8}
    assert all(row["caption_characters"] == len(row["caption"]) for row in table)
    folder = make_bench().cache.folder / "caption"
    kept = [json.loads(path.read_text()) for path in folder.rglob("*.json")]
    assert {entry["model"] for entry in kept} == {"acme-vision-2026-11"}
    assert all(entry["answered_at"] for entry in kept)
    assert set(kept[0]) == set(CaptionEntry.__dataclass_fields__)
