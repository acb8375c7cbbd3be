"""What people and machines are told of a run, and what it says of itself afterwards."""

import io
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evaluator.bench import Bench
from evaluator.progress import progress_bars, progress_events
from evaluator.run import evaluate
from evaluator.summary import summarise
from evaluator.timesheet import Timesheet
from protocol.jsonable import from_json, to_json
from protocol.records import Request, Result, RunReport
from protocol.rules import Mode


def test_events_are_lines_of_json_that_end_where_the_stage_ends(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    stream = io.StringIO()
    with progress_events(stream) as report:
        evaluate(ask(modes=(Mode.PIXEL, Mode.IMAGE)), replace(make_bench(), report=report))
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    last = {event["stage"]: (event["done"], event["total"]) for event in events}
    assert last == {"encode": (6, 6), "decode": (6, 6), "score": (6, 6)}
    assert all(event["per_second"] > 0 for event in events)


def test_notes_of_overlapping_stages_come_one_at_a_time(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    notes: list[str] = []
    with progress_bars(notes.append) as report:
        evaluate(ask(modes=(Mode.IMAGE,)), replace(make_bench(), report=report))
    assert {"encode 3/3", "decode 3/3", "score 3/3"} <= set(notes)


def test_what_other_processes_did_is_in_the_report_of_a_run() -> None:
    timesheet = Timesheet()
    for gpu, idle in ((5, 0.25), (7, 0.5)):
        timesheet.absorb(
            RunReport(
                wall_seconds=1e6,
                other_seconds=1e6 * idle,
                busy_seconds={"decode": 2.0},
                peak_memory_bytes=1 << 50,
                peak_gpu_bytes=gpu,
            )
        )
    report = timesheet.report(smallest_batch=1, price_per_hour=None)
    assert (report.peak_memory_bytes, report.peak_gpu_bytes) == (1 << 50, 7)
    assert (report.busy_seconds, report.other_seconds) == ({"decode": 4.0}, 0.0)


def test_a_result_holds_its_report_and_an_older_one_has_an_empty_one(
    ask: Callable[..., Request], make_bench: Callable[..., Bench]
) -> None:
    bench = replace(make_bench(), price_per_hour=3.0)
    result = evaluate(ask(modes=(Mode.IMAGE,)), bench).result
    report = result.run
    assert set(report.busy_seconds) == {
        *("calibration", "vvc", "vvc decode", "decode", "ms_ssim", "piqe")
    }
    assert report.pictures["decode"] == 3
    assert 0 <= report.other_seconds <= report.wall_seconds
    assert report.cost == pytest.approx(report.wall_seconds / 1200)
    assert from_json(Result, to_json(result)) == result
    older = json.loads(to_json(result))
    del older["run"]
    assert from_json(Result, json.dumps(older)).run == RunReport()
    text = "\n".join(summarise(report))
    assert "from the cache: picture 0 of 3, reference 0 of 3, score 0 of 6" in text
    assert "cost 0.0" in text


def test_evaluate_prints_the_report_or_events(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path
) -> None:
    options = ("evaluate", "--codec", "jpeg:20", "--images", images, "--protocol", "demo-0")
    done = cmc(*options, "--out", "o", "--json", "--price-per-hour", "2")
    assert json.loads(done.stdout)["run"]["pictures"]["jpeg"] == 3
    assert json.loads(done.stderr.splitlines()[-1])["done"] == 3
    again = cmc(*options, "--out", "o", "--no-overlap", "--lanes", "2", "--batch-size", "2")
    assert "from the cache: picture 3 of 3, reference 3 of 3, score 6 of 6" in again.stdout
