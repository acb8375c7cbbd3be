"""Freeze the board of a store under a label: what it shows now can be shown and cited for ever.

The file lies beside the results, and on the Hub the results get a git tag of the same name. A
label that is there with another board is refused.
"""

import argparse

from evaluator.commands._options import add_json, add_store
from protocol.counts import counted

HELP = "freeze a store's board under a label"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--label", help="as v1.0/2026-10-01 (default: today's date, UTC)")
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was frozen, or that the same was there."""
    from protocol.jsonable import to_json
    from submission.clock import now
    from submission.freezing import freeze
    from submission.identity import account_for
    from submission.store import open_existing

    store = open_existing(options.store)
    label = options.label or now()[:10]
    entry, is_new = freeze(store, label, account_for(options.store).name)
    if options.json:
        print(to_json(entry))
    elif is_new:
        print(f"{entry.label} is frozen: {counted(entry.results, 'result')}, sha256 {entry.sha256}")
    else:
        print(f"nothing changed: {entry.label} holds this board since {entry.frozen_at[:10]}")
    return 0
