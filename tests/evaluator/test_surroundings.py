"""Which code a command runs, what it lacks, and where it works when nothing says so."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import environment

from evaluator.__main__ import main
from evaluator.bounded import run_apart
from evaluator.devices import choose_device
from evaluator.own_code import own_module
from protocol.errors import InputError


def test_a_module_of_ours_is_run_and_not_what_has_its_name_in_the_current_folder(
    tmp_path: Path,
) -> None:
    (tmp_path / "app.py").write_text("raise SystemExit('another project')")
    done = subprocess.run(
        own_module("app"),
        cwd=tmp_path,
        env={**os.environ, "GRADIO_SERVER_PORT": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.startswith("cmc serve: GRADIO_SERVER_PORT is 'none'")


def test_what_runs_apart_finds_what_is_installed_for_this_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("print('found')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run_apart("only_here", seconds=60).stdout == b"found\n"


def test_a_variable_that_is_empty_counts_as_one_that_is_not_there(tmp_path: Path) -> None:
    code = "from evaluator.commands._options import *; print(DEFAULT_CACHE, DEFAULT_STORE)"
    told = {**environment(tmp_path), "CMC_CACHE": "", "CMC_STORE": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True, check=True
    )
    assert done.stdout == "~/.cache/cmc-bench cmc-store\n"


def test_a_library_that_is_not_installed_is_named_and_what_brings_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    folders = ["--reference", str(tmp_path), "--distorted", str(tmp_path)]
    assert main(["score", *folders, "--indicator", "psnr"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("cmc score: torch is not installed; pip install 'cmc-bench[evaluator]'")


def test_a_command_leaves_the_signals_of_the_process_that_called_it_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handlers() -> list[object]:
        return [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]

    during: list[object] = []

    def run(options: object) -> int:
        del options
        during.extend(handlers())
        return 0

    monkeypatch.setattr("evaluator.commands.score.run", run)
    before = handlers()
    folders = ["--reference", str(tmp_path), "--distorted", str(tmp_path)]
    assert main(["score", *folders, "--indicator", "psnr"]) == 0
    assert during[0] is not before[0]
    assert during[1] is not signal.default_int_handler
    assert handlers() == before


def test_a_letter_that_the_terminal_lacks_ends_no_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evaluator", "leaderboard", "--track", "i2t"],
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert r"cmc-1 \xb7 CMC-Bench" in done.stdout


def test_a_name_that_is_no_text_is_refused_before_anything_is_computed(
    tmp_path: Path, images: Path, cmc: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    odd = tmp_path / "caf\udce9"
    shutil.copytree(images, odd)
    system = ("--codec", "vvc:53", "--protocol", "demo-0", "--out", tmp_path / "out")
    refused = cmc("evaluate", *system, "--images", odd, status=1)
    assert "a name is no text in UTF-8" in refused.stderr
    assert "--dataset" in refused.stderr


@pytest.mark.parametrize(
    ("gpus", "name", "there"),
    [
        (0, "cuda", "cpu"),
        (0, "", "cpu"),
        (0, "mps", "cpu"),
        (2, "cuda:2", "cpu, cuda, cuda:0, cuda:1"),
        (2, "cudas", "cpu, cuda, cuda:0, cuda:1"),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_those_that_are(
    gpus: int, name: str, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(
        InputError, match=f"^no device '{name}' here; choose auto or one of {there}$"
    ):
        choose_device(name)
    for one in there.split(", "):
        assert choose_device(one) == one
    assert choose_device("auto") == ("cuda" if gpus else "cpu")
