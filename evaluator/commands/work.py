"""Run waiting requests: claim, encode, decode, score, write the result.

A worker may be killed at any moment: the next one takes its request over and decodes nothing again.
"""

import argparse
import sys
from pathlib import Path

from evaluator.commands._options import add_machine, add_store

HELP = "run waiting requests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--images", type=Path, required=True, help="folder of ground-truth PNGs")
    parser.add_argument("--once", action="store_true", help="run one request, then stop")
    parser.add_argument(
        "--poll",
        type=float,
        metavar="SECONDS",
        help="stay, and look for new requests after this time (default: stop when none waits)",
    )
    parser.add_argument(
        "--create-store", action="store_true", help="first make a Hub store's two datasets"
    )
    add_store(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Work until nothing waits; the exit status is 1 when a request failed."""
    from evaluator.commands._options import bench_from
    from evaluator.worker import work
    from submission.store import open_store

    store = open_store(options.store, create=options.create_store)
    bench = bench_from(options)
    done = work(store, bench, once=options.once, say=_say, poll_seconds=options.poll)
    print(f"{done.finished} finished, {done.failed} failed, {done.waiting} still waiting")
    return 1 if done.failed else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
