"""What the page shows of a study: its viewers, without pseudonyms, and its mean opinion scores."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean, quantiles
from typing import Any

from protocol.mos import Opinions
from protocol.ratings import SCALE_HIGH, SCALE_LOW, Parsed, Rated

BINS = 20
"""Of the scale from 0 to 5, each a quarter wide; 5 itself is in the last."""
BIN_WIDTH = (SCALE_HIGH - SCALE_LOW) / BINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Where scores of one dimension lie."""

    dimension: Rated
    counts: tuple[int, ...]
    """Scores in each of `BINS`; what lies off the scale is in the outermost."""
    low: float
    lower: float
    middle: float
    upper: float
    high: float
    """Smallest score, quartiles, largest."""
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerScores(Spread):
    """One viewer's ratings in one dimension, as they were given."""

    number: int
    """From 1, by mean rating: whoever knows the order of participation learns nothing."""
    is_used: bool
    """Whether the viewer was kept by the screening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderScores(Spread):
    """Mean opinion scores of the pictures of one folder, most often one system's."""

    folder: str
    """Empty for all pictures of the study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The viewers of one study, and what they said."""

    name: str
    images: int
    viewers: tuple[ViewerScores, ...]
    opinions: tuple[FolderScores, ...] = ()
    """Of all pictures, then of each folder where there are several; best first in a dimension."""


def describe_study(name: str, parsed: Parsed, found: Sequence[Opinions]) -> Study:
    """Return how the viewers used the scale, and where the mean opinion scores lie.

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
            ViewerScores(
                number=number,
                is_used=kept.get(viewer, False),
                **_spread(part.dimension, given[viewer]),
            )
            for number, viewer in enumerate(in_order, start=1)
        ]
    return Study(
        name=name,
        images=len({rating.image for rating in parsed.ratings}),
        viewers=tuple(viewers),
        opinions=tuple(one for part in found for one in _opinions(part)),
    )


def _opinions(part: Opinions) -> list[FolderScores]:
    by_folder: Mapping[str, list[float]] = defaultdict(list)
    for score in part.scores:
        by_folder[str(PurePosixPath(score.image).parent)].append(score.mos)
    ordered = sorted(by_folder, key=lambda folder: -fmean(by_folder[folder]))
    groups = [("", [score.mos for score in part.scores])] if part.scores else []
    groups += [(folder, by_folder[folder]) for folder in ordered if len(by_folder) > 1]
    return [
        FolderScores(folder=folder, **_spread(part.dimension, scores)) for folder, scores in groups
    ]


def _spread(dimension: Rated, scores: Sequence[float]) -> dict[str, Any]:
    """Return the fields of a `Spread`."""
    counts = [0] * BINS
    for score in scores:
        counts[min(BINS - 1, max(0, int((score - SCALE_LOW) / BIN_WIDTH)))] += 1
    if len(scores) > 1:
        lower, middle, upper = quantiles(scores, n=4, method="inclusive")
    else:
        lower = middle = upper = scores[0]
    return {
        "dimension": dimension,
        "counts": tuple(counts),
        "low": min(scores),
        "lower": lower,
        "middle": middle,
        "upper": upper,
        "high": max(scores),
        "mean": fmean(scores),
    }
