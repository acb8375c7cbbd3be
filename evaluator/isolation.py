"""A request's run in a process of its own, which has no token and no key in its environment.

The parent process claims the request and writes the result; the child loads submitted weights. The
environment is made from a list of what is needed, so a secret that nobody thought of is not in it.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from evaluator.bench import Bench
from evaluator.execution import Outcome
from evaluator.own_code import PYTHON_VARIABLES, own_module
from protocol.errors import MachineFault, RecordError
from protocol.failures import FailureCode
from protocol.jsonable import from_json, to_plain
from protocol.records import Request, Result
from protocol.smoke import FAULT_MARK, LOG_MARK, SMOKE_MARK, SmokeReport
from protocol.states import Failure
from protocol.systems import ENDPOINT_ADAPTERS
from submission.queue import make_failure

NEEDED = frozenset(
    {
        *("PATH", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "COLUMNS"),
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("http_proxy", "https_proxy", "no_proxy", "all_proxy"),
        *("HF_HOME", "HF_HUB_CACHE", "HF_XET_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE"),
        *("HF_HUB_DISABLE_XET", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DOWNLOAD_TIMEOUT"),
        *("XDG_CACHE_HOME", "TORCH_HOME", "IMAGEIO_FFMPEG_EXE"),
        *(*PYTHON_VARIABLES, "PYTHONHASHSEED", "PYTHONUNBUFFERED"),
    }
)
NEEDED_BEGINNINGS = ("LC_", "CUDA_", "NVIDIA_", "NCCL_", "OMP_", "MKL_", "OPENBLAS_", "PYTORCH_")
MACHINE = ("device", "batch_size", "overlap", "lanes", "features", "price_per_hour")
"""What the process is told of a bench beside its folders."""

ENDPOINT_KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


def scrubbed_environment(environment: Mapping[str, str], request: Request) -> dict[str, str]:
    """Return what a process that runs a request may know.

    An endpoint's key is there only for a request that asks an endpoint, which cannot do without.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if name in NEEDED or name.startswith(NEEDED_BEGINNINGS)
    }
    if _asks_an_endpoint(request):
        kept |= {name: environment[name] for name in ENDPOINT_KEYS if name in environment}
    # huggingface_hub would read the token that `hf auth login` left in a file.
    kept["HF_TOKEN_PATH"] = os.devnull
    kept["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    return kept


def needs_isolation(request: Request) -> bool:
    """Say whether a run loads weights that somebody submitted."""
    halves = (request.i2t, request.t2i)
    return any(
        system is not None
        and system.model
        and system.adapter != "file"
        and system.adapter.replace("_", "-") not in ENDPOINT_ADAPTERS
        for system in halves
    )


def evaluate_apart(
    request: Request,
    bench: Bench,
    note: Callable[[str], None] = lambda _: None,
    tell: Callable[[SmokeReport], None] = lambda _: None,
    log: Callable[[str], None] = lambda _: None,
    *,
    names: Sequence[str] | None = None,
) -> Outcome | Failure:
    """Run a request in a child process; return what came out, or why nothing did.

    The child ends when this process does.

    Args:
        request: what is run.
        bench: where; its reporter is not used.
        note: is told the child's progress, a line at a time.
        tell: is told what the child's smoke test showed.
        log: is told the child's other lines for the log.
        names: of the pictures, to run these alone, with no smoke test and no gallery.

    Raises:
        OSError: this machine is at fault, for example its disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="cmc-") as folder:
        job = {
            "request": to_plain(request),
            "images": str(bench.images.resolve()),
            "cache": str(bench.cache.folder.resolve()),
            "weights": str(bench.weights.resolve()) if bench.weights else None,
            "machine": {name: getattr(bench, name) for name in MACHINE},
            "out": folder,
            "names": None if names is None else list(names),
        }
        faults: list[str] = []
        hear = partial(_hear, note=note, tell=tell, log=log, fault=faults.append)
        status = _run_child(job, scrubbed_environment(os.environ, request), hear)
        if faults:
            raise MachineFault(faults[0])
        return _read_outcome(Path(folder), status)


def _run_child(
    job: Mapping[str, object], environment: Mapping[str, str], hear: Callable[[str], None]
) -> int:
    with subprocess.Popen(
        own_module("evaluator.child"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(environment),
        text=True,
    ) as child:
        try:
            # The pipe stays open: when it closes, the child knows that this process is gone.
            print(json.dumps(job), file=child.stdin, flush=True)
            for line in child.stdout or ():
                hear(line.rstrip("\n"))
        except BaseException:
            child.kill()
            raise
    return child.returncode


def _hear(
    line: str,
    *,
    note: Callable[[str], None],
    tell: Callable[[SmokeReport], None],
    log: Callable[[str], None],
    fault: Callable[[str], None],
) -> None:
    # A library may print what it likes: what is no report is nothing, nor is a log that is none.
    if line.startswith(SMOKE_MARK):
        with contextlib.suppress(RecordError):
            tell(from_json(SmokeReport, line.removeprefix(SMOKE_MARK)))
    elif line.startswith(LOG_MARK):
        with contextlib.suppress(ValueError):
            log(str(json.loads(line.removeprefix(LOG_MARK))))
    elif line.startswith(FAULT_MARK):
        with contextlib.suppress(ValueError):
            fault(str(json.loads(line.removeprefix(FAULT_MARK))))
    else:
        note(line)


def _read_outcome(folder: Path, status: int) -> Outcome | Failure:
    failure = folder / "failure.json"
    if failure.is_file():
        return from_json(Failure, failure.read_bytes())
    if status != 0:
        # The system kills with SIGKILL whoever takes the last of its memory.
        code = FailureCode.OUT_OF_MEMORY if status == -signal.SIGKILL else FailureCode.INTERNAL
        return make_failure(code, "evaluate", f"the run's process ended with status {status}")
    result = from_json(Result, (folder / "result.json").read_bytes())
    return Outcome(result, (folder / "per_image.parquet").read_bytes())


def _asks_an_endpoint(request: Request) -> bool:
    halves = [system for system in (request.i2t, request.t2i) if system is not None]
    return any(system.adapter.replace("_", "-") in ENDPOINT_ADAPTERS for system in halves)
