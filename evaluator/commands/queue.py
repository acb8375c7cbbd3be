"""Show every request of a store with its state."""

import argparse

from evaluator.commands._options import add_json, add_store

HELP = "show requests and their states"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print one line a request, oldest first."""
    import json

    from protocol.jsonable import to_plain
    from protocol.records import Status
    from submission.store import FolderStore

    entries = FolderStore(options.store).queue()
    if options.json:
        print(json.dumps([to_plain({**e._asdict(), "label": e.request.label}) for e in entries]))
        return 0
    if not entries:
        print(f"{options.store} holds no request; `cmc submit` makes one")
    for entry in entries:
        request, state = entry.request, entry.state
        detail = state.failure.message if state.failure else ""
        if state.status is Status.RUNNING:
            detail = entry.progress
        modes = ",".join(request.modes)
        pair = f"{request.label} + {request.partner}" if request.partner else request.label
        print(
            f"{request.request_id}  {state.status:<8}  {request.role:<5}  {modes:<21}  "
            f"{pair}  {detail}".rstrip()
        )
    return 0
