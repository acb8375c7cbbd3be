"""The worker: claim a request, run it, write what came out; the one place that catches all."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from evaluator.bench import Bench
from evaluator.calibration import unlike_rows
from evaluator.execution import Outcome, run_here
from evaluator.failures import blame_machine, failure_of
from evaluator.fetching import fetch_restricted
from evaluator.gallery import hand_over
from evaluator.isolation import evaluate_apart, needs_isolation
from evaluator.pictures import fingerprint_images
from evaluator.pruning import prune
from evaluator.run_log import RunLog
from protocol.eligibility import unscored
from protocol.errors import HubError, LeaseError, MachineFault, StoreError, WeightsError
from protocol.failures import FailureCode
from protocol.records import Request, Result
from protocol.smoke import SmokeReport
from protocol.states import Failure, State, Status
from submission.caption_files import with_captions_here
from submission.intake import examine_again, require_accepted
from submission.limits import UNSHARED, shared_limits
from submission.queue import QueueEntry
from submission.reported import is_reported
from submission.rules import check_endpoints
from submission.store import OPEN, Claim, FolderStore, Store
from submission.systems import require_unchanged


class Done(NamedTuple):
    """What a worker did."""

    finished: int
    failed: int
    """Attempts, those of requests that will be tried again among them; no lost claims."""
    waiting: int
    """Requests that wait still: more than one was there, or they are about other pictures."""
    to_receive: int
    """Requests whose results came with them, which no worker runs."""


def work(
    store: Store,
    bench: Bench,
    *,
    once: bool,
    say: Callable[[str], None],
    poll_seconds: float | None = None,
    pause: Callable[[float], None] = time.sleep,
    isolate: bool = True,
) -> Done:
    """Run waiting requests about the bench's pictures until there are none, or one of them.

    A worker that is killed leaves its request to the next one, which takes from the cache what was
    done.

    Args:
        store: where the requests are.
        bench: where to compute.
        once: stop after one request.
        say: is told what happens, a line at a time.
        poll_seconds: look again after this time instead of stopping when nothing waits.
        pause: waits so many seconds, or less where something tells that a request has come.
        isolate: run submitted weights in a process that has no token.
    """
    finished = failed = 0
    worker = f"{socket.gethostname()}:{os.getpid()}"
    pictures = fingerprint_images(bench.images)
    before = {entry.state.request_id for entry in store.queue() if entry.state.status in OPEN}
    while True:
        with store.claim(worker, lambda r: r.dataset_sha256 == pictures) as claim:
            if claim is not None:
                say(f"{claim.request.request_id}  {describe_request(claim.request)}")
                has_row = _run(store, claim, bench, say, isolate=isolate)
                finished += has_row is True
                failed += has_row is False
                if bench.cache_bytes is not None:
                    prune(bench.cache.folder, bench.cache_bytes)
        if once or (claim is None and poll_seconds is None):
            break
        if claim is None and poll_seconds is not None:
            pause(poll_seconds)
    queue = store.queue()
    for state in _given_up(queue, before):
        # Whoever claims next also ends what has lost its worker for the last time.
        say(f"{state.request_id}  failed: its worker vanished in attempt {state.attempt}, the last")
        failed += 1
    came = [is_reported(entry.state.files) for entry in queue if entry.state.status in OPEN]
    return Done(finished, failed, len(came) - sum(came), sum(came))


def _given_up(queue: Sequence[QueueEntry], before: Collection[str]) -> Iterator[State]:
    """Yield those of the requests `before` that failed because their workers vanished."""
    for _, state, *_ in queue:
        lost = state.failure is not None and state.failure.code is FailureCode.WORKER_LOST
        if state.request_id in before and state.status is Status.FAILED and lost:
            yield state


def describe_request(request: Request) -> str:
    """Return what a request is, in a line."""
    pair = f"{request.label} with {request.partner}" if request.partner else request.label
    return f"{request.role} {pair}: {', '.join(request.modes)} ({request.protocol})"


def _run(
    store: Store, claim: Claim, bench: Bench, say: Callable[[str], None], *, isolate: bool
) -> bool | None:
    """Run a request; return whether a row came of it, and None where the claim was lost."""
    try:
        return _finish(store, claim, bench, say, isolate=isolate)
    except LeaseError as error:
        # What was decoded is in the cache; whoever holds the request now writes the result.
        say(f"  lost: {error}")
        return None


def _finish(
    store: Store, claim: Claim, bench: Bench, say: Callable[[str], None], *, isolate: bool
) -> bool:
    try:
        outcome = _execute(store, claim, bench, isolate=isolate)
        if isinstance(outcome, Outcome):
            # Before the result: whoever sees the row finds its pictures.
            hand_over(bench.cache, claim.request.request_id, store)
            # As it was asked for: where its files lay on this machine is nobody's business.
            result = replace(outcome.result, request=claim.request)
            _require_like(store, result)
            store.finish(claim, result, outcome.per_image)
            if lost := unscored(result):
                say(f"  finished with {lost}")
            return True
        failure = outcome
    except (OSError, StoreError, WeightsError):
        # A full disk, a Hub out of reach or an indicator's weights that are not there are this
        # machine's trouble: another worker may do better.
        raise
    except Exception as error:
        blame_machine(error)
        failure = failure_of(error)
        if failure.code is FailureCode.KERNEL_FAULT:
            # The attempt counts, and this process can use its GPU no more.
            store.fail(claim, failure)
            raise
    state = store.fail(claim, failure)
    again = "; it will be tried again" if state.status is Status.PENDING else ""
    say(f"  failed: {failure.message}{again}")
    return False


def _require_like(store: Store, result: Result) -> None:
    """Keep a row out that was not scored as those beside it were.

    Raises:
        MachineFault: this machine scores otherwise; what was decoded is in the cache.
    """
    if difference := unlike_rows(result, store):
        raise MachineFault(
            f"{difference}. No row was written and the request waits again: score with the "
            "libraries of that row, or under a new version of the protocol"
        )


def _execute(store: Store, claim: Claim, bench: Bench, *, isolate: bool) -> Outcome | Failure:
    log = RunLog(lambda line, text: store.report_progress(claim, line, text))
    log.add(f"attempt {claim.state.attempt}, by {claim.state.worker}")

    def tell(report: SmokeReport) -> None:
        # For people: the run needs no answer.
        with contextlib.suppress(HubError):
            store.report_smoke(claim, report)

    limits = UNSHARED if isinstance(store, FolderStore) else shared_limits()
    require_accepted(check_endpoints(claim.request, limits))
    request = with_captions_here(claim.request, store.ledger, bench.cache.folder / "captions")
    is_apart = isolate and needs_isolation(request)
    if is_apart:
        require_accepted(examine_again(request))
    for system in (request.i2t, request.t2i):
        require_unchanged(system)
    if not is_apart:
        return run_here(request, bench, log.step, tell, log.add)
    fetch_restricted(request)
    return evaluate_apart(request, bench, log.step, tell, log.add)
