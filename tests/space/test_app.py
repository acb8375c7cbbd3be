"""The Space's entry is light, and installs what the project says."""

import logging
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

import app
from protocol.errors import InputError
from space import server
from space.server import listening, refuse_busy_port, serve

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


def test_building_the_server_loads_neither_torch_nor_gradio_nor_the_evaluator() -> None:
    code = (
        "import sys; from space.server import build_server; from space.shop import Shop; "
        "from space.snapshot import NoSource; build_server(Shop(NoSource())); "
        "print(*sorted({'torch', 'gradio', 'evaluator'} & set(sys.modules)))"
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
            serve("", port=port)


def test_a_server_leaves_the_processs_log_alone_and_its_errors_are_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    closed: list[str] = []

    class Kept(logging.Handler):
        def close(self) -> None:
            closed.append("closed")
            super().close()

    def broken(_: object) -> None:
        raise RuntimeError("broken here")

    kept = Kept()
    with listening(Starlette(routes=[Route("/", broken)]), "127.0.0.1", 0) as address:
        assert httpx2.get(address).status_code == 500
    assert closed == []
    kept.close()
    assert "broken here" in caplog.text


def test_an_idle_connection_outlives_a_proxy_that_may_ask_again_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert server.IDLE_SECONDS > 60, "what nginx keeps a connection to a server for"
    monkeypatch.setattr(server, "IDLE_SECONDS", 1)
    question = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
    with (
        listening(Starlette(), "127.0.0.1", 0) as address,
        socket.create_connection(("127.0.0.1", int(address.strip("/").rpartition(":")[2]))) as line,
    ):
        line.sendall(question)
        line.settimeout(4)
        # Uvicorn's own patience is 5 seconds: the number that is set is the one that holds.
        while line.recv(4096):
            pass


def test_a_free_port_is_not_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as once_busy:
        port = once_busy.getsockname()[1]
    refuse_busy_port("127.0.0.1", port)


def test_port_0_is_a_free_one() -> None:
    with socket.create_server(("127.0.0.1", refuse_busy_port("127.0.0.1", 0))) as door:
        assert refuse_busy_port("127.0.0.1", 0) not in (0, door.getsockname()[1])


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_an_address_that_is_not_this_machines_is_not_called_a_busy_port(host: str) -> None:
    with pytest.raises(InputError, match="cannot listen on") as refused:
        refuse_busy_port(host, 0)
    assert "in use" not in str(refused.value)


def test_an_address_of_the_sixth_version_is_listened_on_as_one_and_can_be_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    families = []

    def create(
        address: tuple[str, int],
        *,
        family: int,
        backlog: int,
        make: Callable[..., socket.socket] = socket.create_server,
    ) -> socket.socket:
        # Not every machine that runs the tests speaks it.
        families.append(family)
        return make(("127.0.0.1", address[1]), backlog=backlog)

    monkeypatch.setattr(socket, "create_server", create)
    with listening(Starlette(), "::1", 0) as address:
        assert address.startswith("http://[::1]:")
    assert families == [socket.AF_INET6]


@pytest.mark.parametrize("port", [" ", "abc", "-1", "65536"])
def test_a_port_in_the_environment_that_is_none_is_named(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRADIO_SERVER_PORT", port)
    assert app.main() == 1
    assert f"GRADIO_SERVER_PORT is {port!r}" in capsys.readouterr().err


def test_an_empty_name_or_port_in_the_environment_opens_no_other_address_than_none_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(app, "serve", lambda _store, host, port, **_: asked.append((host, port)))
    monkeypatch.setenv("GRADIO_SERVER_NAME", "")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "")
    assert app.main() == 0
    assert asked == [("127.0.0.1", 7860)]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "space" / "static").iterdir()), ids=lambda p: p.name
)
def test_static_files_fetch_nothing_from_elsewhere_and_parse_no_text_as_markup(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"http:|//cdn|@import|url\(", text)
    # The one address elsewhere is the link that a reader copies, and the frame that is told of it.
    assert re.findall(r"https:[^`\"'$]*", text) in ([], ["https://huggingface.co"])
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "space" / "static").glob("*.js")), ids=lambda p: p.name
)
def test_scripts_are_of_a_size_one_can_hold(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
