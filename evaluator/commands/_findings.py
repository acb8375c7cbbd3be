"""What the checks found, as `cmc submit` prints it."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from protocol.counts import counted

if TYPE_CHECKING:
    from submission.cost import Cost
    from submission.findings import Finding


def answer_of(findings: "Sequence[Finding]", cost: "Cost | None") -> dict[str, Any]:
    """Return what was found, for JSON."""
    from protocol.jsonable import to_plain
    from submission.findings import refusals

    return {
        "accepted": not refusals(findings),
        "findings": [{**to_plain(one), "refuses": one.refuses} for one in findings],
        "cost": to_plain(cost),
    }


def report(options: argparse.Namespace, findings: "Sequence[Finding]", cost: "Cost | None") -> int:
    """Print what was found where nothing is queued, and return 1 when it is refused."""
    from submission.findings import refusals

    refused = len(refusals(findings))
    if options.json:
        print(json.dumps(answer_of(findings, cost)))
    else:
        show(findings, cost)
        print(
            f"refused: {counted(refused, 'reason')}" if refused else "accepted; nothing was queued"
        )
    return 1 if refused else 0


def show(findings: "Sequence[Finding]", cost: "Cost | None") -> None:
    """Print a finding a line, what refuses first, and what the run will take."""
    for finding in sorted(findings, key=lambda finding: not finding.refuses):
        mark = "refused" if finding.refuses else "note"
        print(f"{mark:<8}{finding.code}  {finding.about}: {finding.sentence}")
        if finding.remedy:
            print(f"{'':<8}{finding.remedy}")
    if cost is not None:
        print(f"{'cost':<8}{cost.sentence}")
