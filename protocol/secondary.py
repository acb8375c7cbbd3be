"""Scores of finished rows by indicators that nothing is ranked by."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol.records import IndicatorUse, Result, Score


@dataclass(frozen=True, slots=True, kw_only=True)
class RowScores:
    """One row."""

    request_id: str
    per_image_sha256: str
    """Of the result whose pictures were scored."""
    scores: tuple[Score, ...]
    """Means by mode and content, of the contents that were scored; higher is better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryScores:
    """Rows of one protocol on the same pictures, by one indicator."""

    protocol: str
    dataset_sha256: str
    indicator: IndicatorUse
    rows: tuple[RowScores, ...]

    @property
    def about(self) -> tuple[str, str, str]:
        """What two records share where the newer one takes the older one's place."""
        return self.protocol, self.dataset_sha256, self.indicator.name


def merge_scores(old: SecondaryScores | None, new: SecondaryScores) -> SecondaryScores:
    """Return the new rows with those of the old, and with the old means of their own pictures.

    Rows that another version of the indicator scored, or other weights, are not comparable and go.
    """
    if old is None or old.indicator != new.indicator:
        return new
    there = {row.request_id: row for row in old.rows}
    scored = tuple(_with_old_means(there.pop(row.request_id, row), row) for row in new.rows)
    return replace(new, rows=(*there.values(), *scored))


def _with_old_means(old: RowScores, new: RowScores) -> RowScores:
    """Return a row's new means with the old ones of contents that were not scored this time."""
    if old.per_image_sha256 != new.per_image_sha256:
        return new
    means = {(one.mode, one.content, one.dimension): one for one in (*old.scores, *new.scores)}
    return replace(new, scores=tuple(means.values()))


def current_scores(
    scores: Iterable[SecondaryScores], results: Sequence[Result]
) -> tuple[SecondaryScores, ...]:
    """Return the scores of these results' own pictures."""
    known = {result.request.request_id: result.per_image_sha256 for result in results}
    return tuple(
        replace(
            one,
            rows=tuple(r for r in one.rows if known.get(r.request_id) == r.per_image_sha256),
        )
        for one in scores
    )
