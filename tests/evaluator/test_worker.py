"""The worker as a process: killed, on a full disk, and started again."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from conftest import environment

from evaluator.bench import Bench
from evaluator.run import evaluate
from evaluator.worker import work
from protocol.records import Request
from protocol.states import Action
from submission.store import FolderStore


def test_a_killed_worker_is_taken_over_and_nothing_is_decoded_twice(
    ask: Callable[..., Request],
    make_bench: Callable[..., Bench],
    images: Path,
    t2i: str,
    tmp_path: Path,
) -> None:
    store = FolderStore(tmp_path / "cmc-store")
    request = ask(t2i=f"{t2i}?steps=10")
    store.submit(request)
    pictures = tmp_path / "cache" / "picture"
    worker = subprocess.Popen(
        [sys.executable, "-m", "evaluator", "work", "--once", "--images", str(images)],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while len(list(pictures.glob("*/*.json"))) < 2 and worker.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    before = {path: path.stat().st_mtime_ns for path in pictures.glob("*/*.json")}
    assert 2 <= len(before) <= 12
    done = work(store, make_bench(), once=True, say=print, isolate=False)
    assert done.finished == 1
    after = {path: path.stat().st_mtime_ns for path in pictures.glob("*/*.json")}
    assert len(after) == 12
    assert all(after[path] == when for path, when in before.items())
    actions = [event.action for event in store.events(request.request_id)]
    assert actions == [Action.SUBMIT, Action.CLAIM, Action.CLAIM, Action.FINISH]

    (result,) = store.results()
    undisturbed = evaluate(request, make_bench("fresh")).result
    assert [score.mean for score in result.scores] == [score.mean for score in undisturbed.scores]


def test_a_full_disk_ends_in_one_sentence_and_keeps_earlier_results(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path, tmp_path: Path
) -> None:
    cmc("submit", "--codec", "vvc:50", "--images", images, "--protocol", "demo-0")
    cmc("work", "--once", "--images", images)
    cmc("submit", "--codec", "vvc:20", "--images", images, "--protocol", "demo-0")
    # A limit on the size of files is how a process can be made to meet a full disk.
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16000, 16000));"
        "from evaluator.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "work", "--once", "--images", str(images)],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "cmc work: [Errno 27] File too large: " in done.stderr
    assert "Traceback" not in done.stderr
    statuses = {e["label"]: e["state"]["status"] for e in json.loads(cmc("queue", "--json").stdout)}
    assert statuses == {"VVC QP 50": "FINISHED", "VVC QP 20": "PENDING"}
    assert cmc("work", "--once", "--images", images).stdout.startswith("1 finished")
