"""What goes wrong on purpose on the loopback Hub, and what it was asked."""

import random
import threading
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple


class Call(NamedTuple):
    """One request that was answered, or was not on purpose."""

    method: str
    operation: str
    """`commit`, `resolve`, `preupload`, `tree`, `info`, …: see `hub_routes.ROUTES`."""
    repo: str
    path: str
    user: str
    status: int
    """What was answered; 0 where the line was cut instead."""
    fault: str
    """Empty, or the injected fault."""
    received_bytes: int
    """Length of what was sent here, without headers."""
    answered_bytes: int
    """Length of what was answered, without headers; 0 for a HEAD."""
    head_bytes: int = 0
    """Length of the request's line and headers."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to go wrong."""

    status: int
    """The answer; 0: hang for the time-out's length and cut the line."""
    after: bool = False
    """True: the work is done first, and only the answer is lost."""

    @property
    def name(self) -> str:
        return f"{'lost ' if self.after else ''}{self.status or 'time-out'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares of the calls that fail, each between 0 and 1."""

    server_error: float = 0.0
    """500, 502, 503 or 504, on any call."""
    conflict: float = 0.0
    """409 or 412, on commits."""
    too_many: float = 0.0
    """429, on any call."""
    timeout: float = 0.0
    """The line is cut after a pause, on any call."""
    lost: float = 0.5
    """Share of the server errors and time-outs on commits that come after the commit was made."""


class Faults:
    """Decides from a seed which calls fail; single faults can be ordered as well."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._random = random.Random(0)
        self._rates = Rates()
        self._ordered: list[tuple[str, Fault]] = []

    def set_rates(self, rates: Rates, seed: int = 0) -> None:
        with self._lock:
            self._rates, self._random = rates, random.Random(seed)

    def order(self, operation: str, status: int, *, after: bool = False, times: int = 1) -> None:
        """Let the next `times` calls of an operation fail; status 0 is a time-out."""
        with self._lock:
            self._ordered += [(operation, Fault(status, after))] * times

    def draw(self, operation: str) -> Fault | None:
        """Return what goes wrong with this call."""
        with self._lock:
            for i, (wanted, fault) in enumerate(self._ordered):
                if wanted == operation:
                    del self._ordered[i]
                    return fault
            return self._drawn(operation)

    def _drawn(self, operation: str) -> Fault | None:
        rates, chance = self._rates, self._random.random()
        is_commit = operation == "commit"
        after = is_commit and self._random.random() < rates.lost
        shares = (
            (rates.server_error, Fault(self._random.choice((500, 502, 503, 504)), after)),
            (rates.timeout, Fault(0, after)),
            (rates.too_many, Fault(429)),
            (rates.conflict if is_commit else 0.0, Fault(self._random.choice((409, 412)))),
        )
        for share, fault in shares:
            if chance < share:
                return fault
            chance -= share
        return None


class CallLog:
    """The calls so far, in the order of their answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def clear(self) -> None:
        with self._lock:
            self._calls.clear()

    def __call__(self, operation: str = "") -> list[Call]:
        """Return the calls, all or of one operation."""
        with self._lock:
            return [call for call in self._calls if operation in ("", call.operation)]

    def counts(self) -> dict[str, int]:
        return dict(Counter(call.operation for call in self()))
