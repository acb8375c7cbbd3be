"""Who leads at which weight of consistency against perception, with the exact breakpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A range of weights with its leader."""

    model: str
    weight_low: float
    """Weight of consistency, in [0, 1]; perception has the rest."""
    weight_high: float
    also: tuple[str, ...]
    """Systems with the very same two means, which lead with it."""


def lead_shares(found: Sequence[Lead]) -> dict[str, float]:
    """Return what share of all weights each leader leads at, in (0, 1]; others are absent.

    Systems with the very same two means share their leads, so the shares may sum to more than 1.
    """
    shares: dict[str, float] = {}
    for lead in found:
        for name in (lead.model, *lead.also):
            shares[name] = shares.get(name, 0.0) + lead.weight_high - lead.weight_low
    return shares


def leads(means: Mapping[str, tuple[float, float]]) -> list[Lead]:
    """Return the leaders from weight 0 to weight 1, each with its range.

    w * consistency + (1 - w) * perception is a straight line over w for each system, so the
    leaders are the lines' upper envelope, which is exact and needs no grid of weights. A lead
    passes where two lines cross: at
    w = (a.perception - b.perception) / (b.consistency - b.perception - a.consistency +
    a.perception).

    Args:
        means: mean consistency and mean perception by system, higher is better.
    """
    if not means:
        return []
    slopes = {name: fr - nr for name, (fr, nr) in means.items()}
    # At weight 0 only perception counts; of equal ones the steeper line leads from there on.
    leader = max(means, key=lambda name: (means[name][1], slopes[name]))
    found, weight = [], 0.0
    while True:
        level = means[leader][1]
        # A steeper line starts no higher than the leader's, or it would have led before.
        crossings = [
            ((level - means[name][1]) / (slopes[name] - slopes[leader]), -slopes[name], name)
            for name in means
            if slopes[name] > slopes[leader]
        ]
        following = min(crossings, default=None)
        end = 1.0 if following is None else min(1.0, following[0])
        also = tuple(n for n in means if n != leader and means[n] == means[leader])
        found.append(Lead(model=leader, weight_low=weight, weight_high=end, also=also))
        if following is None or end >= 1.0:
            return found
        weight, leader = end, following[2]
