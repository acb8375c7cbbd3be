"""Twenty workers on one store, some of them killed, on a Hub with troubles: does every request end?

    python benchmarks/work_queue.py [--store folder|hub|both] [--requests 200] [--workers 20]
                                    [--seeds 2026,7]

Workers are processes; the work of a request is a sleep of half a second to a second and a half.
Of the first workers three in ten are killed with SIGKILL, at random moments, and of those that
replace the killed ones three in ten again; a run in which fewer die breaks a rule. The Hub is the
tests' own on the loopback, with 5 % 5xx, 5 % 409 or 412 on commits and 2 % time-outs; half of the
5xx and time-outs on commits come after the commit was made.
Writes benchmarks/results/queue.md.
"""

import argparse
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "submission")]

from made_requests import PER_IMAGE, request_for, result_of  # noqa: E402 - tests are no package

from protocol.errors import CMCError, LeaseError  # noqa: E402
from protocol.states import Action, Status  # noqa: E402
from submission.hub_files import Backoff  # noqa: E402
from submission.ledger import events_of  # noqa: E402
from submission.ledger_check import check_ledger  # noqa: E402
from submission.queue import Terms  # noqa: E402
from submission.store_folder import FolderStore  # noqa: E402
from submission.store_ledger import LedgerStore  # noqa: E402

TERMS = Terms(lease_seconds=40, grace_seconds=5)
KILLED = 0.3
RATES = ("--server-error", "0.05", "--conflict", "0.05", "--timeout", "0.02", "--hang", "1")
SETTLE_SECONDS = 3.0
"""Before the first kill: until then the workers start."""
PAUSE_SECONDS = (0.2, 1.6)
"""Between two kills, at random."""


