"""Run part of a finished row again, here, and say whether the numbers agree.

The pictures are chosen by the request's id, and nothing is taken from the cache of the first run.
"""

import argparse

from evaluator.commands._again import add_again, find_result, run_again, show
from evaluator.commands._numbers import whole

HELP = "run part of a row again and compare"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_again(parser)
    parser.add_argument(
        "--subset", type=whole(1), default=50, help="number of pictures (default: 50)"
    )
    parser.add_argument("--file", action="store_true", help="write the record into the store")


def run(options: argparse.Namespace) -> int:
    """Run, compare and print; the exit status is 1 when a mean is off beyond its tolerance."""
    from protocol.jsonable import to_json
    from protocol.subsets import choose_subset
    from submission.replications import file_replication
    from submission.store import open_existing

    store = open_existing(options.store)
    replication = run_again(
        store,
        find_result(store, options),
        options,
        lambda samples: choose_subset(samples, options.subset, options.request),
        options.request,
    )
    if options.json:
        print(to_json(replication))
    else:
        show(replication)
    if options.file:
        path = file_replication(store, replication)
        if not options.json:
            print(f"filed as {path}")
    return 0 if replication.agrees else 1
