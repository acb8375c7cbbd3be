"""A GPU that is gone, that stops a computation, or that is too small, and whose fault each is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.decoders import start_image
from evaluator.failures import code_of
from evaluator.run import evaluate
from evaluator.worker import work
from protocol.errors import DeviceLost, KernelFault, ModelError
from protocol.failures import FailureCode
from protocol.records import Request
from protocol.rules import Mode
from protocol.states import Status
from submission.store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "cmc-store")


def test_a_gpu_that_is_gone_when_a_model_is_loaded_fails_no_request(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(*_: object) -> None:
        raise RuntimeError("CUDA error: unknown error")

    monkeypatch.setattr(start_image, "load", load)
    request = ask(i2t=None, modes=(Mode.IMAGE,))
    store.submit(request)
    with pytest.raises(DeviceLost, match="the device no longer answers"):
        work(store, make_bench(), once=False, say=print)
    state = store.state(request.request_id)
    assert (state.status, state.attempt) == (Status.PENDING, 0)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_model_that_the_gpu_stops_fails_at_its_third_attempt(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    wrapped: bool,
) -> None:
    def load(*_: object) -> None:
        stopped = RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel errors might")
        if wrapped:
            raise ValueError("a library's own words") from stopped
        raise stopped

    request = ask(i2t=None, modes=(Mode.IMAGE,))
    store.submit(request)
    with monkeypatch.context() as patch:
        patch.setattr(start_image, "load", load)
        for attempt in (1, 2, 3):
            assert store.state(request.request_id).attempt == attempt - 1
            with pytest.raises(ValueError if wrapped else KernelFault):
                work(store, make_bench(), once=False, say=print)
    state = store.state(request.request_id)
    assert (state.status, state.attempt) == (Status.FAILED, 3)
    assert state.failure is not None
    assert state.failure.code is FailureCode.KERNEL_FAULT
    assert work(store, make_bench(), once=False, say=print).waiting == 0


def test_a_model_that_does_not_fit_when_it_is_loaded_is_said_to(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch import OutOfMemoryError

    def load(*_: object) -> None:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    monkeypatch.setattr(start_image, "load", load)
    with pytest.raises(ModelError, match="start-image does not fit in memory") as caught:
        evaluate(ask(i2t=None, modes=(Mode.IMAGE,)), make_bench())
    assert code_of(caught.value) is FailureCode.OUT_OF_MEMORY
