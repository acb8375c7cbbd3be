"""`cmc queue` changes where a request stands: one's own, and as a maintainer everybody's."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_store import add_result

from evaluator.__main__ import main
from protocol.failures import FailureCode
from protocol.states import Status
from submission.queue import make_failure
from submission.store import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_a_maintainer_withdraws_somebody_s_row_and_has_to_say_why(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    request_id = add_result(store, "a", 1.0).request.request_id
    before = add_result(store, "old", 1.0).request.request_id
    store.supersede(before, request_id, "tests")
    command = ["queue", "--store", str(store.folder), "--withdraw", request_id]
    assert main(command) == 1
    assert "is tests's: say why with --reason" in capsys.readouterr().err
    assert store.state(request_id).status is Status.FINISHED
    assert main([*command, "--reason", "forged scores"]) == 0
    assert capsys.readouterr().out == (
        f"{request_id} is WITHDRAWN\n{before}, whose place it had taken, stands again\n"
    )
    last = store.events(request_id)[-1]
    assert last.actor.startswith("local:")
    assert last.reason == "forged scores"


def test_two_revisions_of_a_model_have_two_titles_on_a_board(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, level, revision in (("a", 1.0, "1" * 40), ("a", 2.0, "2" * 40), ("b", 0.0, "3" * 40)):
        add_result(store, name, level, revision=revision)
    assert main(["leaderboard", "--track", "t2i-ulb", "--store", str(store.folder)]) == 0
    titles = [line[6:35].rstrip() for line in capsys.readouterr().out.splitlines()[2:]]
    partner = "a with gpt4v.csv"
    assert [title.partition(" (")[0] for title in titles] == [
        *(f"{partner} [22222222]", f"{partner} [11111111]", "b"),
    ]


def test_a_change_is_told_as_json_too_and_what_would_decide_nothing_is_refused(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    request_id = add_result(store, "a", 1.0).request.request_id
    command = ["queue", "--store", str(store.folder)]
    for options, message in (
        (["--follow"], "--follow is about --log ID"),
        (["--reason", "forged scores"], "--reason is about --withdraw ID"),
    ):
        assert main([*command, *options]) == 1
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--withdraw", request_id, "--history", request_id])
    assert "not allowed with argument" in capsys.readouterr().err
    assert store.state(request_id).status is Status.FINISHED
    assert main([*command, "--withdraw", request_id, "--reason", "forged scores", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["request_id"], told["status"]) == (request_id, "WITHDRAWN")


@pytest.mark.parametrize(
    "command",
    [
        *(["leaderboard", "--source", "results"], ["receive"], ["freeze"], ["changes"], ["plan"]),
        *(["audit", "0", "--images", "x"], ["reproduce", "0", "--images", "x"]),
        ["rescore", "--indicator", "psnr", "--images", "x"],
    ],
)
def test_a_folder_that_is_no_store_is_neither_shown_nor_worked_on_nor_made(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--store", str(tmp_path / "stroe")]) == 1
    assert "stroe is no store: it is no folder" in capsys.readouterr().err
    assert not (tmp_path / "stroe").exists()


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("a\nb\x1b[31m", r"BAD_TEXT: reason holds characters that cannot be seen \(U\+001B\)"),
        ("a\nb", r"BAD_TEXT: reason holds characters that cannot be seen \(U\+000A\)"),
        ("x" * 5000, r"BAD_TEXT: reason has 5,000 characters \(shorten it to 500\)"),
        ("<img src=x>", "BAD_TEXT: reason holds markup"),
    ],
)
def test_a_reason_is_one_line_that_hides_nothing(
    store: FolderStore, reason: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request_id = add_result(store, "a", 1.0).request.request_id
    command = ["queue", "--store", str(store.folder), "--withdraw", request_id]
    assert main([*command, "--reason", reason]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert store.state(request_id).status is Status.FINISHED


def test_what_the_store_holds_is_printed_without_what_moves_a_terminal(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    request = add_result(store, "a", 1.0).request
    store.remove(request.request_id, "ada", "a\nb\x1b[31m")
    command = ["queue", "--store", str(store.folder)]
    assert main([*command, "--history", request.request_id]) == 0
    assert capsys.readouterr().out.endswith("ada  a\\u000ab\\u001b[31m\n")
    store.submit(replace(request, dataset="x"))
    with store.claim("w") as claim:
        assert claim is not None
        message = "first\nsecond\x1b[31m " + "m" * 2000
        store.fail(claim, make_failure(FailureCode.INPUT_REFUSED, "\x1b", message, "log\x1b[2J"))
        failed = claim.request.request_id
    for asked in (["--history", failed], ["--log", failed], ["--all"]):
        assert main([*command, *asked]) == 0
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "INPUT_REFUSED in \\u001b: first" in said
    assert main([*command, "--history", failed]) == 0
    said = capsys.readouterr().out
    assert "m" * 2000 in said
    assert said.endswith("\nlog\\u001b[2J\n")


def test_the_history_of_nothing_is_refused(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    add_result(store, "a", 1.0)
    for option in ("--history", "--log"):
        assert main(["queue", "--store", str(store.folder), option, "zzz"]) == 1
        assert "the store holds no request 'zzz'; see `cmc queue`" in capsys.readouterr().err


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
