"""Run a system beside its controls: how much of its score do words and paint carry?

The same system with other pictures' captions and with none; and what was sent copied, blurred,
sharpened, or as one colour, which no model painted. Controls are never ranked. Two flags are
printed: where the ranking indicator and another disagree beyond chance, and which AI-generated
pictures the decoder's own family made.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.commands._options import add_study, bench_from, keep_and_print, request_from
from protocol.counts import counted

if TYPE_CHECKING:
    from protocol.controls import Controls

HELP = "run a system beside its controls"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_study(parser)
    parser.add_argument(
        "--indicator", action="append", default=[], metavar="NAME", help="a secondary one; again"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the mixing of captions")
    parser.add_argument("--out", type=Path, required=True, help="folder for captions and figures")


def run(options: argparse.Namespace) -> int:
    """Run everything that the cache lacks and print the differences."""
    from evaluator.controls import run_controls
    from evaluator.progress import progress_bars
    from protocol.files import write_whole
    from protocol.jsonable import to_json

    request = request_from(options, "local")
    with progress_bars() as report:
        found = run_controls(
            request,
            bench_from(options, report),
            options.out,
            secondary=options.indicator,
            seed=options.seed,
        )
    write_whole(options.out / "controls.json", to_json(found).encode())
    keep_and_print(options, found, _text(found))
    _require_row(options, found)
    return 0


def _require_row(options: argparse.Namespace, found: "Controls") -> None:
    """Say so when a store has no such row: its page would show the flags nowhere."""
    from protocol.errors import StoreError
    from submission.store import open_store

    if not options.store:
        return
    try:
        open_store(options.store).state(found.request_id)
    except StoreError:
        print(
            f"{options.store} has no request {found.request_id}, so no row of its page shows these "
            "flags; run them with the row's own modes, pictures, protocol and settings",
            file=sys.stderr,
        )


def _text(found: "Controls") -> str:
    lines = [
        (
            f"{found.system} with {found.partner or 'no I2T model'}, {found.protocol}, "
            f"{counted(found.images, 'picture')}; higher is better; ranking indicators are marked *"
        ),
        (
            f"{'control':<18} {'mode':<6} {'indicator':<12} {'system':>8} {'control':>8}  "
            "system - control [95 %]     wins"
        ),
    ]
    for row in found.scores:
        gap, wins = row.comparison.difference, row.comparison.win_rate.value
        interval = f"{gap.value:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"
        star = "*" if row.is_ranking else ""
        lines.append(
            f"{row.control:<18} {row.mode:<6} {row.indicator + star:<12} {row.system:>8.4f} "
            f"{row.system - gap.value:>8.4f}  {interval:<27} {wins:>4.0%}"
        )
    for flag in found.flags:
        one = flag.disagreement
        better = "the system" if one.ranking_difference.value > 0 else "the control"
        lines.append(
            f"FLAG {flag.control}, {flag.mode}: {one.ranking} prefers {better}, {one.other} the "
            "other, both beyond chance"
        )
    if found.own_family:
        lines.append(
            f"FLAG {len(found.own_family)} AI-generated pictures were made by the decoder's own "
            f"family: {', '.join(found.own_family[:5])}{' …' if len(found.own_family) > 5 else ''}"
        )
    return "\n".join(lines)
