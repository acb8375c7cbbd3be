"""The commands on a store of the Hub, and rows that are not what their scores say."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from conftest import environment
from loopback_hub import LoopbackHub

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
    assert "1 results recomputed from their scores" in cmc("verify").stdout
    (path,) = (store.folder / "results").rglob("*.parquet")
    path.write_bytes(b"other")
    assert f"{path.name}: changed outside the ledger" in cmc("verify", status=1).stdout


def test_submit_work_queue_leaderboard_and_verify_on_the_hub(
    hub: LoopbackHub, images: Path, tmp_path: Path
) -> None:
    def cmc(*arguments: object) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "evaluator", *map(str, arguments)],
            cwd=tmp_path,
            env={**environment(tmp_path), **hub.environment(tmp_path / "home"), **STORE},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    submit = ("submit", "--codec", "vvc:53", "--images", images, "--protocol", "demo-0")
    hub.api().create_repo("acme/cmc-requests", repo_type="dataset")
    assert "is queued" in cmc(*submit)
    assert cmc("work", "--images", images, "--create-store").startswith("1 finished, 0 failed")
    (entry,) = json.loads(cmc("queue", "--json"))
    assert (entry["state"]["status"], entry["request"]["submitter"]) == ("FINISHED", "tester")
    board = ("leaderboard", "--track", "codec", "--source", "results", "--json")
    (row,) = json.loads(cmc(*board))
    assert row["model"] == "VVC QP 53"
    assert "1 results recomputed" in cmc("verify")
    assert "WITHDRAWN" in cmc("queue", "--withdraw", entry["request"]["request_id"])
    assert json.loads(cmc(*board)) == []


STORE = {"CMC_STORE": "hub:acme/cmc", "PYTHONPATH": str(Path(__file__).parents[2])}
