"""Say which encoder and decoder pairs to run next, and queue them behind people's submissions.

Of the pairs that were not run, those come first that do most to tell neighbours in rank apart per
second; docs/statistics.md has the formula.
"""

import argparse
from typing import TYPE_CHECKING

from evaluator.commands._options import add_json, add_store
from protocol.rules import TRACKS, Role, Track

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evaluator.planning import Planned, Queued, StorePlan

HELP = "which pairs to run next, by what they tell per GPU-hour"
LIMIT = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--track",
        choices=[track.value for track in Track if TRACKS[track].role is not Role.CODEC],
        default=Track.T2I_ULB.value,
        help="whose modes and weights make the Overall (default: t2i-ulb)",
    )
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"pairs (default: {LIMIT})")
    parser.add_argument(
        "--budget-gpu-hours",
        type=float,
        default=float("inf"),
        metavar="HOURS",
        help="of all of them together, by the seconds that their systems took (default: no bound)",
    )
    parser.add_argument(
        "--submit",
        action="store_true",
        help="queue them; a worker takes them when nothing waits that people submitted",
    )
    add_store(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print the plan; with --submit the exit status is 1 when a pair was refused."""
    import json

    from evaluator.planning import plan_store, queue_plan
    from protocol.errors import InputError
    from protocol.jsonable import to_plain
    from submission.identity import account_for
    from submission.limits import limits_for
    from submission.store import FolderStore, open_existing

    if options.limit < 1 or not options.budget_gpu_hours > 0:
        raise InputError("wanted --limit from 1 and --budget-gpu-hours above 0")
    store = open_existing(options.store)
    account = account_for(options.store) if options.submit else None
    plan = plan_store(
        store,
        Track(options.track),
        submitter=account.name if account else "",
        limit=options.limit,
        budget_hours=options.budget_gpu_hours,
    )
    queued: list[Queued] = []
    if account:
        limits = limits_for(account, is_folder=isinstance(store, FolderStore))
        queued = queue_plan(store, plan, limits)
    if options.json:
        answer = {**to_plain(plan), "queued": to_plain(queued)}
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for line in _lines(plan, queued):
            print(line)
    return 1 if any(one.refused for one in queued) else 0


def _lines(plan: "StorePlan", queued: "list[Queued]") -> "Iterator[str]":
    yield f"{plan.track} on {plan.bench}; seconds measured on {', '.join(plan.devices)}"
    if plan.planned:
        yield "   gain  per hour     hours  predicted        encoder + decoder"
    yield from map(_line, plan.planned)
    yield plan.sentence
    for reason, count in plan.left_out.items():
        yield f"not to choose from: {count} {reason}"
    for one in queued:
        for finding in one.refused:
            yield f"{one.request_id} refused  {finding.code}: {finding.sentence}"
    if queued:
        waiting = sum(not one.refused for one in queued)
        yield f"{waiting} queued behind what people submitted; `cmc queue` shows them"


def _line(planned: "Planned") -> str:
    pair = planned.pair
    gain, rate, score = "joins", "", ""
    if pair.gain is not None and pair.predicted is not None:
        gain, rate = f"{pair.gain:.2%}", f"{pair.gain_per_hour or 0.0:.1%}"
        error = "" if pair.standard_error is None else f" ± {pair.standard_error:.4f}"
        score = f"{pair.predicted:.4f}{error}"
    names = f"{pair.encoder} + {pair.decoder}"
    return f"{gain:>7}  {rate:>8}  {pair.seconds / 3600:>8.2g}  {score:<15}  {names}"
