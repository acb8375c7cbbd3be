"""Run waiting requests: claim, encode, decode, score, write the result.

A worker may be killed at any moment: the next one takes its request over and decodes nothing again.
"""

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING

from evaluator.commands._in_process import add_in_process, require_in_process_for_ray
from evaluator.commands._numbers import PORT, number
from evaluator.commands._options import (
    DEFAULT_CACHE,
    RAY_ACTORS,
    add_images,
    add_machine,
    add_store,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELP = "run waiting requests"
POLL_SECONDS = 300.0
"""Between two looks of a worker that the Hub calls."""
LONGEST_POLL = 7 * 86_400
"""A week, in seconds."""
_SENT = {
    "weights": None,
    "cache": DEFAULT_CACHE,
    "cache_size": None,
    "device": "auto",
    "batch_size": None,
    "lanes": 1,
    "no_overlap": False,
    "keep_features": "",
    "engine": "local",
    "actors": RAY_ACTORS,
    "price_per_hour": None,
    "poll": None,
    "in_process": False,
    "create_store": False,
    "once": False,
}
"""Options that a job is told of where they are not these, its own defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_images(parser)
    parser.add_argument("--once", action="store_true", help="run one request, then stop")
    parser.add_argument(
        "--poll",
        type=number(above=0, most=LONGEST_POLL),
        metavar="SECONDS",
        help="stay, and look for new requests after this time (default: stop when none waits)",
    )
    parser.add_argument(
        "--webhook",
        metavar="[HOST:]PORT",
        help="be called by the Hub when a request comes, and look at once; the secret is in "
        "$CMC_WEBHOOK_SECRET (host: 127.0.0.1, behind a proxy; pause without --poll: 300 s)",
    )
    parser.add_argument(
        "--create-store",
        action="store_true",
        help="first make a Hub store's two datasets, or a folder's ledger",
    )
    add_store(parser)
    add_machine(parser)
    add_in_process(parser)
    _add_job(parser)


def _add_job(parser: argparse.ArgumentParser) -> None:
    job = parser.add_argument_group("elsewhere")
    job.add_argument("--on", choices=["hf-jobs"], help="start this worker as a job of the Hub")
    job.add_argument("--flavor", default="a100-large", help="hardware (default: a100-large)")
    job.add_argument("--timeout", default="6h", help="how long a job may run (default: 6h)")
    job.add_argument("--source", default="", help="what pip installs there; a git+https address")
    job.add_argument("--namespace", help="who pays (default: the token's account)")
    job.add_argument(
        "--mount",
        action="append",
        default=[],
        metavar="OWNER/DATASET:/PATH",
        help="a dataset of the Hub that the job reads as a folder, for --images and --weights",
    )
    job.add_argument(
        "--worker-token-from",
        metavar="VARIABLE",
        help="environment variable with the token that the worker writes results with "
        "(default: the one that starts the job)",
    )


def run(options: argparse.Namespace) -> int:
    """Work until nothing waits; the exit status is 1 when a request failed."""
    require_in_process_for_ray(options)
    if options.on:
        return _start_elsewhere(options)
    import time

    from evaluator.commands._options import bench_from
    from evaluator.worker import work
    from submission.identity import account_for, require_maintainer
    from submission.store import open_store, require_there

    with contextlib.ExitStack() as stack:
        pause = stack.enter_context(_webhook(options)) if options.webhook else time.sleep
        store = open_store(options.store, create=options.create_store)
        require_there(store)
        store.ledger.refresh()
        # Known at once, and not after hours, when the first result is to be written.
        require_maintainer(account_for(options.store), options.store, what="works for it")
        done = work(
            store,
            bench_from(options),
            once=options.once,
            say=_say,
            poll_seconds=options.poll or (POLL_SECONDS if options.webhook else None),
            pause=pause,
            isolate=not options.in_process,
        )
    received = f"; `cmc receive` takes {done.to_receive} more in" if done.to_receive else ""
    print(f"{done.finished} finished, {done.failed} failed, {done.waiting} still waiting{received}")
    return 1 if done.failed else 0


@contextlib.contextmanager
def _webhook(options: argparse.Namespace) -> "Iterator[Callable[[float], None]]":
    """Serve the webhook and yield the pause that it ends."""
    import os

    from evaluator.webhook import Webhook, serving
    from protocol.errors import InputError

    if not options.store.startswith("hub:"):
        raise InputError(f"the Hub cannot call about {options.store}; wanted --store hub:ORG/NAME")
    host, _, port = options.webhook.rpartition(":")
    try:
        listened = PORT(port)
    except argparse.ArgumentTypeError as error:
        raise InputError(
            f"--webhook {options.webhook}: wanted a port, or HOST:PORT; for the port, {error}"
        ) from error
    repo_id = f"{options.store.removeprefix('hub:')}-requests"
    webhook = Webhook(os.environ.get("CMC_WEBHOOK_SECRET", ""), repo_id)
    with serving(webhook, host or "127.0.0.1", listened) as bound:
        _say(f"the Hub may call http://{host or '127.0.0.1'}:{bound} about {repo_id}")
        yield webhook.wait


def _start_elsewhere(options: argparse.Namespace) -> int:
    """Start a job that runs this command there."""
    import os

    from evaluator.jobs import JobPlan, start_job
    from protocol.errors import InputError

    if not options.store.startswith("hub:"):
        raise InputError(f"a job cannot reach {options.store}; wanted --store hub:ORG/NAME")
    if options.webhook:
        raise InputError("the Hub cannot call a worker in a job; wanted --poll")
    name = options.worker_token_from
    if name and not os.environ.get(name):
        raise InputError(f"${name} is not set; it is to hold the worker's token")
    plan = JobPlan(
        flavor=options.flavor,
        timeout=options.timeout,
        worker=_worker_arguments(options),
        source=options.source,
        namespace=options.namespace,
        datasets=_mounts(options.mount),
    )
    job = start_job(plan, worker_token=os.environ[name] if name else "")
    print(f"job {job.job_id} is {job.stage}: {job.url}")
    return 0


def _worker_arguments(options: argparse.Namespace) -> list[str]:
    """Return what `cmc work` is told there; folders are those of the job."""
    arguments = ["--store", options.store, "--images", str(options.images)]
    for name, default in _SENT.items():
        value = getattr(options, name)
        if value != default:
            option = f"--{name.replace('_', '-')}"
            arguments += [option] if value is True else [option, str(value)]
    return arguments


def _mounts(texts: list[str]) -> dict[str, str]:
    from protocol.errors import InputError

    mounts = {}
    for text in texts:
        source, colon, path = text.partition(":")
        if not (colon and path.startswith("/") and source.count("/") == 1):
            raise InputError(f"--mount {text}: wanted OWNER/DATASET:/PATH")
        mounts[source] = path
    return mounts


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
