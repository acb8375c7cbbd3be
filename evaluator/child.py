"""The process that runs one request: `python -m evaluator.child`, started by `isolation.py`.

It reads one line of JSON, runs the smoke test and the request, and writes what came out into a
folder. Nothing else talks to it. It ends when the pipe from its parent does.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from evaluator.allocator import keep_freed_memory
from evaluator.bench import Bench
from evaluator.cache import Cache
from evaluator.execution import run_here, run_part
from evaluator.failures import blame_machine, failure_of
from evaluator.run_log import hush_libraries
from protocol.errors import WeightsError
from protocol.files import write_whole
from protocol.jsonable import from_plain, to_json, to_plain
from protocol.records import Request
from protocol.smoke import FAULT_MARK, LOG_MARK, SMOKE_MARK, SmokeReport


def main() -> int:
    """Run the job on standard input; 0 when there is a result or a reason why there is none."""
    keep_freed_memory()
    hush_libraries()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = Path(job["out"])
    try:
        _answer(job, out)
    except (OSError, WeightsError) as error:
        # For the worker's own terminal, which may know where its disks are: nothing is left out.
        _say(FAULT_MARK + json.dumps(str(error) or type(error).__name__))
    return 0


def _answer(job: dict[str, Any], out: Path) -> None:
    try:
        _run(job, out)
    except (OSError, WeightsError):
        raise
    except Exception as error:  # noqa: BLE001 - a submitted model may fail in any way there is
        blame_machine(error)
        write_whole(out / "failure.json", to_json(failure_of(error)).encode())


def _run(job: dict[str, Any], out: Path) -> None:
    bench = Bench(
        images=Path(job["images"]),
        cache=Cache(Path(job["cache"])),
        weights=Path(job["weights"]) if job["weights"] else None,
        **job["machine"],
    )
    request = from_plain(Request, job["request"], "request")
    if job["names"] is None:
        outcome = run_here(request, bench, _say, _tell, _log)
    else:
        outcome = run_part(request, bench, job["names"], _say)
    write_whole(out / "per_image.parquet", outcome.per_image)
    write_whole(out / "result.json", to_json(outcome.result).encode())


def _end_with_parent() -> None:
    """Wait for the end of standard input, which is the parent's, and end this process at once."""
    sys.stdin.read()
    os._exit(1)


def _tell(report: SmokeReport) -> None:
    _say(SMOKE_MARK + json.dumps(to_plain(report)))


def _log(text: str) -> None:
    # As JSON it is one line, whatever is in it.
    _say(LOG_MARK + json.dumps(text))


def _say(line: str) -> None:
    # The pipe is full or gone only when the parent is, and then this process ends.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
