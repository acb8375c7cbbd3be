"""Queue a system for evaluation: its exact version is pinned and written into the store."""

import argparse

from evaluator.commands._options import add_json, add_store, add_systems, request_from
from evaluator.commands.queue import submitter_of

HELP = "queue a system for evaluation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_systems(parser)
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the request, or say that an identical one is there."""
    import json

    from protocol.jsonable import to_plain
    from submission.store import open_store

    request = request_from(options, submitter_of(options.store))
    submitted = open_store(options.store).submit(request)
    if options.json:
        print(json.dumps({**to_plain(submitted.state), "is_new": submitted.is_new}))
    elif submitted.is_new:
        print(f"{request.request_id} is queued; `cmc work` runs it, `cmc queue` shows it")
    else:
        print(f"{request.request_id} was submitted before and is {submitted.state.status}")
    return 0
