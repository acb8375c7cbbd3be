"""From viewers' ratings to mean opinion scores (P A.2)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from protocol.agreement import Agreement, agreement, parts_of
from protocol.errors import RatingError
from protocol.ratings import SCALE_HIGH, Parsed, Rated, Rating, Reason, Refused, refuse
from protocol.screening import bt500_rejected, rank_correlations

Array: TypeAlias = NDArray[np.floating[Any]]
Sessions: TypeAlias = NDArray[np.signedinteger[Any]]

SROCC_LIMIT = 0.6
"""Viewers below it are removed (P A.2)."""

MIDDLE = 2.5
"""What a session's mean is moved to (P A.2)."""

MINIMUM_SESSION = 10
"""Ratings a session must have. P has groups of 400; a part of one still has a mean, but the mean of
very few is mostly theirs. Ours."""


class Screening(StrEnum):
    """How viewers are removed who did not rate what they saw."""

    SROCC = "srocc"
    """By rank correlation with the mean over all viewers (P A.2)."""
    BT500 = "bt500"
    """By the share of ratings far from the others' (ITU-R BT.500-13, annex 2, section 2.3.1)."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerReport:
    """One viewer, in one dimension."""

    viewer: str
    ratings: int
    srocc: float | None
    """With the mean over all viewers; None when one of the two does not vary."""
    reason: Reason | None
    """Why the viewer is not used; None for those who are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionScore:
    """The mean opinion of one image."""

    image: str
    mos: float
    """Normalised scores: 5 (z + 3) / 6, which is 2.5 for an image of mean quality and in [0, 5] for
    z in [-3, 3]. Without normalisation the mean rating."""
    standard_error: float | None
    """Of `mos`, over the viewers; None with one rating."""
    ratings: int
    rating_mean: float
    """Of the same viewers' ratings as they were given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinions:
    """What the viewers say in one dimension."""

    dimension: Rated
    scores: tuple[OpinionScore, ...]
    """By image."""
    viewers: tuple[ViewerReport, ...]
    agreement_all: Agreement
    """Of all viewers with usable ratings, as they were given."""
    agreement_kept: Agreement
    """Of those kept, after normalisation where there is one."""
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class _Table:
    viewers: Sequence[str]
    images: Sequence[str]
    ratings: Array
    """`(viewers, images)`, NaN where not rated."""
    sessions: Sessions
    """The same; -1 where not rated."""

    @classmethod
    def of(cls, ratings: Sequence[Rating]) -> "_Table":
        viewers = sorted({r.viewer for r in ratings})
        images = sorted({r.image for r in ratings})
        sessions = {s: at for at, s in enumerate(dict.fromkeys(r.session for r in ratings))}
        row, column = ({name: at for at, name in enumerate(names)} for names in (viewers, images))
        places = (
            np.array([row[r.viewer] for r in ratings], dtype=np.intp),
            np.array([column[r.image] for r in ratings], dtype=np.intp),
        )
        values = np.full((len(viewers), len(images)), np.nan)
        values[places] = [r.rating for r in ratings]
        groups = np.full(values.shape, -1, dtype=np.int32)
        groups[places] = [sessions[r.session] for r in ratings]
        return cls(viewers, images, values, groups)


def opinions(
    parsed: Parsed,
    dimension: Rated,
    screening: Screening = Screening.SROCC,
    *,
    normalise: bool = True,
) -> Opinions:
    """Return the mean opinion scores of one dimension.

    In the paper's order: viewers are screened by their ratings; of those kept, each session's
    mean is moved to 2.5 and each viewer's scores are brought to mean 0 and deviation 1; the mean
    over the viewers is the image's.

    Args:
        parsed: all ratings; those of other dimensions are passed over.
        dimension: consistency or perception.
        screening: how viewers are removed.
        normalise: without, neither sessions nor viewers are normalised.

    Raises:
        RatingError: no viewer is left.
    """
    lines = _lines(parsed, dimension)
    given = _Table.of([rating for _, rating in lines.values()])
    table = _without_short_sessions(given) if normalise else given
    reports = _screen(table, screening, normalise=normalise)
    kept = [at for at, report in enumerate(reports) if report.reason is None]
    if not kept:
        raise RatingError(
            f"none of {len(reports)} viewers is left in {dimension}: "
            + ", ".join(f"{r.viewer} {r.reason}" for r in reports[:5])
        )
    # Before the scores, which are as large as the ratings: what it holds is then let go.
    agreement_all = agreement(table.ratings[~np.isnan(table.ratings).all(axis=1)])
    ratings = table.ratings[kept]
    scores = normalised(ratings, table.sessions[kept]) if normalise else ratings
    return Opinions(
        dimension=dimension,
        scores=tuple(_scores(table.images, scores, ratings, normalise=normalise)),
        viewers=tuple(reports),
        agreement_all=agreement_all,
        agreement_kept=agreement(scores),
        refused=tuple(_refused(lines, given, table, reports)),
    )


def _lines(parsed: Parsed, dimension: Rated) -> Mapping[tuple[str, str], tuple[int, Rating]]:
    """Return the ratings of a dimension with their lines, by viewer and image."""
    lines = {
        (rating.viewer, rating.image): (line, rating)
        for line, rating in zip(parsed.lines, parsed.ratings, strict=True)
        if rating.dimension is dimension
    }
    if not lines:
        reasons = Counter(str(item.reason) for item in parsed.refused)
        told = ", ".join(f"{count} {name}" for name, count in reasons.items())
        raise RatingError(f"no usable {dimension} rating; refused: {told or 'none'}")
    return lines


def _without_short_sessions(table: _Table) -> _Table:
    short = np.zeros(table.ratings.shape, dtype=np.bool_)
    for at, row in enumerate(table.sessions):
        names, counts = np.unique(row, return_counts=True)
        short[at] = np.isin(row, names[counts < MINIMUM_SESSION])
    if not short.any():
        return table
    ratings, sessions = np.where(short, np.nan, table.ratings), np.where(short, -1, table.sessions)
    return _Table(table.viewers, table.images, ratings, sessions)


def _refused(
    lines: Mapping[tuple[str, str], tuple[int, Rating]],
    given: _Table,
    table: _Table,
    reports: Sequence[ViewerReport],
) -> Iterator[Refused]:
    """Yield the ratings that the table has lost, and those of viewers who were removed."""
    reasons = {report.viewer: report.reason for report in reports}
    gone = np.argwhere(np.isnan(table.ratings) & ~np.isnan(given.ratings)).tolist()
    lost = {(given.viewers[row], given.images[column]) for row, column in gone}
    for key, (line, rating) in lines.items():
        reason = Reason.SHORT_SESSION if key in lost else reasons[rating.viewer]
        if reason is not None:
            yield refuse(rating, line, reason)


def _screen(table: _Table, screening: Screening, *, normalise: bool) -> list[ViewerReport]:
    correlations = rank_correlations(table.ratings)
    rejected = bt500_rejected(table.ratings) if screening is Screening.BT500 else ()
    centred = centre_sessions(table.ratings, table.sessions)
    reports = []
    for at, viewer in enumerate(table.viewers):
        rated = ~np.isnan(table.ratings[at])
        srocc, reason = correlations[at], None
        if not rated.any():
            reason = Reason.SHORT_SESSION
        elif normalise and not np.ptp(centred[at][rated]) > 1e-12:
            reason = Reason.CONSTANT
        elif screening is Screening.SROCC:
            reason = Reason.OUTLIER if srocc is None or srocc < SROCC_LIMIT else None
        elif len(rejected) and rejected[at]:
            reason = Reason.OUTLIER
        reports.append(
            ViewerReport(viewer=viewer, ratings=int(rated.sum()), srocc=srocc, reason=reason)
        )
    return reports


def centre_sessions(ratings: Array, sessions: Sessions) -> Array:
    """Return ratings with the mean of each viewer's session moved to 2.5 (P A.2).

    s_ij(g) = r_ij(g) - mean over the group's images + 2.5.

    Args:
        ratings: `(viewers, images)`, NaN where not rated.
        sessions: the same; the number of the session.
    """
    centred = np.full_like(ratings, np.nan)
    for at, row in enumerate(ratings):
        rated = np.flatnonzero(~np.isnan(row))
        if len(rated):
            _, groups, counts = np.unique(
                sessions[at, rated], return_inverse=True, return_counts=True
            )
            means = np.bincount(groups, weights=row[rated]) / counts
            centred[at, rated] = row[rated] - means[groups] + MIDDLE
    return centred


def normalised(ratings: Array, sessions: Sessions) -> Array:
    """Return scores with sessions centred and each viewer's mean 0 and deviation 1 (P A.2).

    z_ij = (s_ij - mu_j) / sigma_j, with the sample deviation. P divides by N - 1 with N for the
    subjects and writes mu_i once; the sum is over the images and mu is the viewer's.
    """
    scores = centre_sessions(ratings, sessions)
    # In place: most pictures have no rating of most viewers, and a copy has room for all.
    for viewer in scores:
        viewer[:] = (viewer - np.nanmean(viewer)) / np.nanstd(viewer, ddof=1)
    return scores


def _scores(
    images: Sequence[str], scores: Array, given: Array, *, normalise: bool
) -> Iterator[OpinionScore]:
    """Yield the images that a kept viewer rated.

    z becomes 5 (z + 3) / 6: 99 % of normal z lie in [-3, 3] (Seshadrinathan et al., "Study of
    subjective and objective quality assessment of video", IEEE TIP 19, 2010, section IV-B, which
    takes 100 for the scale's end). P reports scores from 0 to 5 and does not say how. The standard
    error is the viewers' sample deviation by the root of their number (ITU-R BT.500-13, annex 2,
    section 2.2.1).
    """
    scale, shift = (SCALE_HIGH / 6, SCALE_HIGH / 2) if normalise else (1.0, 0.0)
    for part in parts_of(len(images)):
        yield from _scores_of(images[part], scores[:, part], given[:, part], scale, shift)


def _scores_of(
    images: Sequence[str], scores: Array, given: Array, scale: float, shift: float
) -> Iterator[OpinionScore]:
    rated = ~np.isnan(scores)
    counts = rated.sum(axis=0)
    at_least = np.maximum(counts, 1)
    means = np.nansum(scores, axis=0) / at_least
    squares = np.nansum((scores - means) ** 2, axis=0)
    errors = np.sqrt(squares / np.maximum(counts - 1, 1) / at_least)
    given_means = np.sum(given, axis=0, where=rated) / at_least
    for at in np.flatnonzero(counts).tolist():
        yield OpinionScore(
            image=images[at],
            mos=float(scale * means[at] + shift),
            standard_error=float(scale * errors[at]) if counts[at] > 1 else None,
            ratings=int(counts[at]),
            rating_mean=float(given_means[at]),
        )


def nsfw_reports(parsed: Parsed) -> Mapping[str, int]:
    """Return how many viewers found each image offensive; images without a report are absent."""
    flagged = [
        rating.image
        for rating in parsed.ratings
        if rating.dimension is Rated.NSFW and rating.rating == 1
    ]
    return Counter(flagged)
