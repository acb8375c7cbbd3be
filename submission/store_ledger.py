"""What every store can do, on the ledger that makes the stores differ."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from protocol.errors import LeaseError, StoreError
from protocol.records import Request, Result
from protocol.smoke import SmokeReport
from protocol.states import Action, Event, Failure, State, Status
from submission import queue_submitter, queue_worker
from submission.filed import files_of
from submission.finished import read_results
from submission.heartbeat import beating
from submission.ledger import Batch, Book, Ledger, events_of
from submission.queue import Claim, QueueEntry, Submitted, Terms, known, new_nonce, per_image_path
from submission.queue_list import list_queue
from submission.queue_worker import Accepts


class LedgerStore:
    """Requests, events and results on a ledger."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        terms: Terms | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take the ledger; nothing is read or written yet."""
        self.ledger = ledger
        self.terms = terms or Terms()
        self._clock = clock
        self._held: set[str] = set()
        self._lost: dict[str, LeaseError] = {}
        self._notes: dict[str, tuple[str, str]] = {}

    def submit(
        self,
        request: Request,
        priority: int = 0,
        remark: str = "",
        attached: Mapping[str, bytes] | None = None,
    ) -> Submitted:
        """Queue a request; an identical one is found by its id, and queued again if it failed.

        Raises:
            StoreError: it was superseded, and is somebody else's.
        """
        return self.submit_all([request], priority, remark, attached)[0]

    def submit_all(
        self,
        requests: Sequence[Request],
        priority: int = 0,
        remark: str = "",
        attached: Mapping[str, bytes] | None = None,
    ) -> list[Submitted]:
        """Queue several requests in one change; a remark goes into the history."""
        seen: dict[str, State | None] = {}

        def decide(book: Book) -> Batch:
            seen.update({r.request_id: book.state(r.request_id) for r in requests})
            return queue_submitter.submit(
                book, requests, priority, self._clock(), remark, attached=attached
            )

        events = {event.state.request_id: event for event in self.ledger.change(decide)}
        answers, told = [], set()
        for request in requests:
            event = events.get(request.request_id)
            state = event.state if event else seen[request.request_id]
            if state is None:
                raise StoreError(f"request {request.request_id} did not enter the ledger")
            is_new = event is not None and event.request is not None
            is_first = is_new and request.request_id not in told
            answers.append(Submitted(state, is_first, event is not None))
            told.add(request.request_id)
        return answers

    def take(
        self, worker: str, accepts: Accepts = lambda _: True, *, reported: bool = False
    ) -> Claim | None:
        """Claim the next request that waits, or whose worker is gone; None when there is none.

        The lease ends by itself unless it is renewed; `claim` renews it, and says what
        `reported` is.
        """
        nonce = new_nonce()
        self.ledger.hold(nonce)
        claim = None

        def decide(book: Book) -> Batch:
            return queue_worker.claim(
                book,
                worker,
                accepts,
                terms=self.terms,
                at=self._clock(),
                is_dead=self.ledger.is_dead,
                nonce=nonce,
                reported=reported,
            )

        try:
            events = self.ledger.change(decide)
            if events and events[-1].action is Action.CLAIM:
                state = events[-1].state
                claim = Claim(self.request(state.request_id), state)
                self._held.add(nonce)
        finally:
            if claim is None:
                self.ledger.let_go(nonce)
        return claim

    @contextlib.contextmanager
    def claim(
        self, worker: str, accepts: Accepts = lambda _: True, *, reported: bool = False
    ) -> Iterator[Claim | None]:
        """Hold the next request while the block lasts, and give it back unless it ended there.

        Args:
            worker: who asks, for the history.
            accepts: tells the requests that this worker can run.
            reported: hold one that came with its results, and no other; else none of these.
        """
        claim = self.take(worker, accepts, reported=reported)
        if claim is None:
            yield None
            return
        try:
            with beating(lambda: self.renew(claim), self.terms.lease_seconds / 2):
                yield claim
        except BaseException:
            # What went wrong is said by the error on its way, not by the store that followed it.
            with contextlib.suppress(StoreError, OSError):
                self.release(claim, "its worker stopped")
            raise
        self.release(claim, "given back")

    def renew(self, claim: Claim, smoke: SmokeReport | None = None) -> None:
        """Make a claim's lease last longer, and tell the progress that was last reported.

        Raises:
            LeaseError: it is another worker's now, or the request has ended.
        """
        line, log = self._notes.get(claim.state.request_id, ("", ""))
        try:
            self.ledger.change(
                lambda book: queue_worker.renew(
                    book, claim, line, self.terms, self._clock(), smoke=smoke, log=log
                )
            )
        except LeaseError as error:
            self._lost[claim.lease.nonce] = error
            raise

    def report_progress(self, claim: Claim, line: str, log: str = "") -> None:
        """Show people how far a request is; a LeaseError where a renewal found the claim gone."""
        if (lost := self._lost.get(claim.lease.nonce)) is not None:
            raise lost
        self._notes[claim.state.request_id] = line, log
        self.ledger.note(claim.state.request_id, f"{line}\n{log}")

    def report_smoke(self, claim: Claim, report: SmokeReport) -> None:
        """Keep what a claimed request's smoke test showed; it stays with the request.

        Raises:
            LeaseError: it is another worker's now, or the request has ended.
        """
        log = self._notes.get(claim.state.request_id, ("", ""))[1]
        self.report_progress(claim, report.sentence, log)
        self.renew(claim, report)

    def finish(self, claim: Claim, result: Result, per_image: bytes) -> None:
        """End a claimed request with its result.

        Raises:
            LeaseError: the claim is gone.
            StoreError: the result is another request's, or the Parquet not the one it names.
        """
        asked, ran = claim.request.request_id, result.request.request_id
        if ran != asked:
            raise StoreError(f"the result is of request {ran}, the claim of {asked}")
        if hashlib.sha256(per_image).hexdigest() != result.per_image_sha256:
            raise StoreError("the per-image scores are not those that the result was made from")
        self.ledger.change(
            lambda book: queue_worker.finish(
                book, claim, result, per_image, terms=self.terms, at=self._clock()
            )
        )
        self._let_go(claim)

    def fail(self, claim: Claim, failure: Failure) -> State:
        """End an attempt for a reason; the request ends too, unless the reason may pass.

        Raises:
            LeaseError: the claim is gone.
        """
        (event,) = self.ledger.change(
            lambda book: queue_worker.fail(book, claim, failure, self.terms, self._clock())
        )
        self._let_go(claim)
        return event.state

    def release(self, claim: Claim, reason: str) -> None:
        """Give a request back untried; nothing happens where it ended or is another worker's."""
        if claim.lease.nonce in self._held:
            at = self._clock()
            self.ledger.change(lambda book: queue_worker.release(book, claim, reason, at))
            self._let_go(claim)

    def withdraw(self, request_id: str, actor: str, reason: str = "withdrawn") -> State:
        """End a request at its submitter's wish; rows whose place it took stand again."""
        at = self._clock()
        return self._change_one(
            lambda book: queue_submitter.withdraw(book, request_id, actor, reason, at)
        )

    def remove(self, request_id: str, actor: str, reason: str) -> State:
        """End a request by a maintainer; its history stays and says why."""
        at = self._clock()
        return self._change_one(
            lambda book: queue_submitter.remove(book, request_id, actor, reason, at)
        )

    def supersede(self, request_id: str, successor: str, actor: str) -> State:
        """Let another row of the same submitter take a request's place."""
        at = self._clock()
        return self._change_one(
            lambda book: queue_submitter.supersede(book, request_id, successor, actor, at)
        )

    def prioritise(self, request_id: str, priority: int, actor: str) -> State:
        """Let a waiting request run earlier or later."""
        at = self._clock()
        return self._change_one(
            lambda book: queue_submitter.prioritise(book, request_id, priority, actor, at)
        )

    def request(self, request_id: str) -> Request:
        """Return a request.

        Raises:
            StoreError: there is none of this id.
        """
        request = self.ledger.book.request(request_id) or self.ledger.refresh().request(request_id)
        if request is None:
            raise StoreError(f"the store holds no request {request_id!r}; see `cmc queue`")
        return request

    def state(self, request_id: str) -> State:
        """Return where a request stands.

        Raises:
            StoreError: there is none of this id.
        """
        return known(self.ledger.refresh(), request_id)

    def events(self, request_id: str) -> list[Event]:
        """Return a request's history, oldest first."""
        return [e for e in events_of(self.ledger.lines()) if e.state.request_id == request_id]

    def queue(self) -> list[QueueEntry]:
        """Return every request: the running, the waiting as they will be run, the ended."""
        return list_queue(self.ledger, self.request, self.terms, self._clock())

    def results(self) -> list[Result]:
        """Return the result of every finished request, as they were submitted.

        Raises:
            LedgerError: a result or an audit is missing, or not the one that the ledger holds.
        """
        states = self.ledger.refresh().with_status(Status.FINISHED)
        return read_results(self.ledger, files_of(states))

    def per_image_path(self, request_id: str) -> Path:
        """Return a file with a finished request's per-image scores; a StoreError of another's."""
        # Who reads a board's results one by one has just looked at the ledger.
        state = self.ledger.book.state(request_id)
        if state is None or state.status is not Status.FINISHED:
            state = self.state(request_id)
        if state.status is not Status.FINISHED:
            raise StoreError(f"request {request_id} is {state.status}; it has no per-image scores")
        path = per_image_path(state)
        return self.ledger.local_path(path, state.files[path])

    def _change_one(self, decide: Callable[[Book], Batch]) -> State:
        event, *_ = self.ledger.change(decide)
        return event.state

    def _let_go(self, claim: Claim) -> None:
        self._held.discard(claim.lease.nonce)
        self._lost.pop(claim.lease.nonce, None)
        self._notes.pop(claim.state.request_id, None)
        self.ledger.note(claim.state.request_id, "")
        self.ledger.let_go(claim.lease.nonce)
