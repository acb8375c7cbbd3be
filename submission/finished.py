"""The results of a store's finished requests, each with the source that is due to it."""

from protocol.errors import RecordError
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.states import Status
from submission.audits import read_audits, with_audits
from submission.ledger import Ledger
from submission.queue import result_path


def read_results(ledger: Ledger) -> list[Result]:
    """Return the result of every finished request, as they were submitted.

    Raises:
        LedgerError: a result or an audit is missing, or is not the one that the ledger holds.
    """
    states = ledger.refresh().with_status(Status.FINISHED)
    paths = [result_path(state) for state in states]
    contents = ledger.read_all([(p, s.files[p]) for p, s in zip(paths, states, strict=True)])
    results = [_result(path, content) for path, content in zip(paths, contents, strict=True)]
    return with_audits(results, states, read_audits(ledger, states))


def _result(path: str, content: bytes) -> Result:
    try:
        return from_json(Result, content)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
