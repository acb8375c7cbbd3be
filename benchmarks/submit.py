"""How long a submission takes on a Hub that holds 5,000 requests, and how often it calls the Hub.

    python benchmarks/submit.py [--requests 5000] [--latency 0]

The Hub is the tests' own on the loopback, without faults. Each submission is a process of its own
that knows nothing yet, as `cmc submit` is. Writes benchmarks/results/submit.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "submission")]

from made_requests import request_for  # noqa: E402 - tests are no package

from submission.store_hub import HubStore  # noqa: E402

TIMES = 7


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every call")
    parser.add_argument(
        "--one", nargs=3, metavar=("ENDPOINT", "TOKEN", "N"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    os.environ["HF_HUB_DISABLE_XET"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if options.one:
        _submit_one(*options.one)
        return
    text = _measure(options.requests, options.latency)
    print(text)
    (ROOT / "benchmarks" / "results" / "submit.md").write_text(text, encoding="utf-8")


def _submit_one(endpoint: str, token: str, name: str) -> None:
    import huggingface_hub

    # The client loads its parts when they are first named; that is starting, not submitting.
    huggingface_hub.HfApi, huggingface_hub.CommitOperationAdd, huggingface_hub.get_session  # noqa: B018
    begun = time.perf_counter()
    store = HubStore("acme/cmc", endpoint=endpoint, token=token)
    assert store.submit(request_for(name)).is_new  # noqa: S101
    print(time.perf_counter() - begun)


def _measure(requests: int, latency: float) -> str:
    command = [sys.executable, str(ROOT / "tests" / "loopback_hub.py"), "--latency", str(latency)]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as hub,
    ):
        try:
            told = json.loads(hub.stdout.readline()) if hub.stdout else {}
            endpoint, token = told["endpoint"], told["token"]
            store = HubStore("acme/cmc", endpoint=endpoint, token=token, cache=Path(folder))
            store.create()
            store.submit_all([request_for(quality) for quality in range(requests)])
            before = _calls(endpoint)
            submits, processes = [], []
            for number in range(TIMES):
                begun = time.perf_counter()
                one = [sys.executable, __file__, "--one", endpoint, token, f"new {number}"]
                done = subprocess.run(one, capture_output=True, text=True, check=True)
                processes.append(time.perf_counter() - begun)
                submits.append(float(done.stdout))
            calls = (_calls(endpoint) - before) / TIMES
        finally:
            hub.terminate()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    head = (
        f"`python benchmarks/submit.py`, {datetime.now(UTC):%Y-%m-%d}, {machine} that other work "
        f"shared, Python {platform.python_version()}; Hub on the loopback, {latency} s added to "
        f"every call; {TIMES} submissions, each in a new process."
    )
    lines = [f"# Submitting to a Hub with {requests:,} requests", "", head, ""]
    lines += ["| | median | slowest |", "|---|---|---|"]
    for name, seconds in (("submitting", submits), ("the process as a whole", processes)):
        lines.append(f"| {name}, s | {median(seconds):.2f} | {max(seconds):.2f} |")
    lines += [
        "",
        f"Calls of the Hub a submission: {calls:.1f}. The first one closes the segment",
        "",
    ]
    lines[-2] += " that the requests came with, which takes four more."
    return "\n".join(lines)


def _calls(endpoint: str) -> int:
    with urllib.request.urlopen(f"{endpoint}/_test/calls") as answer:  # noqa: S310
        return sum(json.load(answer)["counts"].values())


if __name__ == "__main__":
    main()
