"""List the systems that have a name: what they are, and whether they can be run by it.

A name stands wherever a system is typed, in any case: `--i2t llava-1.5 --t2i realvis`. Settings
behind it replace the listed ones: `llava-1.5?prompt=q20`.
"""

import argparse

from evaluator.commands._options import add_json
from protocol.rules import Role
from protocol.systems import NamedSystem, Readiness, named_systems

HELP = "list the systems that can be called by name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--role", choices=[role.value for role in Role], help="list one role (default: all)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print one line a system, with a second one where there is something to know."""
    import json

    from protocol.jsonable import to_plain

    rows = [row for row in named_systems() if options.role in (None, row.role)]
    if options.json:
        print(json.dumps(to_plain(rows), indent=1, ensure_ascii=False))
        return 0
    for row in rows:
        print(_line(row))
        if row.notes:
            print(f"    {row.notes}")
    return 0


def _line(row: NamedSystem) -> str:
    where = ":".join(part for part in (row.adapter, row.repo) if part) or "-"
    status = "" if row.status is Readiness.READY else f"  [{row.status}]"
    licence = f"  ({row.licence})" if row.licence else ""
    return f"{row.name:<20} {row.role:<5} {where}{licence}{status}"
