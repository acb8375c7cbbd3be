"""Run waiting requests: claim, encode, decode, score, write the result.

A worker may be killed at any moment: the next one takes its request over and decodes nothing again.
"""

import argparse
import sys

from evaluator.commands._options import add_images, add_machine, add_store

HELP = "run waiting requests"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_images(parser)
    parser.add_argument("--once", action="store_true", help="run one request, then stop")
    add_store(parser)
    add_machine(parser)


def run(options: argparse.Namespace) -> int:
    """Work until nothing waits; the exit status is 1 when a request failed."""
    from evaluator.commands._options import bench_from
    from evaluator.worker import work
    from submission.store import FolderStore

    store = FolderStore(options.store)
    done = work(store, bench_from(options), once=options.once, say=_say)
    print(f"{done.finished} finished, {done.failed} failed, {done.waiting} still waiting")
    return 1 if done.failed else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
