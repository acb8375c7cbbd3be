"""What a worker can hold and what an account may ask for."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

from submission.identity import Account, SignedInBy

ENDPOINTS = "CMC_ENDPOINTS"
"""The variable that opens endpoints: `ADAPTER:MODEL` or `ADAPTER:MODEL?base_url=URL`, by commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One store's limits."""

    weight_bytes: int = 60 * 10**9
    """Of one model as it is loaded: with activations this fits one GPU of 80 GB."""
    repository_bytes: int = 400 * 10**9
    """Of a model folder on this machine: all of it is hashed."""
    waiting_requests: int = 5
    """Pending or running, per submitting account."""
    weekly_requests: int = 20
    """Submitted in the last seven days, withdrawn ones included, per submitting account."""
    endpoints: frozenset[str] | None = frozenset()
    """Models on servers that anybody may ask for; None: all, for who pays for them himself."""


LIMITS = Limits()

UNSHARED = Limits(waiting_requests=1_000_000, weekly_requests=1_000_000, endpoints=None)
"""For a store that is a folder of this machine: nobody else waits for its workers."""


def shared_limits(environment: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits of a store that many submit to, with the endpoints opened here."""
    named = (part.strip() for part in environment.get(ENDPOINTS, "").split(","))
    return replace(LIMITS, endpoints=frozenset(filter(None, named)))


def limits_for(account: Account, *, is_folder: bool) -> Limits:
    """Return what an account may ask of a store; on a folder its machine's user may all."""
    is_own = is_folder and account.signed_in_by is SignedInBy.MACHINE
    return UNSHARED if is_own else shared_limits()
