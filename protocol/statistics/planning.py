"""Which pair to run next: the one that tells neighbours in rank apart soonest.

Every pair's mean Overall is taken as mean + encoder + decoder + error, the errors independent and
of one variance s^2 (`protocol.statistics.additive`). By least squares the variance of a contrast c
of the effects is s^2 c'Mc with M = (X'X)^-1, and a further pair with the design row x changes M to
M - Mxx'M / (1 + x'Mx) (Sherman & Morrison, Annals of Mathematical Statistics 21, 1950), whatever
its score will be. So the summed variance of the differences between neighbours in rank, among the
encoders and among the decoders, falls by the sum over these contrasts of

    s^2 (c'Mx)^2 / (1 + x'Mx),

and as a share of the present sum this needs no s^2. Pairs are chosen one after the other by this
share over their seconds, each in view of those before it. The predicted score of a pair is the
fitted one, which leaves the fit and hence the order of the ranks as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt

import numpy as np

from protocol.statistics.additive import Pair, design_matrix, expansion
from protocol.statistics.bootstrap import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPair:
    """A pair to run."""

    encoder: str
    decoder: str
    seconds: float
    """What it is expected to take."""
    predicted: float | None
    """Its Overall by the fit; None where the fit does not reach."""
    standard_error: float | None
    """Of the predicted Overall; None where all pairs are needed for the fit and none is left."""
    gain: float | None
    """Share of the neighbours' summed variance, as of before the plan, that it takes away after
    those before it; None for a pair that joins two groups, without which there is no variance."""

    @property
    def gain_per_hour(self) -> float | None:
        """The gain over the hours that it takes."""
        if self.gain is None:
            return None
        return _ratio(self.gain, self.seconds) * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run, best first."""

    pairs: tuple[PlannedPair, ...]
    sentence: str
    """What the plan does, or why there is none."""


def plan_pairs(
    means: Mapping[Pair, float],
    seconds: Mapping[Pair, float],
    *,
    limit: int,
    budget_seconds: float = inf,
) -> Plan:
    """Choose the pairs to run next.

    Args:
        means: the Overall of every pair that was run, at least one.
        seconds: what each pair that may be chosen would take; both of its systems are in `means`.
        limit: how many pairs at most.
        budget_seconds: how long all of them may take.
    """
    encoders = sorted({encoder for encoder, _ in means})
    decoders = sorted({decoder for _, decoder in means})
    what = f"{_count(encoders, 'encoder')} and {_count(decoders, 'decoder')}"
    if len(encoders) * len(decoders) == len(means):
        return Plan(
            pairs=(),
            sentence=f"every pair of {what} has been run; another system would make new ones",
        )
    if not seconds:
        return Plan(pairs=(), sentence=f"of {what} no pair is left that could be planned")
    groups = _groups(means)
    if len(set(groups.values())) > 1:
        return _join(groups, seconds, limit, budget_seconds)
    return _reduce(means, seconds, limit, budget_seconds)


def _reduce(
    means: Mapping[Pair, float], seconds: Mapping[Pair, float], limit: int, budget_seconds: float
) -> Plan:
    fit = _Fit(means)
    chosen: list[PlannedPair] = []
    left = sorted(seconds)
    while len(chosen) < limit:
        spent = sum(pair.seconds for pair in chosen)
        left = [pair for pair in left if spent + seconds[pair] <= budget_seconds]
        if not left:
            break
        best = max(left, key=lambda pair: _ratio(fit.gain(pair), seconds[pair]))
        chosen.append(fit.take(best, seconds[best]))
        left.remove(best)
    if not chosen:
        return Plan(pairs=(), sentence=_too_dear(seconds))
    share = sum(pair.gain or 0.0 for pair in chosen)
    return Plan(
        pairs=tuple(chosen),
        sentence=f"together they take away {share:.0%} of the summed variance of the differences "
        "between neighbours in rank",
    )


