"""Look at the cache of finished work, and make it smaller.

What was used longest ago goes first, whatever it is; a run that misses it makes it again. The
unpacked pictures of a dataset folder and the caption files of requests stay.
"""

import argparse

from evaluator.commands._numbers import size_in_bytes
from evaluator.commands._options import add_cache, add_json, cache_from
from evaluator.pruning import KINDS

HELP = "look at the cache of finished work, and prune it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their options."""
    subcommands = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    look = subcommands.add_parser("look", help="say what there is, by kind")
    prune = subcommands.add_parser("prune", help="delete what was used longest ago")
    prune.add_argument(
        "--to",
        type=size_in_bytes,
        required=True,
        metavar="SIZE",
        help="what may stay: 20G",
    )
    prune.add_argument("--kind", choices=KINDS, help="only this kind")
    for action in (look, prune):
        add_cache(action)
        add_json(action)


def run(options: argparse.Namespace) -> int:
    """Print the sizes, after pruning where that is asked for."""
    import json

    from evaluator.pruning import Usage, look, prune

    folder = cache_from(options)
    if options.action == "prune":
        freed = prune(folder, options.to, kind=options.kind)
        if options.json:
            print(json.dumps({"deleted": freed.entries, "freed_bytes": freed.total_bytes}))
        else:
            print(f"deleted {freed.entries:,} entries, {_megabytes(freed.total_bytes)}")
        return 0
    kinds = look(folder)
    if options.json:
        rows = {k: {"entries": u.entries, "bytes": u.total_bytes} for k, u in kinds.items()}
        print(json.dumps(rows))
        return 0
    everything = Usage(
        sum(usage.entries for usage in kinds.values()),
        sum(usage.total_bytes for usage in kinds.values()),
    )
    for kind, usage in [*kinds.items(), ("in all", everything)]:
        print(f"{kind:<12} {usage.entries:>9,} entries  {_megabytes(usage.total_bytes):>14}")
    return 0


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
