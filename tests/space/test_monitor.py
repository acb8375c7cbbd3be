"""`cmc monitor` against real servers: whole, stale, broken, asleep, and none at all."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browsing import files_served, serving
from list_source import ListSource
from make_results import make_store

from evaluator.__main__ import main
from evaluator.monitor import Sight, look_at
from protocol.jsonable import to_json
from space.export import export_source
from space.server import build_server, listening
from space.shop import Shop
from space.snapshot import read_snapshot


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_source(ListSource(make_store()), folder)
    return folder


@pytest.fixture
def site(exported: Path, tmp_path: Path) -> Path:
    """A copy that a test may break; its files are links until one is replaced."""
    for path in exported.rglob("*"):
        if path.is_file():
            copy = tmp_path / "site" / path.relative_to(exported)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.symlink_to(path)
    return tmp_path / "site"


def replace_file(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")


def seen(folder: Path, **options: float) -> Sight:
    with files_served(folder) as address:
        return look_at(address, **{"max_age_hours": 1.0, **options})


def failed(sight: Sight) -> dict[str, str]:
    assert all(check.remedy for check in sight.checks if not check.passed)
    return {check.name: check.found for check in sight.checks if not check.passed}


def test_a_server_with_its_store_passes_with_the_times_of_its_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(ListSource(make_store())) as (_, address):
        sight = look_at(f"{address}?view=i2t", max_age_hours=1)
        assert main(["monitor", address, "--json"]) == 0
    assert failed(sight) == {}
    assert [check.name for check in sight.checks] == ["page", "files", "rows", "age", "store"]
    assert sight.age_hours is not None
    assert sight.age_hours < 0.1
    assert {"/", "page/main.js", "page/form.js", "page/plotly.min.js"} <= set(sight.seconds)
    assert json.loads(capsys.readouterr().out)["passed"] is True


def test_every_script_of_the_page_is_looked_at(exported: Path) -> None:
    sight = seen(exported)
    there = {f"page/{path.name}" for path in (exported / "page").iterdir()}
    assert there <= set(sight.seconds)


def test_an_export_passes_until_it_is_old_and_is_told_to_be_made_again(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(seen(site)) == {}
    path = site / "data" / "site.json"
    replace_file(
        path, json.dumps(json.loads(path.read_text()) | {"read_at": "2026-01-01T00:00:00Z"})
    )
    with files_served(site) as address:
        assert main(["monitor", f"{address}index.html", "--max-age-hours", "1"]) == 1
        assert main(["monitor", address, "--max-age-hours", "1e9"]) == 0
    said = capsys.readouterr().out
    assert "FAILED  age" in said
    assert "cmc export-site" in said


def test_a_server_whose_store_is_away_fails_with_what_was_said_and_since_when(
    tmp_path: Path,
) -> None:
    source = ListSource(make_store())
    text = to_json(read_snapshot(source, source.revision()))
    kept = tmp_path / "snapshot.json"
    read_at = json.loads(text)["read_at"]
    kept.write_text(text.replace(read_at, "2026-01-01T00:00:00Z"), encoding="utf-8")
    source.fails = True
    shop = Shop(source, kept)
    shop.keeper.refresh()
    with listening(build_server(shop), "127.0.0.1", 0) as address:
        found = failed(look_at(address, max_age_hours=48))
    assert set(found) == {"age", "store"}
    assert "the Hub does not answer, since 20" in found["store"]
    assert "since the store last answered" in found["age"]


def test_a_server_without_results_still_has_the_published_rows() -> None:
    with serving(ListSource()) as (_, address):
        assert failed(look_at(address, max_age_hours=1)) == {}


@pytest.mark.parametrize("name", ["page/table.js", "page/form.js", "page/plotly.min.js"])
def test_a_missing_script_is_named(site: Path, name: str) -> None:
    (site / name).unlink()
    assert failed(seen(site)) == {"files": f"{name} answers 404"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"tables": []}', "t2i-ulb 0"),
        ("<html>", "data/board/t2i-ulb.all.json is no JSON"),
        ('{"rows": 3}', "the boards' data have another form"),
    ],
)
def test_a_board_without_rows_or_of_another_form_fails(site: Path, text: str, said: str) -> None:
    replace_file(site / "data" / "board" / "t2i-ulb.all.json", text)
    assert said in failed(seen(site))["rows"]


def test_another_page_and_no_page_are_told_apart(site: Path, tmp_path: Path) -> None:
    replace_file(site / "index.html", "<html>This Space is sleeping</html>")
    sight = seen(site)
    assert [check.name for check in sight.checks] == ["page"]
    assert "another page" in failed(sight)["page"]
    assert "hf.space" in sight.checks[0].remedy
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    gone = look_at(f"http://127.0.0.1:{port}", max_age_hours=1)
    assert "ConnectError" in failed(gone)["page"]
    (tmp_path / "empty").mkdir()
    assert main(["monitor", "ftp://somewhere"]) == 1


class _StartPage(BaseHTTPRequestHandler):
    """Answers everything with one page, as servers for single-page applications do."""

    page = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.page)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def start_page_served(page: bytes) -> Iterator[str]:
    _StartPage.page = page
    with ThreadingHTTPServer(("127.0.0.1", 0), _StartPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_server_that_answers_all_with_its_start_page_has_no_files(exported: Path) -> None:
    with start_page_served((exported / "index.html").read_bytes()) as address:
        found = failed(look_at(address, max_age_hours=1))
    assert set(found) == {"files", "rows", "age"}
    assert "is an HTML page" in found["files"]


def test_a_server_that_hangs_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://127.0.0.1:{door.getsockname()[1]}/"
        found = failed(look_at(address, max_age_hours=1, patience_seconds=0.2))
    assert "Timeout" in found["page"]
