"""Take in results that came with their requests: each is checked, and stands as self-reported.

Only data is taken: every mean is made again from the scores of the single pictures, and the table
is written anew. What is refused ends as FAILED with the reason. For maintainers.
"""

import argparse
from pathlib import Path

from evaluator.commands._options import add_json, add_store, images_from

HELP = "take in results that submitters made"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("request", nargs="?", help="id of one request (default: all that wait)")
    parser.add_argument(
        "--images", type=Path, help="ground truth, to check the pictures' names and sizes too"
    )
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Take in what waits and print it; the exit status is 1 when something was refused."""
    import json

    from evaluator.intake import receive_all
    from protocol.jsonable import to_plain
    from submission.identity import account_for, require_maintainer
    from submission.store import open_existing

    account = account_for(options.store)
    require_maintainer(account, options.store)
    states = receive_all(
        open_existing(options.store),
        account.name,
        images_from(options) if options.images else None,
        only=options.request,
    )
    if options.json:
        print(json.dumps(to_plain(states)))
    for state in states if not options.json else []:
        why = f": {state.failure.message}" if state.failure else "; `cmc audit` may verify it"
        print(f"{state.request_id} is {state.status}{why}")
    if not states and not options.json:
        print("no results wait to be received")
    return 1 if any(state.failure for state in states) else 0
