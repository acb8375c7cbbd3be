"""Taking in the results that came with requests, one after the other."""

import contextlib
from pathlib import Path

from evaluator.calibration import unlike_rows
from evaluator.pictures import fingerprint_images
from evaluator.reported import LARGEST, Bundle, check_reported
from protocol.errors import InputError, LeaseError, LedgerError, RecordError, StoreError
from protocol.failures import FailureCode
from protocol.states import State
from submission.queue import Claim, make_failure
from submission.redaction import redact
from submission.reported import is_reported, reported_among
from submission.store import OPEN, Store

STAGE = "receive"


def receive_all(
    store: Store, receiver: str, images: Path | None = None, *, only: str | None = None
) -> list[State]:
    """Take in all results that wait, or those of one request; return where they stand then.

    Args:
        store: where they came.
        receiver: who takes them in, for the history.
        images: the ground truth; only requests about it are taken in then.
        only: id of a request.

    Raises:
        StoreError: `only` names a request whose results do not wait.
    """
    if only is not None:
        state = store.state(only)
        if state.status not in OPEN or not is_reported(state.files):
            raise StoreError(f"no results of request {only} wait; it is {state.status}")
    pictures = fingerprint_images(images) if images else None
    ended: list[State] = []
    while True:
        with store.claim(
            receiver,
            lambda request: (
                (only in (None, request.request_id)) and pictures in (None, request.dataset_sha256)
            ),
            reported=True,
        ) as claim:
            if claim is None:
                return ended
            # Withdrawn at this moment: nothing waits of it any more, and others do.
            with contextlib.suppress(LeaseError):
                ended.append(_receive(store, claim, images))


def _receive(store: Store, claim: Claim, images: Path | None) -> State:
    try:
        taken = check_reported(_bundle(store, claim), claim.request, images)
        if difference := unlike_rows(taken.result, store):
            raise InputError(difference)
    except (InputError, LedgerError) as error:
        message = redact(str(error))
        return store.fail(claim, make_failure(FailureCode.RESULTS_REFUSED, STAGE, message))
    store.finish(claim, taken.result, taken.per_image)
    return store.state(claim.request.request_id)


def _bundle(store: Store, claim: Claim) -> Bundle:
    """Return the files that came, none of which is read before its size is known."""
    files = claim.state.files
    kinds = {
        path.rpartition(".")[2]: path for path in reported_among(claim.state.request_id, files)
    }
    if kinds.keys() != LARGEST.keys():
        raise RecordError(f"came with {', '.join(sorted(kinds))}, wanted one json and one parquet")
    for kind, largest in LARGEST.items():
        size = store.ledger.size(kinds[kind])
        if size > largest:
            raise RecordError(f"the {kind} file has {size:,} bytes, wanted {largest:,} at most")
    wanted = [(kinds[kind], files[kinds[kind]]) for kind in ("json", "parquet")]
    return Bundle(*store.ledger.read_all(wanted))
