"""How long `cmc submit` takes on a Hub with 5,000 requests, and how often it asks the Hub.

    python benchmarks/submit.py [--requests 5000] [--latency 0]

Each submission is a process that knows nothing yet: it checks a model of the Hub, pins it and
queues it. The time is the whole command's, Python's start included. The Hub is the tests' own on
the loopback, in another process. Writes benchmarks/results/submit.md.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "submission")]
os.environ["HF_HUB_DISABLE_XET"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

from huggingface_hub import CommitOperationAdd, HfApi  # noqa: E402
from made_models import PAINTER  # noqa: E402
from made_requests import request_for  # noqa: E402
from PIL import Image  # noqa: E402

from submission.store_hub import HubStore  # noqa: E402

MODEL = "acme/painter"
TIMES = 5
"""As many requests of one account may wait."""


class Submission(NamedTuple):
    """What one submission took."""

    seconds: float
    core_seconds: float
    """Of all its threads."""
    calls: Counter[str]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every call")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, _hub(options.latency) as hub:
        folder = Path(name)
        _fill(hub, folder, options.requests)
        made = [_submit(hub, folder, number) for number in range(TIMES)]
    text = _page(made, options, load)
    print(text)
    (ROOT / "benchmarks" / "results" / "submit.md").write_text(text, encoding="utf-8")


@contextmanager
def _hub(latency: float) -> Iterator[dict[str, str]]:
    """Yield the address and the token of a Hub."""
    command = [sys.executable, str(ROOT / "tests" / "loopback_hub.py"), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub:
        try:
            yield json.loads(hub.stdout.readline()) if hub.stdout else {}
        finally:
            hub.terminate()


def _fill(hub: dict[str, str], folder: Path, requests: int) -> None:
    """Make a model, a picture, its caption, and a store with requests."""
    (folder / "images").mkdir()
    Image.new("RGB", (64, 64)).save(folder / "images" / "NSI_pgc_000.png")
    (folder / "captions.csv").write_text("name,text\nNSI_pgc_000.png,black\n")
    api = HfApi(endpoint=hub["endpoint"], token=hub["token"])
    api.create_repo(MODEL)
    operations = [CommitOperationAdd(path, content) for path, content in PAINTER.items()]
    api.create_commit(MODEL, operations, commit_message="upload")
    kept = folder / "kept"
    store = HubStore("acme/cmc", endpoint=hub["endpoint"], token=hub["token"], cache=kept)
    store.create()
    store.submit_all([request_for(number) for number in range(requests)])


def _submit(hub: dict[str, str], folder: Path, number: int) -> Submission:
    home = str(folder / f"home{number}")
    seen = len(_calls(hub))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "evaluator", "submit", "--store", "hub:acme/cmc", "--yes"),
            *("--t2i", f"diffusers:{MODEL}?steps={10 + number}"),
            *("--i2t", f"file:{folder / 'captions.csv'}", "--images", str(folder / "images")),
        ],
        env={
            **os.environ,
            "HF_ENDPOINT": hub["endpoint"],
            "HF_TOKEN": hub["token"],
            "HF_HOME": home,
            "HOME": home,
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - started
    if "is queued" not in done.stdout:
        raise SystemExit(f"not queued: {done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    core = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Submission(seconds, core, Counter(call["operation"] for call in _calls(hub)[seen:]))


def _calls(hub: dict[str, str]) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{hub['endpoint']}/_test/calls") as answer:  # noqa: S310
        calls: list[dict[str, Any]] = json.load(answer)["calls"]
    return calls


def _page(made: list[Submission], options: argparse.Namespace, load: float) -> str:
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    rows = {
        "seconds on the clock": [one.seconds for one in made],
        "seconds of a core": [one.core_seconds for one in made],
        "calls of the Hub": [float(one.calls.total()) for one in made],
    }
    head = (
        f"`python benchmarks/submit.py`, {datetime.now(UTC):%Y-%m-%d}, {machine} with a load of "
        f"{load:.1f} at the start, Python {platform.python_version()}; Hub on the loopback, "
        f"{options.latency} s added to every call; {len(made)} times `cmc submit` of a model on "
        "the Hub, each in a new process with an empty cache, Python's start included."
    )
    lines = [f"# Submitting to a Hub with {options.requests:,} requests", "", head, ""]
    lines += ["| | fastest | median | slowest |", "|---|---|---|---|"]
    for name, values in rows.items():
        shown = (min(values), median(values), max(values))
        digits = 0 if name.startswith("calls") else 2
        lines.append(f"| {name} | {' | '.join(f'{value:.{digits}f}' for value in shown)} |")
    told = ", ".join(f"{what} {count}" for what, count in sorted(made[-1].calls.items()))
    lines += ["", f"The calls of the last: {told}. The first one closes the segment that the"]
    lines[-1] += " requests came with, which takes two more."
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
