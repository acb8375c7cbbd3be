"""Check a store: its ledger, its files, every row from its scores, and its frozen boards.

Whatever was changed, added or removed outside the ledger is named; the exit status is 1 then.
"""

import argparse
from typing import TYPE_CHECKING

from evaluator.commands._options import DEFAULT_STORE, add_json
from protocol.counts import counted

if TYPE_CHECKING:
    from submission.ledger_check import Checked
    from submission.store import Store

HELP = "check a store's ledger, files and rows"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "store",
        nargs="?",
        metavar="FOLDER|hub:ORG/NAME",
        default=DEFAULT_STORE,
        help="the store (default: $CMC_STORE, or the folder cmc-store)",
    )
    parser.add_argument(
        "--expect",
        metavar="SHA256",
        default="",
        help="the newest line as an earlier check named it; finds that lines were cut off since",
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is wrong, and how much was checked."""
    import json

    from submission.freezing_check import frozen_problems
    from submission.ledger_check import check_ledger
    from submission.store import open_existing

    store = open_existing(options.store)
    checked = check_ledger(store.ledger, _witness(options.expect))
    # A file that is not the ledger's was named already; its rows are not to be had.
    rows, problems = (0, checked.problems) if checked.problems else _check_rows(store, checked)
    # A damaged ledger says nothing of what it said on a day.
    boards, changed = (0, []) if checked.problems else frozen_problems(store)
    problems += changed
    if options.json:
        told: dict[str, object] = {"problems": problems, "leftovers": checked.leftovers}
        told |= {"newest_line_sha256": checked.book.sha256, "frozen_boards": boards}
        print(json.dumps({**told, "lines": checked.book.number, "rows": rows}))
        return 1 if problems else 0
    lines = counted(checked.book.number, "line")
    for problem in problems:
        print(problem)
    for path in checked.leftovers:
        print(f"{path}: left by a claim that was lost; no row uses it")
    if problems:
        print(f"{counted(len(problems), 'problem')} in {lines} of the ledger")
        return 1
    print(
        f"{options.store} is as its ledger says: {lines}, "
        f"{counted(len(checked.book.states), 'request')}, {counted(rows, 'result')} recomputed "
        "from their scores" + (f", {counted(boards, 'frozen board')}" if boards else "")
    )
    if checked.book.sha256:
        print(f"note elsewhere, for --expect: {checked.book.sha256}")
    return 0


def _witness(text: str) -> str:
    import re

    from protocol.errors import InputError

    if text and not re.fullmatch("[0-9a-f]{64}", text):
        raise InputError(f"--expect {text}: wanted the 64 hex digits of a sha256")
    return text


def _check_rows(store: "Store", checked: "Checked") -> tuple[int, list[str]]:
    """Recompute every result, and the boards' rows from what was recomputed."""
    from evaluator.image_scores import read_rows
    from evaluator.recompute import recompute_problems
    from protocol.states import Status
    from submission.audits import audit_problems, read_audits
    from submission.filed import files_of
    from submission.ledger_check import result_problems

    problems: list[str] = []
    results = store.results()
    for result in results:
        request_id = result.request.request_id
        request = checked.book.request(request_id)
        if request is not None:
            problems += result_problems(request, result)
        problems += recompute_problems(result, store.per_image_path(request_id))
    audits = read_audits(store.ledger, files_of(store.ledger.book.with_status(Status.FINISHED)))
    names_of = {
        found: {row["name"] for row in read_rows(store.per_image_path(found), ["name"])}
        for found in {audit.replication.request_id for audit in audits}
    }
    problems += audit_problems(store.ledger, audits, names_of.__getitem__)
    return len(results), problems
