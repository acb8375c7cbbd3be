"""What a worker can hold and what an account may ask for."""

from dataclasses import dataclass


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


LIMITS = Limits()
