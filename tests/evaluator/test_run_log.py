"""The live log of a run: short, redacted, and there for everybody while a worker runs."""

import logging
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.commands.queue import new_lines
from evaluator.isolation import evaluate_apart
from evaluator.run_log import CHARACTERS, LINE_CHARACTERS, LINES, RunLog, library_errors
from evaluator.worker import work
from protocol.records import Request
from protocol.rules import Mode
from submission.store import FolderStore

Told = list[tuple[str, str]]


def log_of(told: Told) -> list[str]:
    """Return the newest log without its times."""
    return [line.partition("  ")[2] for line in told[-1][1].splitlines()]


def make_log() -> tuple[RunLog, Told]:
    told: Told = []
    return RunLog(lambda line, log: told.append((line, log))), told


def test_of_many_steps_the_log_keeps_each_tenth_and_the_progress_the_newest() -> None:
    log, told = make_log()
    for done in range(1, 401):
        log.step(f"decode {done}/400")
    assert len(told) == 400
    assert told[-1][0] == "decode 400/400"
    assert log_of(told) == ["decode 1/400", *(f"decode {40 * at}/400" for at in range(1, 11))]


def test_a_log_is_bounded_in_lines_and_characters_and_keeps_its_end() -> None:
    log, told = make_log()
    log.add("\n".join(f"\x00{'x' * 2 * LINE_CHARACTERS}" for _ in range(5 * LINES)))
    assert len(told[-1][1]) <= CHARACTERS
    for at in range(5 * LINES):
        log.add(f"line {at}")
    assert log_of(told) == [f"line {at}" for at in range(4 * LINES, 5 * LINES)]


def test_secrets_folders_and_what_steers_a_terminal_are_in_no_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_API_KEY", "canary-in-the-environment")
    log, told = make_log()
    long = "x" * (LINE_CHARACTERS - 12)
    log.add(f"loading /home/ada/private/model\n{long} token hf_abcdefghijklmnopqrst")
    log.add("canary-in-the-environment \x1b[2J\u202e")
    log.step("hf_abcdefghijklmnopqrst")
    text = told[-1][1]
    for secret in ("ada", "hf_abc", "canary", "\x1b", "\u202e"):
        assert secret not in text
    assert "…/model" in text


def test_errors_of_the_models_libraries_are_heard_and_nobody_elses() -> None:
    heard: list[str] = []
    with library_errors(heard.append):
        logging.getLogger("diffusers.schedulers").error("%s steps", 3)
        logging.getLogger("diffusers").warning("quiet")
        logging.getLogger("somebody").error("else")
    logging.getLogger("diffusers").error("later")
    assert heard == ["diffusers: 3 steps"]


def test_a_process_of_its_own_tells_its_lines(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    heard: list[str] = []
    evaluate_apart(ask(modes=(Mode.IMAGE,), i2t=None), make_bench(), log=heard.append)
    assert heard[0] == "3 pictures in image mode on cpu"


def test_only_new_lines_of_a_log_that_forgets_are_printed() -> None:
    assert new_lines([], ["a", "b"]) == ["a", "b"]
    assert new_lines(["a", "b"], ["a", "b"]) == []
    assert new_lines(["a", "b", "c"], ["b", "c", "d", "e"]) == ["d", "e"]
    assert new_lines(["a", "b"], ["c"]) == ["c"]
    assert new_lines(["a", "a"], ["a", "a", "a"]) == ["a"]
    assert new_lines(["a"], []) == []


def test_the_command_follows_a_run_to_its_end_and_says_where_others_stand(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evaluator.commands.queue.LOOK_SECONDS", 0.02)
    store = FolderStore(tmp_path / "cmc-store")
    request = ask(modes=(Mode.IMAGE,))
    store.submit(request)
    waits = cmc("queue", "--log", request.request_id).stdout
    assert waits == f"{request.request_id} is PENDING: number 1 in the queue\n"
    bench = make_bench()
    worker = threading.Timer(
        1, lambda: work(FolderStore(store.folder), bench, once=True, say=lambda _: None)
    )
    worker.start()
    followed = cmc("queue", "--log", request.request_id, "--follow").stdout
    worker.join()
    # Who follows a request that waits is told so, and not nothing.
    assert followed.startswith(waits)
    assert followed.count(waits) == 1
    assert "attempt 1, by " in followed
    assert "3 pictures in image mode on cpu" in followed
    assert followed.splitlines()[-1] == f"{request.request_id} is FINISHED"
    assert list((store.folder / "progress").iterdir()) == []
    said = cmc("queue", "--log", "nothing", status=1).stderr
    assert "holds no request 'nothing'" in said