def main() -> int:
    """Run what is asked for; the exit status is 1 when a rule was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", choices=["folder", "hub", "both"], default="both")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--seeds", default="2026,7", help="of one run each (default: 2026,7)")
    parser.add_argument("--worker", nargs=2, metavar=("ADDRESS", "SEED"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return _work(*options.worker)
    kinds = ["folder", "hub"] if options.store == "both" else [options.store]
    seeds = [int(seed) for seed in options.seeds.split(",")]
    reports = [_measure(kind, seed, options) for kind in kinds for seed in seeds]
    text = _page(reports, options)
    print(text)
    (ROOT / "benchmarks" / "results" / "queue.md").write_text(text, encoding="utf-8")
    return int(any(report.broken for report in reports))


def _open(address: str) -> LedgerStore:
    kind, _, rest = address.partition("=")
    if kind == "folder":
        return FolderStore(rest, terms=TERMS)
    from submission.store_hub import HubStore

    endpoint, token, cache = rest.split(" ")
    return HubStore(
        "acme/cmc",
        endpoint=endpoint,
        token=token,
        cache=Path(cache),
        terms=TERMS,
        timeout=20,
        # Shorter pauses than on the real Hub, whose commits take seconds.
        backoff=Backoff(first_seconds=0.1, limit_seconds=3, tries=60),
    )


def _work(address: str, seed: str) -> int:
    """Be a worker: run requests until none is open."""
    store, name, chance = _open(address), f"worker:{os.getpid()}", random.Random(seed)
    while True:
        try:
            with store.claim(name) as claim:
                if claim is not None:
                    time.sleep(chance.uniform(0.5, 1.5))
                    store.finish(claim, result_of(claim.request), PER_IMAGE)
            if claim is None:
                if not store.ledger.refresh().open:
                    return 0
                time.sleep(chance.uniform(1, 3))
        except LeaseError as error:
            print(f"{name}: {error}", file=sys.stderr)
        except CMCError as error:
            print(f"{name}: {error}", file=sys.stderr)
            time.sleep(1)


@dataclass
class Report:
    """What one run showed."""

    kind: str
    seed: int
    first: set[str] = field(default_factory=set)
    """The workers that were there at the start."""
    started: int = 0
    killed: set[str] = field(default_factory=set)
    seconds: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    takeovers: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def _measure(kind: str, seed: int, options: argparse.Namespace) -> Report:
    report = Report(kind, seed)
    with tempfile.TemporaryDirectory() as folder, _address(kind, seed, Path(folder)) as address:
        store = _open(address)
        store.submit_all([request_for(quality) for quality in range(options.requests)])
        begun = time.perf_counter()
        _supervise(address, options.workers, report)
        report.seconds = time.perf_counter() - begun
        if len(report.killed) < KILLED * report.started:
            report.broken.append(f"{len(report.killed)} of {report.started} workers were killed")
        _judge(store, options.requests, report)
        if kind == "hub":
            endpoint = address.partition("=")[2].split(" ")[0]
            with urllib.request.urlopen(f"{endpoint}/_test/calls") as answer:  # noqa: S310
                calls = json.load(answer)["calls"]
            report.calls.update(call["operation"] for call in calls)
            report.faults.update(call["fault"] for call in calls if call["fault"])
    return report


@contextmanager
def _address(kind: str, seed: int, folder: Path) -> Iterator[str]:
    if kind == "folder":
        yield f"folder={folder / 'store'}"
        return
    command = [sys.executable, str(ROOT / "tests" / "loopback_hub.py"), "--seed", str(seed)]
    os.environ["HF_HUB_DISABLE_XET"] = os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    with subprocess.Popen([*command, *RATES], stdout=subprocess.PIPE, text=True) as hub:
        try:
            told = json.loads(hub.stdout.readline()) if hub.stdout else {}
            address = f"hub={told['endpoint']} {told['token']} {folder / 'cache'}"
            store = _open(address)
            store.create()  # type: ignore[attr-defined]
            yield address
        finally:
            hub.terminate()


class Worker(NamedTuple):
    """A process, by its name in the ledger."""

    name: str
    process: subprocess.Popen[bytes]


def _supervise(address: str, workers: int, report: Report) -> None:
    """Kill three workers in ten and replace them, until the last one has found nothing open."""
    chance = random.Random(report.seed)
    alive = [_start(address, chance, report) for _ in range(workers)]
    report.first = {worker.name for worker in alive}
    next_kill = time.monotonic() + SETTLE_SECONDS
    while alive:
        alive = [worker for worker in alive if worker.process.poll() is None]
        victims = [worker for worker in alive if _may_die(worker.name, report)]
        if victims and time.monotonic() > next_kill:
            victim = chance.choice(victims)
            victim.process.send_signal(signal.SIGKILL)
            # One that had found nothing open a moment before has ended by itself.
            if victim.process.wait() == -signal.SIGKILL:
                report.killed.add(victim.name)
                alive.append(_start(address, chance, report))
            next_kill = time.monotonic() + chance.uniform(*PAUSE_SECONDS)
        time.sleep(0.05)


def _start(address: str, chance: random.Random, report: Report) -> Worker:
    command = [sys.executable, __file__, "--worker", address, str(chance.random())]
    process = subprocess.Popen(command)
    report.started += 1
    return Worker(f"worker:{process.pid}", process)


def _may_die(name: str, report: Report) -> bool:
    """Say whether its group, the first workers or the later ones, has lost fewer than its share."""
    killed_first = len(report.killed & report.first)
    if name in report.first:
        return killed_first < KILLED * len(report.first)
    later = report.started - len(report.first)
    return len(report.killed) - killed_first < KILLED * later


def _judge(store: LedgerStore, requests: int, report: Report) -> None:
    """Write down what the ledger says, and every rule that was broken."""
    checked = check_ledger(store.ledger)
    report.broken += checked.problems
    report.lines = checked.book.number
    report.statuses.update(str(state["status"]) for state in checked.book.states.values())
    ends: Counter[str] = Counter()
    holder: dict[str, str] = {}
    for event in events_of(store.ledger.lines()):
        request_id, action = event.state.request_id, event.action
        if action is Action.CLAIM and request_id in holder:
            report.takeovers += 1
            if holder[request_id] not in report.killed:
                report.broken.append(
                    f"{request_id} was taken from {holder[request_id]}, which lived"
                )
        if action is Action.CLAIM:
            holder[request_id] = event.state.worker
        elif action is not Action.RENEW:
            holder.pop(request_id, None)
        ends[request_id] += action in (Action.FINISH, Action.FAIL, Action.GIVE_UP)
    report.broken += [f"{key} ended {count} times" for key, count in ends.items() if count != 1]
    if report.statuses[Status.FINISHED] + report.statuses[Status.FAILED] != requests:
        report.broken.append(f"of {requests} requests these ended: {dict(report.statuses)}")
    results = [path for path in store.ledger.digests() if path.startswith("results/")]
    written = len(results) - len(checked.leftovers)
    if written != 2 * report.statuses[Status.FINISHED] or len(store.results()) * 2 != written:
        report.broken.append(
            f"{written} result files for {report.statuses[Status.FINISHED]} results"
        )


def _page(reports: list[Report], options: argparse.Namespace) -> str:
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    names = {"folder": "FolderStore", "hub": "HubStore"}
    heads = [f"{names[report.kind]}, seed {report.seed}" for report in reports]
    rows: dict[str, list[object]] = {
        "workers started": [r.started for r in reports],
        "killed with SIGKILL": [len(r.killed) for r in reports],
        "share": [f"{100 * len(r.killed) / r.started:.0f} %" for r in reports],
        "of the first workers": [f"{len(r.killed & r.first)} of {len(r.first)}" for r in reports],
        "FINISHED": [r.statuses[Status.FINISHED] for r in reports],
        "FAILED": [r.statuses[Status.FAILED] for r in reports],
        "requests taken over from a killed worker": [r.takeovers for r in reports],
        "lines of the ledger": [r.lines for r in reports],
        "seconds": [f"{r.seconds:.0f}" for r in reports],
        "calls of the Hub": [sum(r.calls.values()) or "-" for r in reports],
        "of them faults": [sum(r.faults.values()) or "-" for r in reports],
        "rules broken": [len(r.broken) for r in reports],
    }
    text = (
        f"`python benchmarks/work_queue.py`, {datetime.now(UTC):%Y-%m-%d}, {machine} that other "
        f"work shared, Python {platform.python_version()}. {options.requests} requests, "
        f"{options.workers} workers at a time; the work of a request is a sleep of 0.5 to 1.5 s. "
        f"Lease {TERMS.lease_seconds:.0f} s, grace {TERMS.grace_seconds:.0f} s, "
        f"{TERMS.max_attempts} attempts."
    )
    lines = ["# The queue under kills and a Hub with troubles", "", text, ""]
    lines.append(f"| | {' | '.join(heads)} |")
    lines.append("|---|" + "---|" * len(reports))
    for name, cells in rows.items():
        lines.append(f"| {name} | {' | '.join(str(cell) for cell in cells)} |")
    for head, report in zip(heads, reports, strict=True):
        for what, counter in (("faults", report.faults), ("calls", report.calls)):
            if counter:
                told = ", ".join(f"{name} {number}" for name, number in sorted(counter.items()))
                lines += ["", f"{head}, {what}: {told}."]
        lines += [f"- {head}: {problem}" for problem in report.broken]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
