"""Three pictures first: what they tell, what they stop, and that nothing is made twice."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from evaluator.bench import Bench
from evaluator.execution import run_here
from evaluator.failures import failure_of
from evaluator.isolation import _hear
from evaluator.run import evaluate
from evaluator.smoke import smoke_test
from protocol.errors import FruitlessError, SmokeTestError
from protocol.failures import FailureCode
from protocol.jsonable import to_plain
from protocol.records import Request
from protocol.rules import Mode
from protocol.smoke import FAULT_MARK, LOG_MARK, SMOKE_MARK, SmokeReport
from submission.ledger_check import check_ledger
from submission.queue import make_failure
from submission.store import FolderStore


def test_a_smoke_test_says_what_each_mode_takes_and_the_run_makes_nothing_twice(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path, t2i: str
) -> None:
    Image.open(images / "NSI_pgc_000.png").rotate(90).save(images / "NSI_pgc_009.png")
    request = ask(modes=(Mode.IMAGE,), i2t=None, t2i=t2i)
    bench = make_bench()
    report = smoke_test(request, bench)
    assert len(report.names) == 3
    assert {name.partition("_")[0] for name in report.names} == {"NSI", "SCI", "AIGI"}
    (mode,) = report.modes
    assert mode.images == 3
    assert not mode.failures
    assert 0 < mode.decode_seconds < report.seconds
    assert "smoke test of 3 pictures" in report.sentence
    made = {p: p.stat().st_mtime_ns for p in bench.cache.folder.glob("picture/*/*.json")}
    assert len(made) == 3
    evaluation = evaluate(request, bench)
    assert evaluation.result.images == 4
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())


def test_a_run_of_many_pictures_begins_with_three(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = ask(modes=(Mode.IMAGE,), i2t=None)
    told: list[str] = []
    run_here(request, make_bench(), told.append)
    assert not any("smoke" in line for line in told)
    monkeypatch.setattr("evaluator.execution.SMOKE_FROM", 3)
    run_here(request, make_bench(), told.append)
    assert any(line.startswith("smoke test of 3 pictures") for line in told)


def test_a_report_comes_through_the_pipe_of_a_process_and_stays_with_its_request(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    request = ask(modes=(Mode.IMAGE,), i2t=None)
    report = smoke_test(request, make_bench())
    notes: list[str] = []
    told: list[SmokeReport] = []
    logged: list[str] = []
    smoke, log = SMOKE_MARK + json.dumps(to_plain(report)), LOG_MARK + json.dumps("two\nlines")
    fault, faults = FAULT_MARK + json.dumps("the disk /x is full"), list[str]()
    for line in ("decode 1 of 3", smoke, SMOKE_MARK + "{}", log, LOG_MARK + "none", fault):
        _hear(line, note=notes.append, tell=told.append, log=logged.append, fault=faults.append)
    assert faults == ["the disk /x is full"]
    assert (notes, told, logged) == (["decode 1 of 3"], [report], ["two\nlines"])
    store = FolderStore(tmp_path / "store")
    store.submit(request)
    with store.claim("worker") as claim:
        assert claim is not None
        store.report_smoke(claim, told[0])
        store.fail(claim, make_failure(FailureCode.INPUT_REFUSED, "evaluate", "later"))
    assert FolderStore(store.folder).state(request.request_id).smoke == report
    assert check_ledger(store.ledger).problems == []
    # Who sends it again begins anew.
    store.submit(request)
    assert store.state(request.request_id).smoke is None


def test_pictures_of_one_colour_stop_the_run(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], images: Path
) -> None:
    for path in images.iterdir():
        Image.new("RGB", (192, 176), (9, 9, 9)).save(path)
    request = ask(modes=(Mode.PIXEL,))
    with pytest.raises(SmokeTestError, match="of one colour") as caught:
        smoke_test(request, make_bench())
    assert caught.value.code == "FLAT_PICTURES"


def test_a_mode_without_a_single_picture_stops_the_run_with_its_code(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    request = ask(modes=(Mode.IMAGE,), i2t=None)
    bench = make_bench()
    smoke_test(request, bench)
    for path in bench.cache.folder.glob("picture/*/*.json"):
        entry = json.loads(path.read_text())
        entry |= {"failure_code": "NAN_OUTPUT", "failure_message": "all is NaN"}
        path.write_text(json.dumps(entry))
    with pytest.raises(SmokeTestError, match="none of 3 pictures was made") as caught:
        smoke_test(request, bench)
    assert caught.value.code == "NAN_OUTPUT"


def silence(captions: Path) -> None:
    """Make a caption file that says nothing of any picture."""
    title, *lines = captions.read_text().splitlines()
    captions.write_text("\n".join([title, *(f"{x.partition(',')[0]}, " for x in lines)]) + "\n")


def test_a_run_without_a_single_score_fails_with_the_code_of_its_pictures(
    ask: Callable[..., Request], make_bench: Callable[..., Bench], captions: Path
) -> None:
    silence(captions)
    with pytest.raises(
        FruitlessError, match=r"none of 6 .* the first: the I2T model said"
    ) as of_all:
        run_here(ask(modes=(Mode.PIXEL, Mode.FULL)), make_bench(), print)
    assert failure_of(of_all.value).code is FailureCode.EMPTY_CAPTION
    with pytest.raises(SmokeTestError, match="in pixel mode none of 3") as of_three:
        smoke_test(ask(modes=(Mode.PIXEL, Mode.FULL)), make_bench())
    assert failure_of(of_three.value).code is FailureCode.EMPTY_CAPTION
    # What image mode makes is a row, as before.
    assert run_here(ask(), make_bench(), print).result.images == 3


def test_a_run_on_pictures_too_small_for_every_indicator_says_so(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("evaluator.score._checked", lambda _: (None, "PICTURE_TOO_SMALL"))
    with pytest.raises(FruitlessError, match="most are PICTURE_TOO_SMALL") as caught:
        run_here(ask(modes=(Mode.IMAGE,), i2t=None), make_bench(), print)
    assert failure_of(caught.value).code is FailureCode.PICTURE_TOO_SMALL


def test_cmc_evaluate_of_nothing_that_can_be_scored_writes_what_it_has_and_exits_with_1(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    images: Path,
    captions: Path,
    tmp_path: Path,
) -> None:
    silence(captions)
    done = cmc(
        *("evaluate", "--i2t", f"file:{captions}", "--t2i", "start-image", "--mode", "full"),
        *("--images", images, "--protocol", "demo-0", "--out", tmp_path / "out"),
        status=1,
    )
    assert "cmc evaluate: none of 3 decoded files has a score; the first: " in done.stderr
    assert "look at its prompt" in done.stderr
    assert (tmp_path / "out" / "result.json").is_file()
    assert len(list((tmp_path / "out" / "files").glob("full/*.cmc"))) == 3


def test_the_command_says_what_the_whole_run_would_take(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path
) -> None:
    done = cmc("smoke", "--codec", "jpeg:30", "--images", images, "--protocol", "demo-0", "--json")
    told = json.loads(done.stdout)
    assert told["modes"][0]["images"] == 3
    assert told["whole_run_minutes"] > 0


def test_a_request_keeps_its_id_whatever_is_declared_of_it(ask: Callable[..., Request]) -> None:
    request = ask()
    declared = replace(request, declared={"paper": "https://x"}, fingerprints=("a",))
    assert declared.request_id == request.request_id
