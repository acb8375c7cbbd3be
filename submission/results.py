"""Results of a store by the names that its ledger gives them."""

from collections.abc import Mapping

from protocol.errors import RecordError
from protocol.jsonable import from_json
from protocol.records import Result
from submission.ledger import Ledger


def read_results(ledger: Ledger, files: Mapping[str, str]) -> list[Result]:
    """Return results by path and sha256, in that order.

    Raises:
        LedgerError: one is missing, or has another sha256.
        RecordError: one cannot be read.
    """
    contents = ledger.read_all(list(files.items()))
    return [_result(path, content) for path, content in zip(files, contents, strict=True)]


def _result(path: str, content: bytes) -> Result:
    try:
        return from_json(Result, content)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
