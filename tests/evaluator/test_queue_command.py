"""`cmc queue` changes where a request stands: one's own, and as a maintainer everybody's."""

from dataclasses import replace
from pathlib import Path

import pytest
from made_store import add_result

from evaluator.__main__ import main
from protocol.states import Status
from submission.store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_a_maintainer_withdraws_somebody_s_row_and_has_to_say_why(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    request_id = add_result(store, "a", 1.0).request.request_id
    command = ["queue", "--store", str(store.folder), "--withdraw", request_id]
    assert main(command) == 1
    assert "is tests's: say why with --reason" in capsys.readouterr().err
    assert store.state(request_id).status is Status.FINISHED
    assert main([*command, "--reason", "forged scores"]) == 0
    assert capsys.readouterr().out == f"{request_id} is WITHDRAWN\n"
    last = store.events(request_id)[-1]
    assert last.actor.startswith("local:")
    assert last.reason == "forged scores"


def test_a_maintainer_lets_a_request_run_first(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    done = add_result(store, "a", 1.0).request
    ids = [store.submit(replace(done, dataset=name)).state.request_id for name in ("x", "y")]
    command = ["queue", "--store", str(store.folder), "--prioritise", ids[1]]
    assert main([*command, "soon"]) == 1
    assert "'soon' is no priority; wanted a whole number" in capsys.readouterr().err
    assert main([*command, "5"]) == 0
    claim = store.take("worker")
    assert claim is not None
    assert claim.request.request_id == ids[1]