class _Fit:
    """The fit, and M as it becomes with the pairs that are taken."""

    def __init__(self, means: Mapping[Pair, float]) -> None:
        run = sorted(means)
        self._encoders = sorted({encoder for encoder, _ in run})
        self._decoders = sorted({decoder for _, decoder in run})
        design = design_matrix(run, self._encoders, self._decoders)
        observed = np.array([means[pair] for pair in run])
        self._inverse = np.linalg.inv(design.T @ design)
        self._found = self._inverse @ design.T @ observed
        errors, free = observed - design @ self._found, len(run) - design.shape[1]
        self._spread = float(errors @ errors) / free if free else None
        self._contrasts = self._neighbours()
        self._before = float(np.trace(self._contrasts @ self._inverse @ self._contrasts.T))

    def gain(self, pair: Pair) -> float:
        """Return the share of the first summed variance that a pair would take away now."""
        row = self._row(pair)
        moved = self._inverse @ row
        taken = ((self._contrasts @ moved) ** 2).sum() / (1 + row @ moved)
        return float(taken) / self._before

    def take(self, pair: Pair, seconds: float) -> PlannedPair:
        """Return what is known of a pair, and count it as run."""
        row = self._row(pair)
        moved = self._inverse @ row
        leverage = float(row @ moved)
        taken = PlannedPair(
            encoder=pair[0],
            decoder=pair[1],
            seconds=seconds,
            predicted=float(row @ self._found),
            standard_error=None if self._spread is None else sqrt(self._spread * (1 + leverage)),
            gain=self.gain(pair),
        )
        self._inverse = self._inverse - np.outer(moved, moved) / (1 + leverage)
        return taken

    def _row(self, pair: Pair) -> Array:
        row: Array = design_matrix([pair], self._encoders, self._decoders)[0]
        return row

    def _neighbours(self) -> Array:
        """Return the contrasts between neighbours in rank, `(contrasts, parameters)`."""
        cut = 1 + len(self._encoders)
        parts = expansion(len(self._encoders), len(self._decoders))
        effects = parts @ self._found
        rows: list[Array] = []
        for first, last in ((1, cut), (cut, len(parts))):
            order = first + np.argsort(-effects[first:last], kind="stable")
            rows += [parts[a] - parts[b] for a, b in pairwise(order)]
        return np.array(rows)


def _join(
    groups: Mapping[str, int], seconds: Mapping[Pair, float], limit: int, budget_seconds: float
) -> Plan:
    """Return the cheapest pairs that join the groups (Kruskal's spanning tree)."""
    group_of, count = dict(groups), len(set(groups.values()))
    chosen: list[PlannedPair] = []
    spent = 0.0
    for encoder, decoder in sorted(seconds, key=lambda pair: (seconds[pair], pair)):
        one, other = group_of[_encoder(encoder)], group_of[_decoder(decoder)]
        if one == other or spent + seconds[encoder, decoder] > budget_seconds:
            continue
        group_of = {name: one if group == other else group for name, group in group_of.items()}
        spent += seconds[encoder, decoder]
        chosen.append(
            PlannedPair(
                encoder=encoder,
                decoder=decoder,
                seconds=seconds[encoder, decoder],
                predicted=None,
                standard_error=None,
                gain=None,
            )
        )
    sentence = (
        f"the pairs fall apart into {count} groups that share no encoder and no decoder, so "
        "effects cannot be compared between them; "
    )
    left = count - 1 - len(chosen)
    cut = chosen[:limit]
    if left or len(cut) < len(chosen):
        sentence += f"these join {len(cut) + 1} of them" if cut else _too_dear(seconds)
    else:
        sentence += "these pairs join them at the least cost; plan again when they have been run"
    return Plan(pairs=tuple(cut), sentence=sentence)


def _groups(means: Mapping[Pair, float]) -> dict[str, int]:
    """Return a number for every system; systems that pairs connect have the same."""
    group_of: dict[str, int] = {}
    for number, (encoder, decoder) in enumerate(sorted(means)):
        ends = (_encoder(encoder), _decoder(decoder))
        met = {group_of[end] for end in ends if end in group_of}
        group_of |= dict.fromkeys(ends, number)
        group_of = {name: number if g in met else g for name, g in group_of.items()}
    return group_of


def _encoder(name: str) -> str:
    # One model may be both.
    return f"encoder {name}"


def _decoder(name: str) -> str:
    return f"decoder {name}"


def _ratio(gain: float, seconds: float) -> float:
    return gain / seconds if seconds > 0 else inf


def _count(names: Sequence[str], noun: str) -> str:
    return f"{len(names)} {noun}" + ("" if len(names) == 1 else "s")


def _too_dear(seconds: Mapping[Pair, float]) -> str:
    return f"no pair fits the budget; the shortest takes {min(seconds.values()) / 3600:.2g} hours"
