"""The Space's entry is light, and installs what the project says."""

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from protocol.errors import InputError
from space.site import refuse_busy_port, results_reader, serve

ROOT = Path(__file__).parents[2]


def test_importing_the_app_loads_neither_torch_nor_gradio_nor_plotly() -> None:
    code = (
        "import sys, app; "
        "print(*sorted({'torch', 'gradio', 'plotly', 'evaluator'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_building_the_page_loads_no_torch_and_no_evaluator() -> None:
    code = (
        "import sys; from space.site import build_page; build_page(list); "
        "print(*sorted({'torch', 'evaluator'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_requirements_are_the_dependencies_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines == project["dependencies"]


def test_a_busy_port_is_refused_by_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is in use; stop what listens"):
            serve(None, port=port)


def test_a_free_port_is_not_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once_busy:
        port = once_busy.getsockname()[1]
    refuse_busy_port("127.0.0.1", port)


def test_without_a_store_there_are_no_results() -> None:
    assert list(results_reader(None)()) == []


def test_an_empty_store_has_no_results(tmp_path: Path) -> None:
    assert list(results_reader(tmp_path)()) == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "space" / "static").iterdir()), ids=lambda p: p.name
)
def test_static_files_fetch_nothing_and_parse_no_text_as_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?:|//cdn|@import|url\(|fetch\(", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_templates_hold_nothing_that_gradio_would_fill_in() -> None:
    for name in ("board.html", "board.css"):
        text = (ROOT / "space" / "static" / name).read_text(encoding="utf-8")
        assert not re.search(r"\$\{|\{\{|`|\\", text)
