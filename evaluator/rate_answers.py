"""The questions of `cmc rates`, answered from points: curves, differences, fronts, equal rates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from evaluator.rate_points import RatePoint
from protocol.errors import StatisticsError
from protocol.rates import Array, Curve, Difference, bd_indicator, bd_rate, pareto_front
from protocol.samples import parse_name
from protocol.statistics.bootstrap import LEVEL, draw_resamples, expanded_tail
from protocol.statistics.pairs import Comparison, compare


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One setting of a codec: means over the pictures."""

    codec: str
    setting: str
    bits_per_pixel: float
    score: float
    images: int
    is_on_front: bool
    """Whether no point here costs no more bits and scores no less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrappedDifference:
    """A Bjontegaard difference with what the choice of pictures leaves open."""

    value: Difference
    interval_low: float | None
    interval_high: float | None
    interval_reason: str
    """Why there is no interval; empty where there is one."""
    images: int
    undefined: int
    """Resamples of the pictures in which the difference does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BjontegaardAnswer:
    """One curve against another."""

    anchor: str
    test: str
    indicator: str
    rate_percent: BootstrappedDifference | None
    """Bits of the test more than the anchor's, for equal scores."""
    rate_reason: str
    """Why there is none."""
    score: BootstrappedDifference | None
    """Score of the test above the anchor's, at equal rates."""
    score_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRate:
    """Two codecs, each picture at one rate."""

    first: str
    second: str
    indicator: str
    first_bits_per_pixel: float
    second_bits_per_pixel: float
    largest_rate_gap: float
    """Largest |second / first - 1| of a picture's two rates."""
    result: Comparison


def curve_points(points: Sequence[RatePoint], indicator: str) -> list[CurvePoint]:
    """Return the mean points of all codecs, by codec and rate, with the front over all of them.

    Raises:
        StatisticsError: no such score, or the points are not of the same pictures, each once and
            with a score: means of different pictures are not to be compared.
    """
    chosen = _of_indicator(points, indicator)
    means = []
    wanted = sorted({p.name for p in chosen})
    for codec, setting in dict.fromkeys((p.codec, p.setting) for p in chosen):
        group = [p for p in chosen if (p.codec, p.setting) == (codec, setting)]
        names = sorted(p.name for p in group)
        if names != wanted:
            raise StatisticsError(
                f"{codec} {setting} has {len(names)} scores of {len({*names})} of the "
                f"{len(wanted)} pictures; points are compared on the same pictures, each once"
            )
        scores = [p.score for p in group if p.score is not None]
        if len(scores) < len(group):
            raise StatisticsError(
                f"{len(group) - len(scores)} pictures of {codec} {setting} have no "
                f"{indicator} score; a mean without them would be of other pictures"
            )
        means.append((codec, setting, fmean(p.bits_per_pixel for p in group), fmean(scores), group))
    front = set(pareto_front([(rate, score) for _, _, rate, score, _ in means]))
    found = [
        CurvePoint(
            codec=codec,
            setting=setting,
            bits_per_pixel=rate,
            score=score,
            images=len(group),
            is_on_front=at in front,
        )
        for at, (codec, setting, rate, score, group) in enumerate(means)
    ]
    return sorted(found, key=lambda point: (point.codec, point.bits_per_pixel))


def bjontegaard(
    anchor: Sequence[RatePoint],
    test: Sequence[RatePoint],
    indicator: str,
    *,
    resamples: int,
    seed: int,
) -> BjontegaardAnswer:
    """Compare the curves of mean rate and mean score over the same pictures.

    Raises:
        StatisticsError: no such scores, a picture lacks one, or the two have other pictures.
    """
    tables = [_Curves.of(points, indicator) for points in (anchor, test)]
    if tables[0].names != tables[1].names:
        raise StatisticsError(
            f"{tables[0].codec} has {len(tables[0].names)} pictures, {tables[1].codec} has "
            f"{len(tables[1].names)}, and they are not the same; a difference needs the same ones"
        )
    found: list[BootstrappedDifference | None] = []
    reasons = []
    for difference in (bd_rate, bd_indicator):
        try:
            found.append(_bootstrap(difference, tables[0], tables[1], resamples, seed))
            reasons.append("")
        except StatisticsError as error:
            found.append(None)
            reasons.append(str(error))
    return BjontegaardAnswer(
        anchor=tables[0].codec,
        test=tables[1].codec,
        indicator=indicator,
        rate_percent=found[0],
        rate_reason=reasons[0],
        score=found[1],
        score_reason=reasons[1],
    )


