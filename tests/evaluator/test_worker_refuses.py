"""Requests that came into the store past the checks are refused, and the queue goes on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback_hub import LoopbackHub
from made_models import HOSTILE, make_hostile

from evaluator.bench import Bench
from evaluator.execution import Outcome, run_here
from evaluator.worker import work
from protocol.failures import FailureCode
from protocol.records import Request, System
from protocol.rules import Mode, Role
from protocol.states import Status
from submission.store import FolderStore
from submission.store_hub import HubStore


@pytest.mark.parametrize(("spoil", "code"), HOSTILE)
def test_a_hostile_folder_is_refused_and_the_next_request_is_run(
    spoil: Callable[[Path, Path], None],
    code: str,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    tmp_path: Path,
) -> None:
    folder, canary = tmp_path / "evil", tmp_path / "canary"
    make_hostile(folder, spoil, canary)
    evil = System(adapter="diffusers", model="evil", revision="a" * 40, path=str(folder))
    store = FolderStore(tmp_path / "store")
    hostile = replace(ask(modes=(Mode.IMAGE,), i2t=None), t2i=evil)
    harmless = ask(role=Role.CODEC, i2t=None, t2i=None, codec="jpeg:30")
    store.submit_all([hostile, harmless])
    told: list[str] = []
    done = work(store, make_bench(), once=False, say=told.append)
    assert (done.finished, done.failed, done.waiting) == (1, 1, 0)
    state = store.state(hostile.request_id)
    assert state.status is Status.FAILED
    assert state.failure
    assert state.failure.code is FailureCode.INPUT_REFUSED
    assert code in state.failure.message
    assert store.state(harmless.request_id).status is Status.FINISHED
    assert not canary.exists()


@pytest.mark.parametrize("isolate", [True, False])
def test_a_model_that_was_changed_since_it_was_submitted_is_not_run_under_its_old_name(
    isolate: bool,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(t2i.partition(":")[2], tmp_path / "mine"))
    request = ask(t2i=f"diffusers:{folder}", modes=(Mode.IMAGE,), i2t=None)
    store, bench = FolderStore(tmp_path / "store"), make_bench()
    store.submit(request)
    weights = next(folder.glob("unet/*.safetensors"))
    trained = weights.read_bytes()
    weights.write_bytes(trained[:-1] + bytes([trained[-1] ^ 1]))
    assert work(store, bench, once=True, say=lambda _: None, isolate=isolate).failed == 1
    failure = store.state(request.request_id).failure
    assert failure
    assert failure.code is FailureCode.MODEL_REFUSED
    assert "mine is no longer what the request names" in failure.message
    assert not list((bench.cache.folder / "picture").rglob("*.png"))


def test_a_folder_that_is_gone_is_said_to_be_gone_and_nobody_s_terms_are_to_be_accepted(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    gone = System(adapter="diffusers", model="mine", revision="a" * 40, path=str(tmp_path / "mine"))
    store = FolderStore(tmp_path / "store")
    request = replace(ask(modes=(Mode.IMAGE,), i2t=None), t2i=gone)
    store.submit(request)
    assert work(store, make_bench(), once=True, say=lambda _: None).failed == 1
    failure = store.state(request.request_id).failure
    assert failure
    assert failure.message.startswith("MODEL_NOT_FOUND: mine does not lie on this machine where")


@pytest.mark.parametrize("codec", ["jpeg:30", "jpeg:5"])
def test_a_request_that_is_withdrawn_while_it_runs_fails_nothing_and_the_queue_goes_on(
    codec: str,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = FolderStore(tmp_path / "store")
    first, second = (
        ask(role=Role.CODEC, i2t=None, t2i=None, codec=name) for name in (codec, "jpeg:40")
    )
    store.submit_all([first, second])

    def withdrawn(request: Request, *more: Any) -> Outcome:
        if request == first:
            store.withdraw(first.request_id, first.submitter)
            if codec == "jpeg:5":
                raise RuntimeError("it would have failed as well")
        return run_here(request, *more)

    monkeypatch.setattr("evaluator.worker.run_here", withdrawn)
    told: list[str] = []
    done = work(store, make_bench(), once=False, say=told.append)
    assert (done.finished, done.failed, done.waiting) == (1, 0, 0)
    assert f"  lost: request {first.request_id} is WITHDRAWN" in told[1]
    assert store.state(second.request_id).status is Status.FINISHED


def test_a_worker_of_a_shared_store_asks_no_server_that_was_not_opened(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    hub: LoopbackHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "kept")
    store.create()
    request = ask(i2t="openai:gpt-4o?base_url=http://127.0.0.1:9/v1", modes=(Mode.PIXEL,))
    store.submit(request)
    done = work(store, make_bench(), once=True, say=lambda _: None)
    assert (done.finished, done.failed) == (0, 1)
    failure = store.state(request.request_id).failure
    assert failure
    assert "ENDPOINT_CLOSED" in failure.message
