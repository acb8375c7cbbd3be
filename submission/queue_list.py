"""The queue as people see it: every request with its place, its progress and the expected wait."""

import math
from collections.abc import Callable
from datetime import datetime
from statistics import median

from protocol.records import Request
from protocol.states import Status
from submission.ledger import Ledger
from submission.queue import QueueEntry, Terms, known
from submission.queue_worker import is_gone
from submission.reported import is_reported


def list_queue(
    ledger: Ledger, request_of: Callable[[str], Request], terms: Terms, at: datetime
) -> list[QueueEntry]:
    """Return every request: the running, the waiting as they will be run, the ended.

    Args:
        ledger: what happened; its newest note of a running request is shown before its state's.
        request_of: returns a request by its id.
        terms: of leases, which say whether a running request's worker is gone.
        at: the time.
    """
    book = ledger.refresh()
    ids = book.queue()
    for_workers = [i for i in ids if not is_reported(book.states[i]["files"])]
    waiting = [i for i in for_workers if book.states[i]["status"] == Status.PENDING]
    places = {request_id: place for place, request_id in enumerate(waiting, 1)}
    running = max(1, len(for_workers) - len(waiting))
    # A run during which its machine's clock was set back says nothing of how long runs take.
    durations = [seconds for seconds in book.durations if seconds >= 0]
    usual = median(durations) if durations else None
    ended = sorted(
        book.states.keys() - book.open,
        key=lambda i: int(book.states[i]["queued"]),
        reverse=True,
    )

    def entry(request_id: str) -> QueueEntry:
        state, position = known(book, request_id), places.get(request_id)
        progress = log = ""
        if state.status is Status.RUNNING:
            note = ledger.noted(request_id) or f"{state.progress}\n{state.log}"
            progress, _, log = note.partition("\n")
            if is_gone(state, terms, at, ledger.is_dead):
                progress = f"its worker has not been heard of since {state.updated_at}"
        elif state.status is Status.FINISHED:
            progress = state.progress
        elif state.status is Status.PENDING and position is None:
            progress = "came with its results, which wait to be received"
        wait = None
        if position is not None and usual is not None:
            wait = math.ceil(position / running) * usual
        return QueueEntry(request_of(request_id), state, progress, position, wait, log)

    return [entry(request_id) for request_id in [*ids, *ended]]
