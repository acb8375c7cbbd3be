"""On a Hub results are audited by who may write the results, and by no one else."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT
from loopback_hub import LoopbackHub
from made_bundle import write_bundle

from evaluator.bench import Bench
from evaluator.intake import receive_all
from evaluator.reported import files_of, read_bundle
from evaluator.run import Evaluation, evaluate
from protocol.audits import Audit
from protocol.errors import HubError, LedgerError
from protocol.records import Request
from protocol.replications import Replication
from protocol.rules import Mode
from protocol.states import Status
from submission.audits import file_audit
from submission.store_hub import HubStore

SYSTEM = ("--codec", "jpeg:30", "--protocol", "demo-0", "--dataset", "three")


@pytest.fixture
def evaluation(ask: Callable[..., Request], make_bench: Callable[..., Bench]) -> Evaluation:
    return evaluate(ask(i2t=None, t2i=None, codec="jpeg:30", modes=(Mode.IMAGE,)), make_bench())


def test_on_the_hub_a_submitter_writes_requests_alone_and_a_maintainer_verifies(
    hub: LoopbackHub, images: Path, tmp_path: Path
) -> None:
    rights = {"*": "read", "acme/cmc-requests": "write"}
    submitter = hub.add_account("submitters-token", "ada", rights)

    def run(token: str | None, *commands: list[str]) -> list[str]:
        code = (
            "import json, sys\n"
            "from evaluator.__main__ import main\n"
            "for command in json.loads(sys.argv[1]):\n"
            "    print(main(command), '\\0', flush=True)\n"
        )
        home = {**hub.environment(tmp_path / (token or "home"), token), "PYTHONPATH": str(ROOT)}
        home |= {"CMC_STORE": "hub:acme/cmc", "CMC_CACHE": str(tmp_path / "cache" / str(token))}
        done = subprocess.run(
            [sys.executable, "-c", code, json.dumps(commands)],
            cwd=tmp_path,
            env=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [part.strip() for part in (done.stdout + done.stderr).split("\0")]

    where = ["--images", str(images)]
    board = ["leaderboard", "--track", "codec", "--source", "results", "--json"]
    assert "`cmc work --create-store` makes" in run(submitter, ["work", *where])[-1]
    run(None, ["work", *where, "--create-store"])
    mine = run(
        submitter,
        ["evaluate", *SYSTEM, *where, "--out", "mine"],
        ["submit", "--results", "mine", *where],
        ["receive"],
        ["work", *where],
    )
    assert "`cmc receive` takes its results in" in mine[1]
    assert mine[2] == "1"
    assert mine[3] == "1"
    # What went wrong is on the other stream, in the order of the commands.
    assert "cmc receive: only who may write acme/cmc-results decides that" in mine[4]
    assert "cmc work: only who may write acme/cmc-results works for it" in mine[4]
    (claimed,) = [line.split()[0] for line in mine[1].splitlines() if "is queued" in line]
    said = run(
        None, ["receive", *where], board, ["audit", claimed, *where], board, ["verify"], ["queue"]
    )
    assert said[0].startswith(f"{claimed} is FINISHED")
    assert '"source": "self-reported"' in said[1]
    assert "run again by the maintainers and agree" in said[2]
    assert '"source": "verified"' in said[3]
    assert "1 result recomputed" in said[4]
    assert "FINISHED" in said[5]
    commits = [call for call in hub.calls("commit") if call.user == "ada"]
    assert {call.repo for call in commits} == {"acme/cmc-requests"}


def test_an_audit_that_a_submitter_files_himself_verifies_nothing(
    hub: LoopbackHub, evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = {"*": "read", "acme/cmc-requests": "write"}
    token = hub.add_account("submitters-token", "ada", rights)

    def open_hub(name: str, token: str) -> HubStore:
        return HubStore("acme/cmc", endpoint=hub.endpoint, token=token, cache=tmp_path / name)

    maintainers, mine = open_hub("m", hub.token), open_hub("a", token)
    maintainers.create()
    request = evaluation.result.request
    bundle = read_bundle(write_bundle(tmp_path / "b", evaluation))
    mine.submit(request, attached=files_of(request.request_id, bundle))
    (state,) = receive_all(maintainers, "maintainer")
    assert state.status is Status.FINISHED
    result = maintainers.results()[0]
    replication = Replication(
        schema_version=1,
        request_id=request.request_id,
        per_image_sha256=result.per_image_sha256,
        names=(),
        agreements=(),
        equal_pictures=0,
        pictures=0,
        replicated_by="ada",
        replicated_at="2026-01-01T00:00:00.000Z",
        provenance=result.provenance,
    )
    forged = Audit(schema_version=1, share=1.0, salt="", replication=replication)
    assert forged.agrees
    with pytest.raises(HubError, match="refused"):
        file_audit(mine.ledger, forged)
    assert maintainers.results()[0].source == "self-reported"
    # With a line of the ledger that he may write, and a file where he may write it.
    monkeypatch.setattr("submission.ledger_hub.RESULT_ROOMS", ("results/",))
    file_audit(mine.ledger, forged)
    monkeypatch.undo()
    with pytest.raises(LedgerError, match=r"audits/.* is missing"):
        maintainers.results()
