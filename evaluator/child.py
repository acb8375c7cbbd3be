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
from evaluator.failures import failure_of
from protocol.errors import WeightsError
from protocol.files import write_whole
from protocol.jsonable import from_plain, to_json, to_plain
from protocol.records import Request
from protocol.smoke import LOG_MARK, SMOKE_MARK, SmokeReport


def main() -> int:
    """Run the job on standard input; 0 when there is a result or a reason why there is none."""
    keep_freed_memory()
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = Path(job["out"])
    try:
        _run(job, out)
    except (OSError, WeightsError) as error:
        _write_failure(out, error, is_machine_fault=True)
    except Exception as error:  # noqa: BLE001 - a submitted model may fail in any way there is
        _write_failure(out, error, is_machine_fault=False)
    return 0


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


def _write_failure(out: Path, error: Exception, *, is_machine_fault: bool) -> None:
    told = {
        "failure": to_plain(failure_of(error, "evaluate")),
        "is_machine_fault": is_machine_fault,
    }
    write_whole(out / "failure.json", json.dumps(told).encode())


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
