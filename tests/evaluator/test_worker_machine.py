"""What is wrong with a worker's machine is nobody's failed request."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import environment

from evaluator import encode, run
from evaluator.bench import Bench
from evaluator.encode import plan_groups
from evaluator.isolation import evaluate_apart
from evaluator.pruning import look, prune
from evaluator.run import evaluate
from evaluator.score import ScoreStage
from evaluator.worker import work
from protocol.errors import (
    MachineFault,
    OtherPictures,
    WeightsError,
)
from protocol.files import sha256_of_file
from protocol.records import Request
from protocol.rules import Mode, Role
from protocol.states import Action, Status
from submission.store import FolderStore

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "cmc-store")


def is_given_back(store: FolderStore, request: Request) -> bool:
    state = store.state(request.request_id)
    return state.status is Status.PENDING and state.attempt == 0


@pytest.mark.parametrize("isolate", [True, False])
def test_weights_that_are_not_there_stop_the_worker_and_fail_no_request(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    t2i: str,
    isolate: bool,
) -> None:
    request = ask(t2i=t2i, modes=(Mode.TEXT,), protocol="demo-1")
    store.submit(request)
    bench = replace(make_bench(), weights=Path("nowhere"))
    with pytest.raises((MachineFault, WeightsError), match=r"topiq-fr\.pth is missing"):
        work(store, bench, once=False, say=print, isolate=isolate)
    assert is_given_back(store, request)


def test_actors_that_cannot_be_read_stop_the_worker_before_it_claims(
    cmc: Command, store: FolderStore, ask: Callable[..., Request], images: Path
) -> None:
    request = ask(i2t=None, modes=(Mode.IMAGE,))
    store.submit(request)
    options = ("work", "--images", images, "--engine", "ray", "--actors", "nonsense")
    said = cmc(*options, "--in-process", status=1).stderr
    assert "actors 'nonsense': wanted STAGE=NUMBERxGPUS" in said
    assert [event.action for event in store.events(request.request_id)] == [Action.SUBMIT]


def test_ray_is_not_said_to_keep_submitted_weights_from_tokens(cmc: Command, images: Path) -> None:
    said = cmc("work", "--images", images, "--engine", "ray", status=1).stderr
    assert "give --in-process too where there are none" in said


def test_a_picture_that_was_pruned_while_it_was_needed_gives_the_request_back(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request, bench = ask(i2t=None, modes=(Mode.IMAGE,)), make_bench()
    store.submit(request)
    of_group = ScoreStage.of_group

    def pruned(stage: ScoreStage, group: object) -> object:
        prune(bench.cache.folder, 0)
        return of_group(stage, group)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ScoreStage, "of_group", pruned)
        with pytest.raises(MachineFault, match="was pruned from the cache while a run needed it"):
            work(store, bench, once=True, say=print)
    assert is_given_back(store, request)
    assert work(store, bench, once=True, say=print).finished == 1


def test_a_cache_of_no_size_at_all_is_pruned_when_nothing_needs_it_any_more(
    cmc: Command, store: FolderStore, ask: Callable[..., Request], images: Path, tmp_path: Path
) -> None:
    options = ("--images", images, "--cache-size", "0")
    out = tmp_path / "out"
    cmc("evaluate", "--codec", "jpeg:20", "--protocol", "demo-0", "--out", out, *options)
    assert len(list(out.glob("pictures/image/*.png"))) == 3
    assert (out / "result.json").is_file()
    assert not sum(usage.entries for usage in look(tmp_path / "cache").values())
    request = ask(role=Role.CODEC, i2t=None, t2i=None, codec="jpeg:20", modes=(Mode.IMAGE,))
    store.submit(request)
    cmc("work", *options)
    assert store.state(request.request_id).status is Status.FINISHED
    assert (store.folder / "gallery" / request.request_id / "gallery.json").is_file()
    assert not sum(usage.entries for usage in look(tmp_path / "cache").values())


def test_a_worker_that_is_told_to_end_gives_its_request_back(
    store: FolderStore, ask: Callable[..., Request], images: Path, t2i: str, tmp_path: Path
) -> None:
    request = ask(t2i=f"{t2i}?steps=40")
    store.submit(request)
    worker = subprocess.Popen(
        [sys.executable, "-m", "evaluator", "work", "--images", str(images)],
        cwd=tmp_path,
        env={**environment(tmp_path), "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("cache/picture/*/*.json")) and worker.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 128 + signal.SIGTERM
    actions = [event.action for event in store.events(request.request_id)]
    assert actions == [Action.SUBMIT, Action.CLAIM, Action.RELEASE]
    assert is_given_back(store, request)
    assert not list(tmp_path.glob("cmc-*/*.json"))


def test_pictures_that_were_replaced_since_a_worker_started_fail_no_request(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    images: Path,
) -> None:
    first, second = ask(i2t=None, modes=(Mode.IMAGE,)), ask(modes=(Mode.PIXEL,))
    store.submit(first)

    def replace_then_submit(_: float) -> None:
        shutil.copy(images / "AIGI_SDXL_002.png", images / "NSI_pgc_000.png")
        store.submit(second)

    with pytest.raises(OtherPictures, match="does not hold the pictures of the request"):
        work(store, make_bench(), once=False, say=print, poll_seconds=1, pause=replace_then_submit)
    assert store.state(first.request_id).status is Status.FINISHED
    assert is_given_back(store, second)


def test_a_picture_that_is_replaced_during_a_run_spoils_no_cache(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request, bench = ask(i2t=None, modes=(Mode.IMAGE,)), make_bench()
    path = images / "NSI_pgc_000.png"
    original = path.read_bytes()

    def replaced(*arguments: Any) -> Any:
        shutil.copy(images / "SCI_screen_001.png", path)
        return plan_groups(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(run, "plan_groups", replaced)
        patch.setattr(encode, "sha256_of_file", before(images))
        with pytest.raises(OtherPictures, match=r"NSI_pgc_000\.png was changed while a run needed"):
            evaluate(request, bench)
    path.write_bytes(original)
    assert (
        evaluate(request, bench).result.scores == evaluate(request, make_bench("o")).result.scores
    )


def before(folder: Path) -> Callable[[Path], str]:
    """Return what `sha256_of_file` says of a folder's files as they are now."""
    known = {path: sha256_of_file(path) for path in folder.iterdir()}
    return lambda path: known[path]


