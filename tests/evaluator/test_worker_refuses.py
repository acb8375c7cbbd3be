"""Requests that came into the store past the checks are refused, and the queue goes on."""

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.worker import work
from protocol.failures import FailureCode
from protocol.records import Request, System
from protocol.rules import Mode, Role
from protocol.states import Status
from submission.store import FolderStore


class Canary:
    """Unpickled, this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def pickled(folder: Path, canary: Path) -> None:
    (folder / "unet" / "model.bin").write_bytes(pickle.dumps(Canary(canary)))


def with_code(folder: Path, canary: Path) -> None:
    (folder / "modeling.py").write_text(f"import os; os.mkdir({str(canary)!r})")
    (folder / "config.json").write_text('{"auto_map": {"AutoModel": "modeling.M"}}')


def with_pipe(folder: Path, canary: Path) -> None:
    del canary
    os.mkfifo(folder / "config.json")


def with_link(folder: Path, canary: Path) -> None:
    del canary
    (folder / "unet" / "model.safetensors").symlink_to("/etc/passwd")


def with_holes(folder: Path, canary: Path) -> None:
    del canary
    with (folder / "unet" / "model.safetensors").open("wb") as file:
        file.truncate(10 << 30)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (pickled, "NO_SAFETENSORS"),
        (with_code, "REMOTE_CODE_REQUIRED"),
        (with_pipe, "UNSAFE_FILE"),
        (with_link, "UNSAFE_FILE"),
        (with_holes, "UNSAFE_FILE"),
    ],
)
def test_a_hostile_folder_is_refused_and_the_next_request_is_run(
    spoil: Callable[[Path, Path], None],
    code: str,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    tmp_path: Path,
) -> None:
    folder, canary = tmp_path / "evil", tmp_path / "canary"
    (folder / "unet").mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    spoil(folder, canary)
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
