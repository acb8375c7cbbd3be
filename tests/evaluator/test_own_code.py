import os
import subprocess
from pathlib import Path

import pytest

from evaluator.bounded import run_apart
from evaluator.own_code import own_module


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
