"""Who has an Overall, and with it a rank, among the rows that were run."""

from protocol.controls import is_control
from protocol.records import Result


def may_be_ranked(result: Result) -> bool:
    """Say whether a result may stand among systems, as far as it is complete.

    A control shows what a score is worth. Of a row that an audit contradicts nobody knows what its
    scores are worth; they stand in their cells, with what the audit found.
    """
    return not is_control(result.request) and not result.is_contradicted
