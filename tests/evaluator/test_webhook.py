"""The Hub's call that wakes a worker: who may call, about what, and that polling stays."""

import contextlib
import json
import socket
import struct
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huggingface_hub import WebhookPayload
from loopback_hub import LoopbackHub

from evaluator.__main__ import main
from evaluator.bench import Bench
from evaluator.webhook import MAX_BYTES, Webhook, serving
from evaluator.worker import work
from protocol.errors import InputError
from protocol.records import Request
from protocol.rules import Role
from protocol.states import Status
from submission.store_hub import HubStore

SECRET = "a secret of the tests"
REPO = "acme/cmc-requests"


def payload_for(name: str = REPO, kind: str = "dataset", scope: str = "repo.content") -> bytes:
    """Return what the Hub sends after a commit, as its own client's types have it."""
    payload: dict[str, Any] = {
        "event": {"action": "update", "scope": scope},
        "repo": {
            "id": "1",
            "name": name,
            "type": kind,
            "private": False,
            "owner": {"id": "2"},
            "url": {"web": f"https://huggingface.co/datasets/{name}"},
        },
        "webhook": {"id": "3", "version": 3},
        "updatedRefs": [{"ref": "refs/heads/main", "oldSha": "0" * 40, "newSha": "1" * 40}],
    }
    WebhookPayload(**payload)
    return json.dumps(payload).encode()


@pytest.fixture
def webhook() -> Webhook:
    return Webhook(SECRET, REPO)


@pytest.fixture
def port(webhook: Webhook) -> Iterator[int]:
    with serving(webhook, "127.0.0.1", 0) as port:
        yield port


def call(port: int, body: bytes, **headers: str) -> int:
    ask = urllib.request.Request(f"http://127.0.0.1:{port}/", body, headers)
    try:
        with urllib.request.urlopen(ask) as answer:  # noqa: S310 - http, to this machine
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def was_woken(webhook: Webhook) -> bool:
    started = time.monotonic()
    webhook.wait(0.2)
    return time.monotonic() - started < 0.2


def test_a_call_with_the_secret_about_the_requests_ends_the_pause(
    webhook: Webhook, port: int
) -> None:
    assert call(port, payload_for(), **{"X-Webhook-Secret": SECRET}) == 200
    assert was_woken(webhook)
    assert not was_woken(webhook)


@pytest.mark.parametrize(
    ("body", "secret", "status"),
    [
        (payload_for(), "", 403),
        (payload_for(), "a guess of somebody's", 403),
        (payload_for(), "ä secret", 403),
        (b"{", SECRET, 400),
        (b"[]", SECRET, 400),
        (b"[" * 200_000, SECRET, 400),
        (b'{"event": {"scope": 1}, "repo": {"type": "dataset", "name": "x"}}', SECRET, 400),
        (payload_for(name="acme/other"), SECRET, 200),
        (payload_for(kind="model"), SECRET, 200),
        (payload_for(scope="discussion.comment"), SECRET, 200),
    ],
)
def test_any_other_call_wakes_nobody(
    webhook: Webhook, body: bytes, secret: str, status: int
) -> None:
    assert webhook.receive(secret, body) == status
    assert not was_woken(webhook)


@pytest.mark.parametrize("length", [str(MAX_BYTES + 1), "9" * 5000, "-1"])
def test_a_call_that_is_too_long_is_refused_before_it_is_read(
    webhook: Webhook, port: int, length: str
) -> None:
    headers = {"X-Webhook-Secret": SECRET, "Content-Length": length}
    assert call(port, b"{}", **headers) == 413
    assert not was_woken(webhook)


def test_a_caller_that_hangs_up_leaves_no_traceback_among_the_workers_lines(
    webhook: Webhook, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(webhook, "127.0.0.1", 0) as port:
        caller = socket.create_connection(("127.0.0.1", port))
        caller.sendall(b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n{")
        # Zero seconds to linger: the connection is reset.
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        caller.close()
        # Answered by another thread, after the first has seen the reset.
        time.sleep(0.3)
        assert call(port, payload_for(), **{"X-Webhook-Secret": SECRET}) == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "start", [b"POST / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n"]
)
def test_a_caller_that_sends_a_byte_now_and_then_is_let_go(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr("evaluator.webhook.LONGEST_CALL", 0.3)
    with serving(webhook, "127.0.0.1", 0) as port:
        caller = socket.create_connection(("127.0.0.1", port))
        caller.sendall(start)
        caller.settimeout(0.05)
        started = time.monotonic()
        with caller, contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 5:
                caller.sendall(b"a")
                with contextlib.suppress(TimeoutError):
                    if not caller.recv(100):
                        break
        assert time.monotonic() - started < 5
    assert not was_woken(webhook)


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    for secret in ("", "short"):
        with pytest.raises(InputError, match="secret has"):
            Webhook(secret, REPO)


@pytest.mark.parametrize("secret", ["ein Schlüssel der Tests", f"{SECRET}\n", f" {SECRET}"])
def test_a_secret_that_no_header_brings_as_it_is_is_refused(secret: str) -> None:
    with pytest.raises(InputError, match="would not arrive as it is"):
        Webhook(secret, REPO)


@pytest.mark.parametrize(
    ("store", "address", "message"),
    [
        ("folder", "8080", "cannot call about folder"),
        ("hub:acme/cmc", "here", "wanted a port, or HOST:PORT"),
        ("hub:acme/cmc", "99999", "wanted a whole number from 0 to 65535, found '99999'"),
        ("hub:acme/cmc", "\uff18\uff10", "wanted a port, or HOST:PORT"),
        ("hub:acme/cmc", "8080", "secret has 0 characters"),
    ],
)
def test_a_worker_says_what_its_webhook_lacks(
    store: str,
    address: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("CMC_WEBHOOK_SECRET", raising=False)
    assert main(["work", "--images", ".", "--store", store, "--webhook", address]) == 1
    assert message in capsys.readouterr().err


class EnoughError(Exception):
    """The test has seen what it wanted to."""


def test_a_worker_that_is_called_runs_a_request_before_its_pause_is_over(
    hub: LoopbackHub,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    webhook: Webhook,
    port: int,
) -> None:
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token)
    store.create()
    request = ask(role=Role.CODEC, i2t=None, t2i=None, codec="jpeg:30")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        if pauses:
            raise EnoughError
        pauses.append(seconds)
        submitter = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token)
        submitter.submit(request)
        caller = threading.Timer(0.1, call, (port, payload_for()), {"X-Webhook-Secret": SECRET})
        caller.start()
        webhook.wait(seconds)

    started = time.monotonic()
    with pytest.raises(EnoughError):
        work(store, make_bench(), once=False, say=print, poll_seconds=3600, pause=pause)
    assert pauses == [3600]
    assert time.monotonic() - started < 1800
    assert store.state(request.request_id).status is Status.FINISHED


def test_where_nobody_can_listen_the_address_is_named(webhook: Webhook) -> None:
    with (
        serving(webhook, "127.0.0.1", 0) as taken,
        pytest.raises(InputError, match=f"cannot listen on 127.0.0.1:{taken}"),
        serving(webhook, "127.0.0.1", taken),
    ):
        pass
