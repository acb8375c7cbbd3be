"""`cmc freeze`, `cmc changes` and what cites and checks a frozen board, on a store of results."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub
from made_store import add_result

from submission.freezing import freeze
from submission.store import FolderStore
from submission.store_hub import HubStore

Run = Callable[..., subprocess.CompletedProcess[str]]
LABEL = "v1.0/2026-10-01"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """A store with two rows, frozen, of which one was withdrawn and another came."""
    store = FolderStore(tmp_path / "cmc-store")
    add_result(store, "stays", 1.0)
    gone = add_result(store, "gone", 1.4)
    freeze(store, LABEL, "tests")
    store.withdraw(gone.request.request_id, "tests", "wrong weights")
    add_result(store, "new", 0.8)
    return store


def test_freeze_says_what_it_froze_that_nothing_changed_and_that_a_label_is_taken(
    tmp_path: Path, cmc: Run
) -> None:
    store = FolderStore(tmp_path / "cmc-store")
    store.create()
    assert "holds no result" in cmc("freeze", status=1).stderr
    add_result(store, "a", 1.0)
    assert "is frozen: 1 result, sha256 " in cmc("freeze", "--label", LABEL).stdout
    assert "nothing changed" in cmc("freeze", "--label", LABEL).stdout
    today = json.loads(cmc("freeze", "--json").stdout)
    assert len(today["label"]) == len("2026-10-01")
    add_result(store, "b", 1.0)
    refused = cmc("freeze", "--label", LABEL, status=1).stderr
    assert "another board" in refused
    assert "choose another" in refused
    assert "cannot name a frozen board" in cmc("freeze", "--label", "a b", status=1).stderr


@pytest.mark.usefixtures("store")
def test_changes_tell_who_came_who_left_and_who_only_moved(cmc: Run) -> None:
    said = cmc("changes", "--track", "t2i-ulb").stdout
    came, left, moved = (
        next(line for line in said.splitlines() if line.strip().startswith(kind))
        for kind in ("came", "left", "moved")
    )
    assert "- → #2" in came
    assert "new + gpt4v.csv" in came
    assert "#1 → -" in left
    assert "withdrawn: wrong weights" in left
    assert "tests, " in left
    assert "1.4" not in left
    assert "#2 → #1" in moved
    assert "other rows came, left or moved" in moved
    told = json.loads(cmc("changes", "live", LABEL, "--json").stdout)
    # Whoever names them the wrong way round gets the earlier one first.
    assert (told["before"], told["after"]) == (LABEL, "live")
    assert "nothing changed" in cmc("changes", LABEL, LABEL).stdout
    assert f"there are {LABEL}" in cmc("changes", "v2", status=1).stderr


def test_a_citation_names_the_frozen_board_even_of_a_row_that_left(
    store: FolderStore, cmc: Run
) -> None:
    gone = next(e.state.request_id for e in store.queue() if e.state.status == "WITHDRAWN")
    cited = cmc("export", gone, "--format", "bibtex", "--as-of", LABEL).stdout
    sha256 = freeze_sha256(store)
    assert f"as of snapshot {LABEL}, frozen on" in cited
    assert sha256 in cited
    assert f"@misc{{cmcbench-{gone}-v1.0-2026-10-01," in cited
    other = cmc("export", gone, "--format", "csv", "--as-of", LABEL, status=1).stderr
    assert "--as-of is about --format bibtex" in other
    assert "holds no result" in cmc("export", gone, "--format", "bibtex", status=1).stderr


def freeze_sha256(store: FolderStore) -> str:
    """Return the sha256 of the only frozen board's file."""
    (path,) = (store.folder / "frozen").iterdir()
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_commands_work_on_a_store_of_the_hub(hub: LoopbackHub, tmp_path: Path) -> None:
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "c")
    store.create()
    kept = add_result(store, "a", 1.0)
    environment = {**hub.environment(tmp_path / "hf"), "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "evaluator", *arguments, "--store", "hub:acme/cmc"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert f"{LABEL} is frozen: 1 result" in run("freeze", "--label", LABEL)
    store.withdraw(kept.request.request_id, "tests", "wrong weights")
    assert "left   #1 → -" in run("changes", "--track", "t2i-ulb")
    (tag,) = hub.api().list_repo_refs("acme/cmc-results", repo_type="dataset").tags
    assert tag.name == LABEL
