"""How each viewer of a study used the scale: what the page shows of ratings, without pseudonyms."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles

from protocol.mos import Opinions
from protocol.ratings import SCALE_HIGH, SCALE_LOW, Parsed, Rated

BINS = 20
"""Of the scale from 0 to 5, each a quarter wide; 5 itself is in the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerScores:
    """One viewer's ratings in one dimension, as they were given."""

    number: int
    """From 1, by mean rating: whoever knows the order of participation learns nothing."""
    dimension: Rated
    counts: tuple[int, ...]
    """Ratings in each of `BINS`."""
    low: float
    lower: float
    middle: float
    upper: float
    high: float
    """Smallest rating, quartiles, largest."""
    mean: float
    is_used: bool
    """Whether the viewer was kept by the screening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The viewers of one study."""

    name: str
    images: int
    viewers: tuple[ViewerScores, ...]


def describe_study(name: str, parsed: Parsed, found: Sequence[Opinions]) -> Study:
    """Return how the viewers used the scale.

    Args:
        name: of the study.
        parsed: its ratings.
        found: the mean opinion scores, which say who was kept.
    """
    viewers: list[ViewerScores] = []
    for part in found:
        kept = {report.viewer: report.reason is None for report in part.viewers}
        given: Mapping[str, list[float]] = defaultdict(list)
        for rating in parsed.ratings:
            if rating.dimension is part.dimension:
                given[rating.viewer].append(rating.rating)
        in_order = sorted(given, key=lambda viewer: (fmean(given[viewer]), given[viewer]))
        viewers += [
            _describe(number, part.dimension, given[viewer], is_used=kept.get(viewer, False))
            for number, viewer in enumerate(in_order, start=1)
        ]
    return Study(
        name=name,
        images=len({rating.image for rating in parsed.ratings}),
        viewers=tuple(viewers),
    )


def _describe(
    number: int, dimension: Rated, ratings: Sequence[float], *, is_used: bool
) -> ViewerScores:
    counts = [0] * BINS
    width = (SCALE_HIGH - SCALE_LOW) / BINS
    for rating in ratings:
        counts[min(BINS - 1, int((rating - SCALE_LOW) / width))] += 1
    if len(ratings) > 1:
        lower, middle, upper = quantiles(ratings, n=4, method="inclusive")
    else:
        lower = middle = upper = ratings[0]
    return ViewerScores(
        number=number,
        dimension=dimension,
        counts=tuple(counts),
        low=min(ratings),
        lower=lower,
        middle=middle,
        upper=upper,
        high=max(ratings),
        mean=fmean(ratings),
        is_used=is_used,
    )
