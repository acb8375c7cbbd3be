"""Many workers with crashes, clocks that are wrong, and answers that get lost: the rules hold."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from made_requests import PER_IMAGE, request_for, result_of

from protocol.errors import LeaseError, StoreError
from protocol.failures import FailureCode
from protocol.states import OPEN, Action, Event, Lease, State, Status
from submission.clock import from_text
from submission.ledger import Batch, Book, events_of, make_line
from submission.ledger_check import check_ledger
from submission.queue import Claim, Terms, make_failure, new_nonce
from submission.store_ledger import LedgerStore

TERMS = Terms(lease_seconds=60, grace_seconds=10, max_attempts=3)
WORKERS = 4
# Two of them within the grace, two far outside: what is at stake then is time, never a result.
SKEWS = (0.0, 8.0, -500.0, 500.0)


class AnswerLost(OSError):
    """The change happened, and its writer does not know."""


class MemoryLedger:
    """A ledger in this process; its next answer can be lost."""

    def __init__(self) -> None:
        self.book = Book()
        self.all: list[bytes] = []
        self.files: dict[str, str] = {}
        self.lose_next = False

    def refresh(self) -> Book:
        return self.book

    def change(self, decide: Callable[[Book], Batch]) -> tuple[Event, ...]:
        batch = decide(self.book)
        if not batch.events:
            return ()
        self.all.append(make_line(self.book, batch, new_nonce(), ""))
        self.files |= {p: hashlib.sha256(data).hexdigest() for p, data in batch.files.items()}
        self.book.apply(self.all[-1])
        if self.lose_next:
            self.lose_next = False
            raise AnswerLost
        return batch.events

    def lines(self) -> Iterator[bytes]:
        yield from self.all

    def digests(self) -> Mapping[str, str]:
        return self.files

    def is_dead(self, lease: Lease) -> bool:
        del lease
        return False

    def hold(self, nonce: str) -> None: ...

    def let_go(self, nonce: str) -> None: ...

    def note(self, request_id: str, line: str) -> None: ...

    def noted(self, request_id: str) -> str:
        return request_id[:0]

    def read_all(self, wanted: Sequence[tuple[str, str]]) -> Iterator[bytes]:
        raise NotImplementedError

    def local_path(self, path: str, sha256: str) -> Path:
        raise NotImplementedError

    def attached(self, path: str) -> bytes | None:
        raise NotImplementedError

    def size(self, path: str) -> int:
        raise NotImplementedError


class Queue(RuleBasedStateMachine):
    """Claims are never forgotten: a worker that crashed may come back and try to write."""

    @initialize()
    def start(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.ledger = MemoryLedger()
        self.stores = [
            LedgerStore(self.ledger, terms=TERMS, clock=self._clock(skew)) for skew in SKEWS
        ]
        self.claims: list[tuple[int, Claim]] = []

    def _clock(self, skew: float) -> Callable[[], datetime]:
        return lambda: self.now + timedelta(seconds=skew)

    def _holds(self, claim: Claim) -> bool:
        state = self.ledger.book.state(claim.request.request_id)
        assert state is not None
        same = state.lease is not None and state.lease.nonce == claim.lease.nonce
        return state.status is Status.RUNNING and same

    @rule(quality=st.integers(0, 2), priority=st.integers(-1, 1))
    def submit(self, quality: int, priority: int) -> None:
        self.stores[0].submit(request_for(quality), priority)

    @rule(worker=st.integers(0, WORKERS - 1), lost=st.booleans())
    def claim(self, worker: int, lost: bool) -> None:
        before = {state.request_id: state for state in self.ledger.book.with_status(*Status)}
        self.ledger.lose_next = lost
        try:
            claim = self.stores[worker].take(f"w{worker}")
        except AnswerLost:
            return
        finally:
            self.ledger.lose_next = False
        if claim is not None:
            assert self._holds(claim)
            self.claims.append((worker, claim))
            self._check_takeover(before[claim.request.request_id], worker)

    def _check_takeover(self, old: State, worker: int) -> None:
        """Only what ran out, by the taker's clock and with the grace, may be taken."""
        if old.status is Status.RUNNING:
            assert old.lease is not None
            free = from_text(old.lease.expires_at) + timedelta(seconds=TERMS.grace_seconds)
            assert self._clock(SKEWS[worker])() >= free
            assert old.attempt < TERMS.max_attempts

    @rule(worker=st.integers(0, WORKERS - 1), quality=st.integers(0, 2))
    def vanish_again_and_again(self, worker: int, quality: int) -> None:
        """A model that kills its worker."""
        self.stores[0].submit(request_for(quality))
        for _ in range(TERMS.max_attempts + 1):
            self.claim(worker, lost=False)
            self.now += timedelta(seconds=71)

    @rule(data=st.data(), lost=st.booleans())
    def finish(self, data: st.DataObject, lost: bool) -> None:
        if not self.claims:
            return
        worker, claim = data.draw(st.sampled_from(self.claims))
        holds = self._holds(claim)
        self.ledger.lose_next = lost
        try:
            self.stores[worker].finish(claim, result_of(claim.request), PER_IMAGE)
        except LeaseError:
            assert not holds
        except AnswerLost:
            assert holds
        else:
            assert holds
        finally:
            self.ledger.lose_next = False

    @rule(worker=st.integers(0, WORKERS - 1), seconds=st.sampled_from([61, 5000]))
    def finish_late(self, worker: int, seconds: int) -> None:
        """A worker that was cut off for longer than its lease, and whom nobody missed."""
        self.claim(worker, lost=False)
        if self.claims and self._holds(self.claims[-1][1]):
            self.now += timedelta(seconds=seconds)
            owner, claim = self.claims[-1]
            self.stores[owner].finish(claim, result_of(claim.request), PER_IMAGE)

    @rule(data=st.data(), code=st.sampled_from([FailureCode.TIMEOUT, FailureCode.NAN_OUTPUT]))
    def fail(self, data: st.DataObject, code: FailureCode) -> None:
        if self.claims:
            worker, claim = data.draw(st.sampled_from(self.claims))
            holds = self._holds(claim)
            try:
                self.stores[worker].fail(claim, make_failure(code, "evaluate", ""))
            except LeaseError:
                assert not holds
            else:
                assert holds

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        if self.claims:
            worker, claim = data.draw(st.sampled_from(self.claims))
            if self._holds(claim):
                self.stores[worker].renew(claim)
            else:
                with pytest.raises(LeaseError):
                    self.stores[worker].renew(claim)

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.claims:
            worker, claim = data.draw(st.sampled_from(self.claims))
            self.stores[worker].release(claim, "stopped")

    @rule(quality=st.integers(0, 2))
    def withdraw(self, quality: int) -> None:
        request_id = request_for(quality).request_id
        state = self.ledger.book.state(request_id)
        if state is not None and state.status in (*OPEN, Status.FINISHED):
            self.stores[0].withdraw(request_id, "ada")
        else:
            with pytest.raises(StoreError):
                self.stores[0].withdraw(request_id, "ada")

    @rule(seconds=st.sampled_from([1, 30, 59, 61, 71, 600]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def no_request_is_tried_too_often(self) -> None:
        attempts = [state["attempt"] for state in self.ledger.book.states.values()]
        assert all(0 <= attempt <= TERMS.max_attempts for attempt in attempts)

    def teardown(self) -> None:
        """Let one honest worker run what is left; then everything has ended, once a submission."""
        if not hasattr(self, "ledger"):
            return
        self.now += timedelta(seconds=10_000)
        while claim := self.stores[0].take("last"):
            self.stores[0].finish(claim, result_of(claim.request), PER_IMAGE)
        assert not self.ledger.book.open
        checked = check_ledger(self.ledger)
        assert checked.problems == []
        assert checked.book.states == self.ledger.book.states
        submitted: dict[str, int] = {}
        finished: dict[str, int] = {}
        tokens: dict[str, int] = {}
        for event in events_of(self.ledger.all):
            request_id = event.state.request_id
            if event.action is Action.SUBMIT:
                submitted[request_id] = submitted.get(request_id, 0) + 1
            if event.action is Action.CLAIM:
                assert event.state.lease is not None
                assert event.state.lease.token > tokens.get(request_id, 0)
                tokens[request_id] = event.state.lease.token
            if event.action is Action.FINISH:
                finished[request_id] = finished.get(request_id, 0) + 1
                assert finished[request_id] <= submitted[request_id]


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
