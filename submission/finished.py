"""The results among the files that a ledger names, each with the source that is due to it."""

from collections.abc import Mapping

from protocol.errors import RecordError
from protocol.jsonable import from_json
from protocol.records import Result
from submission.audits import read_audits, with_audits
from submission.filed import in_room
from submission.ledger import Ledger


def read_results(ledger: Ledger, files: Mapping[str, str]) -> list[Result]:
    """Return the results among the files of finished requests, in the order of the files.

    Args:
        ledger: of the store.
        files: path and sha256, as `files_of` returns them for states or a frozen board has them.

    Raises:
        LedgerError: a result or an audit is missing, or has another sha256.
        RecordError: one cannot be read.
    """
    found = in_room(files, "results/")
    contents = ledger.read_all(list(found.items()))
    results = [_result(path, content) for path, content in zip(found, contents, strict=True)]
    return with_audits(results, files, read_audits(ledger, files))


def _result(path: str, content: bytes) -> Result:
    try:
        return from_json(Result, content)
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