def test_a_folder_of_temporary_files_that_takes_none_is_the_machines_fault(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    captions: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = captions / "no folder"
    monkeypatch.setattr(tempfile, "TemporaryDirectory", lambda **_: nullcontext(str(out)))
    with pytest.raises(MachineFault, match=f"Not a directory: '{captions}"):
        evaluate_apart(ask(i2t=None, modes=(Mode.IMAGE,)), make_bench())


def test_a_second_signal_ends_a_run_at_once_and_in_order(
    images: Path, t2i: str, captions: Path, tmp_path: Path
) -> None:
    system = ["--i2t", f"file:{captions}", "--t2i", f"{t2i}?steps=200", "--modes", "text,pixel"]
    options = ["--images", str(images), "--protocol", "demo-0", "--out", str(tmp_path / "out")]
    run = subprocess.Popen(
        [sys.executable, "-m", "evaluator", "evaluate", *system, *options],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("cache/picture/*/*.json")) and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    # The second mode of the first picture is being decoded.
    for _ in range(2):
        run.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert run.wait(timeout=5) == 128 + signal.SIGTERM


def test_the_process_of_submitted_weights_computes_as_the_worker_was_told(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = replace(make_bench(), price_per_hour=3600.0, lanes=2, batch_size=2)
    outcome = evaluate_apart(ask(i2t=None, modes=(Mode.IMAGE,)), bench)
    assert outcome.result.run.cost == pytest.approx(outcome.result.run.wall_seconds)  # type: ignore[union-attr]


def test_the_next_worker_tells_of_a_request_whose_workers_vanished(
    store: FolderStore,
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
) -> None:
    poison, fine = ask(i2t=None, modes=(Mode.IMAGE,)), ask(modes=(Mode.FULL,))
    store.submit(poison)
    for attempt in (1, 2, 3):
        claim = store.take("victim")
        assert claim is not None
        assert claim.state.attempt == attempt
        # What the kernel does when a process ends: the lock goes, its file stays.
        os.close(store.ledger._locks.pop(claim.lease.nonce))  # type: ignore[attr-defined]
    store.submit(fine)
    said: list[str] = []
    done = work(store, make_bench(), once=False, say=said.append)
    assert (done.finished, done.failed, done.waiting) == (1, 1, 0)
    assert said[-1] == (f"{poison.request_id}  failed: its worker vanished in attempt 3, the last")
