"""Look at a page that is served, or was exported, as its reader would.

The page answers, its own files are all there, its boards have rows, its data are fresh, and its
store answers the server. Run it from cron or CI: the exit status is 1 when somebody has to do
something, and what that is is printed.
"""

import argparse
from typing import TYPE_CHECKING

from evaluator.commands._numbers import number
from evaluator.commands._options import add_json

if TYPE_CHECKING:
    from evaluator.monitor import Sight

HELP = "see whether a served page is there, whole, filled and fresh"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("url", metavar="URL", help="of the page: https://OWNER-NAME.hf.space")
    parser.add_argument(
        "--max-age-hours",
        type=number(least=0),
        default=48.0,
        help="how old its data may be (default: 48)",
    )
    parser.add_argument(
        "--timeout",
        type=number(above=0, most=3600),
        default=20.0,
        help="seconds that an answer may take (default: 20)",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what was seen."""
    import json

    from evaluator.monitor import look_at
    from protocol.jsonable import to_plain

    sight = look_at(
        options.url, max_age_hours=options.max_age_hours, patience_seconds=options.timeout
    )
    if options.json:
        print(json.dumps({**to_plain(sight), "passed": sight.passed}, indent=1))
    else:
        _show(sight)
    return 0 if sight.passed else 1


def _show(sight: "Sight") -> None:
    from submission.wording import shown

    for check in sight.checks:
        # What a server answers is a stranger's text.
        print(f"{'ok' if check.passed else 'FAILED':<8}{check.name:<7}{shown(check.found, 600)}")
        if check.remedy:
            print(f"{'':<15}{check.remedy}")
    slowest = sorted(sight.seconds.items(), key=lambda item: -item[1])[:3]
    if slowest:
        times = ", ".join(f"{path} {seconds:.2f} s" for path, seconds in slowest)
        print(f"{'':<8}{'times':<7}page {sight.seconds.get('/', 0):.2f} s; slowest: {times}")
