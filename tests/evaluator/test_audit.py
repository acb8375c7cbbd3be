"""Results that a submitter made: self-reported until an audit, verified after one that agrees."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from made_bundle import better, forge, write_bundle

from evaluator.bench import Bench
from evaluator.intake import receive_all
from evaluator.reported import Bundle, TakenIn, check_reported, files_of, read_bundle
from evaluator.run import Evaluation, evaluate
from evaluator.worker import work
from protocol.audits import Audit, audit_names
from protocol.boards import result_rows
from protocol.errors import StoreError
from protocol.evidence import Evidence
from protocol.failures import FailureCode
from protocol.records import Request
from protocol.rules import Content, Mode, Track
from protocol.samples import Sample, parse_name
from protocol.states import Action, Status
from space.flags import row_flags
from submission.audits import audit_problems, file_audit, read_audits
from submission.ledger_check import check_ledger
from submission.store import FolderStore

Run = Callable[..., subprocess.CompletedProcess[str]]
SYSTEM = ("--codec", "jpeg:30", "--protocol", "demo-0", "--dataset", "three")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "cmc-store")


@pytest.fixture
def evaluation(ask: Callable[..., Request], make_bench: Callable[..., Bench]) -> Evaluation:
    return evaluate(ask(i2t=None, t2i=None, codec="jpeg:30", modes=(Mode.IMAGE,)), make_bench())


def source_of(run: Run) -> str:
    (row,) = json.loads(
        run("leaderboard", "--track", "codec", "--source", "results", "--json").stdout
    )
    return str(row["source"])


def test_honest_results_are_self_reported_then_audited_and_verified(
    cmc: Run, store: FolderStore, images: Path, tmp_path: Path
) -> None:
    where = ("--images", images)
    cmc("evaluate", *SYSTEM, *where, "--out", tmp_path / "mine")
    said = cmc("submit", "--results", tmp_path / "mine", *where).stdout
    assert "`cmc receive` takes its results in" in said
    (entry,) = store.queue()
    request_id = entry.request.request_id
    assert (entry.position, entry.progress) == (
        None,
        "came with its results, which wait to be received",
    )
    assert "which wait to be received" in cmc("queue").stdout
    # No worker runs what its submitter has run.
    said = cmc("work", *where).stdout
    assert said == "0 finished, 0 failed, 0 still waiting; `cmc receive` takes 1 more in\n"
    received = cmc("receive", *where).stdout
    assert received == f"{request_id} is FINISHED; `cmc audit` may verify it\n"
    assert cmc("receive").stdout == "no results wait to be received\n"
    assert source_of(cmc) == "self-reported"
    assert "1 result recomputed" in cmc("verify").stdout
    head = store.ledger.refresh().sha256
    audited = cmc("audit", request_id, *where).stdout
    assert "3 of 3 decoded pictures are equal" in audited
    assert "were run again by the maintainers and agree" in audited
    assert source_of(cmc) == "verified"
    assert "1 result recomputed" in cmc("verify").stdout
    (audit,) = read_audits(store.ledger, store.state(request_id).files)
    assert (audit.salt, audit.agrees) == (head, True)
    assert [event.action for event in store.events(request_id)] == [
        *(Action.SUBMIT, Action.CLAIM, Action.FINISH, Action.AUDIT),
    ]
    (result,) = store.results()
    assert row_flags([result], [], Evidence()) == {}
    # Such a run tells nothing about how long a worker takes.
    assert list(store.ledger.refresh().durations) == []


def test_a_submitted_model_is_audited_in_a_process_without_tokens(
    cmc: Run,
    captions: Path,
    images: Path,
    t2i: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = captions.parent
    system = ("--i2t", f"file:{captions}", "--t2i", t2i, "--modes", "image", "--dataset", "three")
    where = ("--images", images)
    cmc("evaluate", *system, "--protocol", "demo-0", *where, "--out", folder / "mine")
    cmc("submit", "--results", folder / "mine", *where)
    cmc("receive", *where)
    # An interpreter looks here for code to run at its start; it stands for submitted code.
    (folder / "spy").mkdir()
    (folder / "spy" / "sitecustomize.py").write_text(
        f"import os\nopen({str(folder / 'seen')!r}, 'w').write(repr(dict(os.environ)))\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'spy'}:{ROOT}")
    monkeypatch.setenv("HF_TOKEN", "canary")
    (entry,) = json.loads(cmc("queue", "--json").stdout)
    audited = cmc("audit", entry["state"]["request_id"], *where).stdout
    assert "run again by the maintainers and agree" in audited
    assert "3 of 3 decoded pictures are equal" in audited
    assert "PATH" in (folder / "seen").read_text()
    assert "canary" not in (folder / "seen").read_text()


def test_forged_scores_do_not_agree_and_the_row_says_so(
    cmc: Run, store: FolderStore, evaluation: Evaluation, images: Path, tmp_path: Path
) -> None:
    where = ("--images", images)
    forged = forge(tmp_path / "forged", evaluation, better)
    cmc("submit", "--results", forged, *where)
    cmc("receive", *where)
    request_id = evaluation.result.request.request_id
    assert "do not agree: image fr is" in cmc("audit", request_id, *where, status=1).stdout
    assert source_of(cmc) == "self-reported"
    assert cmc("verify").returncode == 0
    (result,) = store.results()
    (row,) = result_rows([result], Track.CODEC, None)
    assert row.overall is None
    assert row.scores
    (flag,) = row_flags([result], [], Evidence())[request_id]
    assert flag.short == "audit differs"
    assert "run again by the maintainers and do not agree: image fr is" in flag.text
    # The newest audit decides.
    (audit,) = read_audits(store.ledger, store.state(request_id).files)
    found = audit.replication
    agreeing = tuple(replace(one, agrees=True) for one in found.agreements)
    later = replace(found, agreements=agreeing, replicated_at="2100-01-01T00:00:00.000Z")
    file_audit(store.ledger, replace(audit, replication=later))
    assert store.results()[0].source == "verified"


def test_forged_means_are_refused_when_they_are_sent_and_when_they_are_taken_in(
    cmc: Run, store: FolderStore, evaluation: Evaluation, images: Path, tmp_path: Path
) -> None:
    first, *others = evaluation.result.scores
    scores = (replace(first, mean=9.0), *others)
    result = replace(evaluation.result, scores=scores)
    folder = write_bundle(tmp_path / "b", Evaluation(result, evaluation.per_image, ()))
    refused = cmc("submit", "--results", folder, "--images", images, status=1).stderr
    assert "the means are not those of the single pictures" in refused
    assert "mean=9.0" in refused
    assert store.queue() == []
    # Past the checks, as who writes into the store himself can.
    request = evaluation.result.request
    store.submit(request, attached=files_of(request.request_id, read_bundle(folder)))
    said = cmc("receive", status=1).stdout
    assert "is FAILED: the means are not those of the single pictures" in said
    state = store.state(request.request_id)
    assert state.failure is not None
    assert (state.failure.code, state.failure.stage) == (FailureCode.RESULTS_REFUSED, "receive")
    assert store.results() == []
    assert check_ledger(store.ledger).problems == []
    # And what failed may be sent again, to be run by a worker this time.
    store.submit(request)
    assert store.queue()[0].position == 1


def test_files_that_are_too_large_or_too_few_are_not_read(
    store: FolderStore, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    request = evaluation.result.request
    files = files_of(request.request_id, read_bundle(write_bundle(tmp_path / "b", evaluation)))
    store.submit(request, attached={p: data for p, data in files.items() if p.endswith("json")})
    (state,) = receive_all(store, "maintainer")
    assert state.failure is not None
    assert state.failure.message == "came with json, wanted one json and one parquet"
    monkeypatch.setitem(__import__("evaluator.intake").intake.LARGEST, "parquet", 10)
    store.submit(request, attached=files)
    (state,) = receive_all(store, "maintainer")
    assert state.failure is not None
    assert "wanted 10 at most" in state.failure.message


def test_results_that_are_withdrawn_while_they_are_looked_at_keep_no_others_from_being_taken_in(
    store: FolderStore, evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    of_another = replace(evaluation.result, request=replace(evaluation.result.request, dataset="b"))
    ids = []
    for result in (evaluation.result, of_another):
        folder = write_bundle(tmp_path / result.request.dataset, replace(evaluation, result=result))
        ids.append(result.request.request_id)
        store.submit(result.request, attached=files_of(ids[-1], read_bundle(folder)))

    def check(bundle: Bundle, request: Request, images: Path | None) -> TakenIn:
        if request.request_id == ids[0]:
            FolderStore(store.folder).withdraw(ids[0], request.submitter, "wrong weights")
        return check_reported(bundle, request, images)

    monkeypatch.setattr("evaluator.intake.check_reported", check)
    (state,) = receive_all(store, "maintainer")
    assert (state.request_id, state.status) == (ids[1], Status.FINISHED)
    assert store.state(ids[0]).status is Status.WITHDRAWN
    assert check_ledger(store.ledger).problems == []


def test_only_rows_that_came_with_their_results_are_audited(
    store: FolderStore, evaluation: Evaluation, make_bench: Callable[..., Bench], cmc: Run
) -> None:
    request = evaluation.result.request
    with pytest.raises(StoreError, match="holds no request"):
        receive_all(store, "maintainer", only=request.request_id)
    store.submit(request)
    with pytest.raises(StoreError, match=r"no results of request .* wait; it is PENDING"):
        receive_all(store, "maintainer", only=request.request_id)
    bench = make_bench()
    assert work(store, bench, once=True, say=lambda _: None).finished == 1
    refused = cmc("audit", request.request_id, "--images", bench.images, status=1).stderr
    assert "was not handed in as results" in refused


def test_a_receiver_that_died_is_followed_by_the_next_one_and_by_no_worker(
    store: FolderStore, evaluation: Evaluation, tmp_path: Path
) -> None:
    request = evaluation.result.request
    files = files_of(request.request_id, read_bundle(write_bundle(tmp_path / "b", evaluation)))
    store.submit(request, attached=files)
    claim = store.take("first", reported=True)
    assert claim is not None
    store.ledger.let_go(claim.lease.nonce)
    # As the kernel leaves the lock of a process that is gone.
    (store.folder / "locks" / f"{claim.lease.nonce}.lock").touch()
    assert store.take("worker") is None
    (state,) = receive_all(FolderStore(store.folder), "second")
    assert (state.status, state.worker) == (Status.FINISHED, "second")


def test_pictures_are_drawn_by_a_line_that_came_after_the_results(
    cmc: Run, store: FolderStore, evaluation: Evaluation, images: Path, tmp_path: Path
) -> None:
    folder, where = write_bundle(tmp_path / "b", evaluation), ("--images", images)
    cmc("submit", "--results", folder, *where)
    early = store.ledger.refresh().sha256
    cmc("receive")
    request_id = evaluation.result.request.request_id
    cmc("audit", request_id, *where)
    (audit,) = read_audits(store.ledger, store.state(request_id).files)
    names = [sample.name for sample in map(parse_name, audit.replication.names)]

    def problems(*audits: Audit) -> list[str]:
        return audit_problems(store.ledger, audits, lambda _: names)

    assert problems(audit) == []
    for salt in (early, "0" * 64):
        (problem,) = problems(replace(audit, salt=salt))
        assert "was not drawn by a line after its results were taken in" in problem
    fewer = replace(audit.replication, names=tuple(names[:2]))
    (problem,) = problems(replace(audit, replication=fewer))
    assert "is of other pictures than its line of the ledger draws" in problem


def test_a_share_has_every_content_and_another_line_draws_other_pictures() -> None:
    samples = [
        Sample(name=f"{content}_x_{at:03d}.png", content=content, source="x")
        for content, count in ((Content.NSI, 400), (Content.SCI, 300), (Content.AIGI, 300))
        for at in range(count)
    ]
    drawn = [audit_names(samples, 0.05, "a" * 20, f"{salt:064x}") for salt in range(200)]
    assert {len(names) for names in drawn} == {50}
    assert len(set(drawn)) == 200
    kinds = [name.partition("_")[0] for name in drawn[0]]
    assert [kinds.count(content) for content in Content] == [20, 15, 15]
    # No picture is safe, and none is looked at always.
    counts = {s.name: sum(s.name in names for names in drawn) for s in samples}
    assert 0 < min(counts.values()) <= max(counts.values()) < 40
    assert len(audit_names(samples[:1] + samples[400:401] + samples[-1:], 0.05, "a", "b")) == 3
    assert len(audit_names(samples, 0.0501, "a", "b")) == 51
