"""The matrix of pairs: mean + encoder effect + decoder effect + interaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from protocol.errors import StatisticsError
from protocol.statistics.bootstrap import (
    RESAMPLES,
    Array,
    Estimate,
    deviations,
    draw_resamples,
    estimates,
)

Pair: TypeAlias = tuple[str, str]
"""Encoder and decoder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """What one pair has beyond its encoder's and its decoder's effect."""

    encoder: str
    decoder: str
    value: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Additive:
    """The model's parts; effects of all encoders, and of all decoders, add up to 0."""

    mean: Estimate
    encoders: Mapping[str, Estimate]
    decoders: Mapping[str, Estimate]
    interactions: tuple[Interaction, ...]
    """Absent for a pair that alone decides an effect: nothing is left over there."""
    p_additive: float | None
    """How often chance alone makes an interaction as large, against its error, as the largest
    one here; None where no interaction can be known."""
    images: int
    left_out: int
    """Images that some pair lacks."""


def fit_additive(
    scores: Mapping[Pair, Array],
    strata: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Additive:
    """Fit the two-way model by least squares, every pair with the same weight.

    In a full matrix effects are row and column means less the grand mean, and an interaction is
    what remains (Scheffe, "The analysis of variance", 1959, section 4.1).

    Args:
        scores: `(images,)` by pair, the same images in the same order; NaN where not scored.
        strata: the content of each image.
        resamples: how many.
        seed: of the resamples.

    Raises:
        StatisticsError: fewer than two encoders and two decoders, or pairs that fall apart into
            groups without a common encoder or decoder.
    """
    pairs = sorted(scores)
    encoders = sorted({encoder for encoder, _ in pairs})
    decoders = sorted({decoder for _, decoder in pairs})
    effects, remainder = _operators(pairs, encoders, decoders)
    table = np.stack([scores[pair] for pair in pairs], axis=1)
    complete = np.asarray(~np.isnan(table).any(axis=1))
    shared = [name for name, kept in zip(strata, complete, strict=True) if kept]
    drawn = draw_resamples(shared, resamples, seed)
    means, moved = table[complete].mean(axis=0), deviations(table[complete], drawn)
    parts = estimates(effects @ means, moved @ effects.T, drawn.degrees_of_freedom)
    rests, rests_moved = remainder @ means, moved @ remainder.T
    left = estimates(rests, rests_moved, drawn.degrees_of_freedom)
    known = np.abs(remainder).max(axis=1) > 1e-9
    return Additive(
        mean=parts[0],
        encoders=dict(zip(encoders, parts[1:], strict=False)),
        decoders=dict(zip(decoders, parts[1 + len(encoders) :], strict=True)),
        interactions=tuple(
            Interaction(encoder=pair[0], decoder=pair[1], value=value)
            for pair, value, is_known in zip(pairs, left, known, strict=True)
            if is_known
        ),
        p_additive=_p_additive(rests[known], rests_moved[:, known]),
        images=len(shared),
        left_out=int((~complete).sum()),
    )


def _operators(
    pairs: Sequence[Pair], encoders: Sequence[str], decoders: Sequence[str]
) -> tuple[Array, Array]:
    """Return what makes effects, and what makes interactions, from the pairs' means."""
    if len(encoders) < 2 or len(decoders) < 2:
        raise StatisticsError(
            f"{len(encoders)} encoders and {len(decoders)} decoders; effects need two of each"
        )
    design = design_matrix(pairs, encoders, decoders)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise StatisticsError(
            "the pairs fall apart into groups that share no encoder and no decoder; "
            "effects are comparable only within a group"
        )
    free = np.linalg.pinv(design)
    return expansion(len(encoders), len(decoders)) @ free, np.eye(len(pairs)) - design @ free


def design_matrix(pairs: Sequence[Pair], encoders: Sequence[str], decoders: Sequence[str]) -> Array:
    """Return the least-squares design, a row a pair: mean, encoders, decoders.

    Effects are coded to add up to 0: the last of each kind has no column of its own.
    """
    rows = np.array([_contrast(encoders, encoder) for encoder, _ in pairs])
    columns = np.array([_contrast(decoders, decoder) for _, decoder in pairs])
    return np.hstack([np.ones((len(pairs), 1)), rows, columns])


def expansion(encoders: int, decoders: int) -> Array:
    """Return what makes the mean and all effects from the parameters of a design."""
    parameters = np.eye(encoders + decoders - 1)
    # The last effect of each kind is what makes the sum 0.
    first, second = parameters[1:encoders], parameters[encoders:]
    return np.vstack([parameters[:encoders], -first.sum(axis=0), second, -second.sum(axis=0)])


def _contrast(names: Sequence[str], name: str) -> list[float]:
    """Return the sum-to-zero coding of a name."""
    last = names[-1]
    return [-1.0 if name == last else float(name == other) for other in names[:-1]]


def _p_additive(values: Array, moved: Array) -> float | None:
    """Return the p-value of the largest |interaction / error|, by the maximum-t bootstrap.

    Romano & Wolf, "Exact and approximate stepdown methods for multiple hypothesis testing", JASA
    100, 2005, first step. What was found counts as one of the resamples: without it a p-value
    could be 0 (Phipson & Smyth, "Permutation p-values should never be zero", 2010).
    """
    errors = moved.std(axis=0)
    varying = errors > 1e-12
    if not varying.any():
        return None
    found = np.abs(values[varying] / errors[varying]).max()
    chance = np.abs(moved[:, varying] / errors[varying]).max(axis=1)
    return float((1 + (chance >= found).sum()) / (1 + len(chance)))