@dataclass(frozen=True, slots=True)
class _Curves:
    codec: str
    names: tuple[str, ...]
    rates: Array
    """`(settings, pictures)`."""
    scores: Array

    @classmethod
    def of(cls, points: Sequence[RatePoint], indicator: str) -> "_Curves":
        chosen = _of_indicator(points, indicator)
        codecs = {point.codec for point in chosen}
        if len(codecs) > 1:
            raise StatisticsError(f"points of {', '.join(sorted(codecs))}; wanted one codec's")
        (codec,) = codecs
        table = {(p.setting, p.name): p for p in chosen}
        settings = list(dict.fromkeys(p.setting for p in chosen))
        names = tuple(sorted({p.name for p in chosen}))
        whole = [[table.get((setting, name)) for name in names] for setting in settings]
        missing = sum(p is None or p.score is None for row in whole for p in row)
        if missing:
            raise StatisticsError(
                f"{codec} lacks {missing} of {len(settings) * len(names)} {indicator} scores; "
                "every setting needs all pictures"
            )
        known = [[p for p in row if p is not None] for row in whole]
        return cls(
            codec,
            names,
            np.array([[p.bits_per_pixel for p in row] for row in known]),
            np.array([[p.score for p in row] for row in known], dtype=float),
        )

    def curve(self, weights: Array) -> Curve:
        """Return the curve of weighted means."""
        rates, scores = self.rates @ weights, self.scores @ weights
        return Curve.of(list(zip(rates.tolist(), scores.tolist(), strict=True)), self.codec)


def _bootstrap(
    difference: Callable[[Curve, Curve], Difference],
    anchor: _Curves,
    test: _Curves,
    resamples: int,
    seed: int,
) -> BootstrappedDifference:
    count = len(anchor.names)
    even = np.full(count, 1 / count)
    value = difference(anchor.curve(even), test.curve(even))
    strata = [parse_name(name).content for name in anchor.names]
    low = high = None
    undefined, reason = 0, ""
    try:
        drawn = draw_resamples(strata, resamples, seed)
    except StatisticsError as error:
        reason = str(error)
    else:
        values = []
        for weights in drawn.weights.astype(float):
            try:
                values.append(difference(anchor.curve(weights), test.curve(weights)).value)
            except StatisticsError:
                undefined += 1
        if undefined:
            reason = f"{undefined} resamples have no difference"
        else:
            tail = expanded_tail(LEVEL, drawn.degrees_of_freedom)
            low, high = (float(end) for end in np.quantile(values, (tail, 1 - tail)))
    return BootstrappedDifference(
        value=value,
        interval_low=low,
        interval_high=high,
        interval_reason=reason,
        images=count,
        undefined=undefined,
    )


def equal_rate(
    first: Sequence[RatePoint],
    second: Sequence[RatePoint],
    indicator: str,
    *,
    resamples: int,
    seed: int,
) -> EqualRate:
    """Compare two codecs of one point a picture each, on the pictures that both have.

    Raises:
        StatisticsError: no such scores, or a picture has two points.
    """
    sides = []
    for points in (first, second):
        chosen = _of_indicator(points, indicator)
        by_name = {point.name: point for point in chosen}
        if len(by_name) < len(chosen):
            raise StatisticsError(
                f"{chosen[0].codec} has several points of one picture; choose one setting"
            )
        sides.append(by_name)
    names = sorted(set(sides[0]) | set(sides[1]))
    shared = [name for name in names if name in sides[0] and name in sides[1]]
    scores = [
        np.array([side[n].score if n in side else None for n in names], dtype=float)
        for side in sides
    ]
    rates = [[side[name].bits_per_pixel for name in shared] for side in sides]
    result = compare(
        scores[0],
        scores[1],
        [parse_name(name).content for name in names],
        resamples=resamples,
        seed=seed,
    )
    return EqualRate(
        first=next(iter(sides[0].values())).codec,
        second=next(iter(sides[1].values())).codec,
        indicator=indicator,
        first_bits_per_pixel=fmean(rates[0]),
        second_bits_per_pixel=fmean(rates[1]),
        largest_rate_gap=max(abs(b / a - 1) for a, b in zip(*rates, strict=True)),
        result=result,
    )


def _of_indicator(points: Sequence[RatePoint], indicator: str) -> list[RatePoint]:
    chosen = [point for point in points if point.indicator == indicator]
    if not chosen:
        there = sorted({point.indicator for point in points})
        raise StatisticsError(f"no {indicator} scores; there are {', '.join(there) or 'none'}")
    return chosen
