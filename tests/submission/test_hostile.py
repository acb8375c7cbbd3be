"""Hostile submissions through `cmc submit`: the code, the exit status, and that nothing is run."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from huggingface_hub import CommitOperationAdd
from loopback_hub import LoopbackHub
from made_models import HOSTILE, PAINTER, make_hostile

from evaluator.__main__ import main
from protocol.states import Status
from submission.store import FolderStore
from submission.store_hub import HubStore

FIELDS = "&".join(f"field{number}=1" for number in range(500))
Submit = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def submit(
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Submit:
    """Return a function that runs `cmc submit --json` and returns its status and its answer."""
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main(["submit", "--images", str(images), "--json", *options])
        said = capsys.readouterr()
        assert said.err == ""
        return status, json.loads(said.out)

    return run


def refused(answer: dict[str, Any]) -> set[str]:
    assert not answer["accepted"]
    return {finding["code"] for finding in answer["findings"] if finding["refuses"]}


@pytest.mark.parametrize(("spoil", "code"), HOSTILE)
def test_a_hostile_folder_is_refused_unopened_and_the_next_submission_is_taken(
    spoil: Callable[[Path, Path], None], code: str, submit: Submit, tmp_path: Path
) -> None:
    folder, canary = tmp_path / "painter", tmp_path / "canary"
    make_hostile(folder, spoil, canary)
    status, answer = submit("--t2i", f"diffusers:{folder}", "--modes", "image")
    assert status == 1
    assert code in refused(answer)
    assert not canary.exists()
    assert not (tmp_path / "cmc-store").exists()
    status, answer = submit("--codec", "jpeg:30")
    assert (status, answer["status"]) == (0, "PENDING")
    assert [entry.state.status for entry in FolderStore("cmc-store").queue()] == [Status.PENDING]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--t2i", "diffusers:../../etc/x"), "MODEL_NOT_FOUND"),
        (("--t2i", "diffusers:acme/x\a"), "MODEL_NOT_FOUND"),
        (("--t2i", "diffusers:acme/x\u202egpj"), "MODEL_NOT_FOUND"),
        (("--t2i", "diffusers:<img src=x>/y"), "MODEL_NOT_FOUND"),
        (("--t2i", f"start-image?{FIELDS}"), "BAD_FORM"),
        (("--t2i", "start-image?x"), "BAD_FORM"),
        (("--t2i", "magic:x"), "BAD_FORM"),
        (("--t2i", "start-image", "--dataset", "../../etc"), "BAD_TEXT"),
        (("--t2i", "start-image", "--dataset", "<script>alert(1)</script>"), "BAD_TEXT"),
        (("--t2i", "start-image", "--comment", "a\x1b[2Jb"), "BAD_TEXT"),
        (("--t2i", "start-image", "--comment", "<img src=x onerror=alert(1)>"), "BAD_TEXT"),
        (("--t2i", "start-image", "--comment", "x" * 100_000), "BAD_TEXT"),
        (("--t2i", "start-image", "--paper", "javascript:alert(1)"), "BAD_TEXT"),
    ],
)
def test_hostile_text_is_refused_and_shown_only_in_printable_characters(
    options: tuple[str, ...], code: str, submit: Submit, tmp_path: Path
) -> None:
    status, answer = submit(*options, "--modes", "image")
    assert status == 1
    assert refused(answer) == {code}
    said = " ".join(finding["sentence"] + finding["remedy"] for finding in answer["findings"])
    assert said.isprintable()
    assert len(said) < 1000
    assert not (tmp_path / "cmc-store").exists()


@pytest.fixture
def store(hub: LoopbackHub, tmp_path: Path) -> HubStore:
    """A store for which ada and eve may submit; both have a model, of the same weights."""
    store = HubStore("acme/cmc", endpoint=hub.endpoint, token=hub.token, cache=tmp_path / "kept")
    store.create()
    for user, model in (("ada", "ada/painter"), ("eve", "eve/new-name")):
        hub.add_account(user, user, {"*": "read", "acme/cmc-requests": "write"})
        hub.api().create_repo(model)
        added = [CommitOperationAdd(path, content) for path, content in PAINTER.items()]
        hub.api().create_commit(model, added, commit_message="upload")
    return store


ONE_AFTER_ANOTHER = """
import contextlib, io, json, os, sys
from evaluator.__main__ import main
for token, command in json.loads(sys.argv[1]):
    os.environ["HF_TOKEN"] = token
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(command)
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""
"""One process for all of them: each would import the same libraries again."""


def test_the_weights_of_another_account_are_refused_until_a_maintainer_says_otherwise(
    hub: LoopbackHub, store: HubStore, images: Path, tmp_path: Path
) -> None:
    submit = ["submit", "--images", str(images), "--json", "--modes", "image"]
    submit += ["--store", "hub:acme/cmc", "--dataset", "three", "--t2i"]
    original, copy = [*submit, "diffusers:ada/painter"], [*submit, "diffusers:eve/new-name"]
    moved = [*copy, "--not-a-duplicate", "moved by its owner"]
    commands = [
        ("ada", original),
        ("eve", copy),
        ("eve", moved),
        (hub.token, [*copy, "--not-a-duplicate", "<b>moved</b>"]),
        (hub.token, moved),
    ]
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(commands)],
        env={**hub.environment(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [status for status, _, _ in said] == [0, 1, 1, 1, 0]
    queued, duplicate, _, markup, overruled = (json.loads(out or "{}") for _, out, _ in said)
    assert queued["status"] == overruled["status"] == "PENDING"
    assert refused(duplicate) == {"DUPLICATE_WEIGHTS"}
    (sentence,) = [one["sentence"] for one in duplicate["findings"] if one["refuses"]]
    assert sentence.startswith("the weights of eve/new-name are those of ada/painter")
    assert "only who may write acme/cmc-results decides that" in said[2][2]
    assert refused(markup) == {"BAD_TEXT"}
    assert [entry.request.submitter for entry in store.queue()] == ["ada", "tester"]
    (event,) = store.events(overruled["request_id"])
    assert event.reason == "submitted; not a duplicate: moved by its owner"
