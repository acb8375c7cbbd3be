"""The commands on a store of the Hub, and rows that are not what their scores say."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub

from evaluator.__main__ import main
from evaluator.bench import Bench
from evaluator.recompute import recompute_problems
from evaluator.run import evaluate
from protocol.records import Request
from submission.store import FolderStore


def test_a_result_is_recomputed_from_its_scores_and_a_better_mean_is_found(
    make_bench: Callable[..., Bench], ask: Callable[..., Request], tmp_path: Path
) -> None:
    request = ask()
    evaluation = evaluate(request, make_bench())
    path = tmp_path / "scores.parquet"
    path.write_bytes(evaluation.per_image)
    assert recompute_problems(evaluation.result, path) == []
    first, *others = evaluation.result.scores
    assert first.mean is not None
    better = replace(first, mean=first.mean + 1e-6)
    forged = replace(evaluation.result, scores=(better, *others))
    (problem,) = recompute_problems(forged, path)
    assert "scores say" in problem
    smaller = replace(evaluation.result.rates[0], bits_per_pixel=1e-9)
    forged = replace(evaluation.result, rates=(smaller, *evaluation.result.rates[1:]))
    (problem,) = recompute_problems(forged, path)
    assert "rates say" in problem
    result = evaluation.result
    slower = replace(result.costs[-1], decode_seconds=result.costs[-1].decode_seconds + 1)
    for forged, said in (
        (replace(result, costs=(*result.costs[:-1], slower)), "costs say"),
        (replace(result, scores=result.scores[:-1]), "scores written, "),
        (replace(result, costs=(*result.costs, slower)), "costs written, "),
        (replace(result, images=result.images + 1), f"images written, {result.images} have scores"),
    ):
        (problem,) = recompute_problems(forged, path)
        assert said in problem
    path.write_bytes(evaluation.per_image + b" ")
    (problem,) = recompute_problems(evaluation.result, path)
    assert "not those that the result names" in problem


def test_verify_names_what_was_changed_and_exits_with_1(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    make_bench: Callable[..., Bench],
    ask: Callable[..., Request],
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "cmc-store")
    store.submit(ask())
    with store.claim("tests") as claim:
        assert claim is not None
        evaluation = evaluate(claim.request, make_bench())
        store.finish(claim, evaluation.result, evaluation.per_image)
    verified = cmc("verify").stdout
    assert "1 result recomputed from their scores" in verified
    noted = verified.split()[-1]
    assert main(["verify", str(store.folder), "--expect", noted]) == 0
    assert main(["verify", str(store.folder), "--expect", "f" * 64]) == 1
    assert main(["verify", str(store.folder), "--expect", noted[:8]]) == 1
    assert main(["freeze", "--store", str(store.folder), "--label", "v1"]) == 0
    assert ", 1 frozen board" in cmc("verify").stdout
    frozen = store.folder / "frozen" / "v1.json"
    good = frozen.read_text(encoding="utf-8")
    frozen.write_text(good.replace('"ledger_lines":3', '"ledger_lines":2'), encoding="utf-8")
    assert "line 2 of the ledger is not the one that it names" in cmc("verify", status=1).stdout
    frozen.write_text(good, encoding="utf-8")
    (path,) = (store.folder / "results").rglob("*.parquet")
    path.write_bytes(b"other")
    assert f"{path.name}: changed outside the ledger" in cmc("verify", status=1).stdout


def test_what_is_no_store_is_neither_checked_nor_worked_for(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    for name, found in (
        ("nowhere", "is no folder"),
        ("file", "is no folder"),
        ("other", "holds no ledger.jsonl"),
    ):
        path = tmp_path / name
        for command in (["verify", str(path)], ["work", "--store", str(path), "--once"]):
            more = ["--images", str(images)] if command[0] == "work" else ["--json"]
            assert main([*command, *more]) == 1
            said = capsys.readouterr()
            assert said.out == ""
            assert f"{path} is no store: it {found}; name the folder" in said.err
    assert not (tmp_path / "nowhere").exists()
    assert list((tmp_path / "other").iterdir()) == []
    new = str(tmp_path / "new")
    work = ["work", "--images", str(images), "--cache", str(tmp_path / "cache"), "--store", new]
    assert main([*work, "--create-store"]) == 0
    assert main(work) == 0
    assert main(["verify", new]) == 0


def test_submit_work_queue_leaderboard_and_verify_on_the_hub(
    hub: LoopbackHub, ask: Callable[..., Request], images: Path, tmp_path: Path
) -> None:
    request_id = ask(i2t=None, t2i=None, codec="vvc:53", dataset="images").request_id
    submit = ["submit", "--codec", "vvc:53", "--images", str(images), "--protocol", "demo-0"]
    board = ["leaderboard", "--track", "codec", "--source", "results", "--json"]
    commands = (
        ["work", "--images", str(images), "--create-store"],
        submit,
        ["work", "--images", str(images)],
        ["queue", "--json"],
        board,
        ["verify"],
        ["queue", "--withdraw", request_id],
        board,
    )
    # One process for all of them: each would import the same libraries again.
    code = (
        "import json, sys\n"
        "from evaluator.__main__ import main\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    assert main(command) == 0, command\n"
        "    print('\\0', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)],
        cwd=tmp_path,
        env={**hub.environment(tmp_path / "home"), **PATHS, "CMC_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = [part.strip() for part in done.stdout.split("\0")]
    assert said[0] == "0 finished, 0 failed, 0 still waiting"
    assert f"{request_id} is queued" in said[1]
    assert said[2].startswith("1 finished, 0 failed")
    (entry,) = json.loads(said[3])
    assert (entry["state"]["status"], entry["request"]["submitter"]) == ("FINISHED", "tester")
    assert [row["model"] for row in json.loads(said[4])] == ["VVC QP 53"]
    assert "1 result recomputed" in said[5]
    assert said[6] == f"{request_id} is WITHDRAWN"
    assert json.loads(said[7]) == []


PATHS = {"CMC_STORE": "hub:acme/cmc", "PYTHONPATH": str(ROOT)}
