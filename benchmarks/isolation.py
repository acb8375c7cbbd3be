"""What a process of its own costs a request: three requests apart and in the worker's own process.

    python benchmarks/isolation.py

Three of the demo's pictures, a tiny model with random weights, protocol demo-0, image mode alone.
Writes benchmarks/results/isolation.md.
"""

import os
import platform
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from evaluator.bench import Bench  # noqa: E402
from evaluator.cache import Cache  # noqa: E402
from evaluator.demo.models import build_t2i  # noqa: E402
from evaluator.demo.pictures import build_pictures  # noqa: E402
from evaluator.requests import make_request  # noqa: E402
from evaluator.worker import work  # noqa: E402
from protocol.records import Request  # noqa: E402
from protocol.rules import Mode, Role  # noqa: E402
from submission.store import FolderStore  # noqa: E402

PICTURES = 3
STEPS = (2, 3, 4)
"""Each makes another request."""


def main() -> None:
    """Measure and write."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_pictures(folder / "images", lambda _: None)
        for path in sorted((folder / "images").glob("*.png"))[PICTURES:]:
            path.unlink()
        # The first has loaded the libraries, which a worker does once.
        _run(folder, "warm-up", isolate=False)
        here = _run(folder, "here", isolate=False)
        apart = _run(folder, "apart", isolate=True)
    text = _page(here, apart, load)
    print(text)
    (ROOT / "benchmarks" / "results" / "isolation.md").write_text(text, encoding="utf-8")


def _run(folder: Path, name: str, *, isolate: bool) -> tuple[float, float]:
    """Return the seconds on the clock and those of a core."""
    store = FolderStore(folder / name / "store")
    store.submit_all([_request(folder, steps) for steps in STEPS])
    bench = Bench(
        images=folder / "images",
        cache=Cache(folder / name / "cache"),
        weights=None,
        device="cpu",
        batch_size=1,
    )
    started, before = time.perf_counter(), _core_seconds()
    done = work(store, bench, once=False, say=lambda _: None, isolate=isolate)
    if done.finished != len(STEPS):
        raise SystemExit(f"{name}: {done}")
    return time.perf_counter() - started, _core_seconds() - before


def _request(folder: Path, steps: int) -> Request:
    return make_request(
        role=Role.T2I,
        i2t=None,
        t2i=f"diffusers:{build_t2i(folder / 'models')}?steps={steps}",
        codec=None,
        modes=(Mode.IMAGE,),
        protocol="demo-0",
        images=folder / "images",
        dataset="demo",
        submitter="benchmark",
    )


def _core_seconds() -> float:
    """Return what this process and those that it waited for have used."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _page(here: tuple[float, float], apart: tuple[float, float], load: float) -> str:
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    head = (
        f"`python benchmarks/isolation.py`, {datetime.now(UTC):%Y-%m-%d}, {machine} with a load of "
        f"{load:.1f} at the start, Python {platform.python_version()}; {len(STEPS)} requests "
        f"about {PICTURES} pictures, a tiny model, image mode; nothing in the cache."
    )
    more = (apart[1] - here[1]) / len(STEPS)
    lines = ["# What a process of its own costs a request", "", head, ""]
    lines += ["| | seconds on the clock | seconds of a core |", "|---|---|---|"]
    lines += [f"| in the worker's process | {here[0]:.1f} | {here[1]:.1f} |"]
    lines += [f"| in a process each | {apart[0]:.1f} | {apart[1]:.1f} |", ""]
    return "\n".join([*lines, f"Apart, a request takes {more:.1f} seconds of a core more.", ""])


if __name__ == "__main__":
    main()
