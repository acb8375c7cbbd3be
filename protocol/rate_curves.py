"""Systems as curves of rate and score: a codec by its qualities, a pair by its modes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from protocol.errors import StatisticsError
from protocol.rates import Curve, bd_indicator, bd_rate
from protocol.records import CODEC_NAMES, Result
from protocol.rules import Content, Dimension, Mode, Role

ANCHOR = "VVC"
"""What rates are compared with where nobody chose: the codec of the paper's references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """Means over the pictures at one setting."""

    request_id: str
    setting: str
    """A codec's quality as it was typed, or a mode."""
    bits_per_pixel: float
    scores: Mapping[Dimension, float]
    """A dimension that lacks a picture's score is absent."""
    encode_seconds: float | None
    decode_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCurve:
    """One system's points on one bench, by rate."""

    name: str
    is_codec: bool
    points: tuple[CurvePoint, ...]

    def of(self, dimension: Dimension) -> Curve:
        """Return the curve of one dimension.

        Raises:
            StatisticsError: it has fewer than four points, or two of one rate.
        """
        points = [
            (point.bits_per_pixel, point.scores[dimension])
            for point in self.points
            if dimension in point.scores
        ]
        return Curve.of(points, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bjontegaard:
    """One curve against another in one dimension."""

    rate_percent: float | None
    """Bits more than the anchor's for the same score; None where there is no such number."""
    rate_reason: str
    """Why there is none."""
    share: float | None
    """Common range of scores / range of either; near 0, the number speaks of little."""
    score: float | None
    """Score above the anchor's at the same rate."""
    score_reason: str


def system_curves(results: Iterable[Result], content: Content | None = None) -> list[SystemCurve]:
    """Return the curves of the results of one bench, codecs first.

    Args:
        results: of one bench; the qualities of a codec are points of one curve.
        content: what the pictures show; None for all.
    """
    grouped: dict[str, list[CurvePoint]] = {}
    names: dict[str, str] = {}
    for result in results:
        request = result.request
        key = request.request_id
        names[key] = f"{request.label} + {request.partner}" if request.partner else request.label
        if request.codec is not None:
            key = request.codec.adapter
            names[key] = CODEC_NAMES.get(key, key)
        grouped.setdefault(key, []).extend(_points(result, content))
    curves = [
        SystemCurve(
            name=names[key],
            is_codec=key in CODEC_NAMES,
            points=tuple(sorted(points, key=lambda point: point.bits_per_pixel)),
        )
        for key, points in grouped.items()
        if points
    ]
    return sorted(curves, key=lambda curve: (not curve.is_codec, curve.name))


def by_request(curves: Iterable[SystemCurve]) -> dict[str, SystemCurve]:
    """Return the curve that each request has a point of."""
    return {point.request_id: curve for curve in curves for point in curve.points}


def find_anchor(curves: Iterable[SystemCurve], name: str = ANCHOR) -> SystemCurve | None:
    """Return the codec of a name; None where it was not run."""
    return next((curve for curve in curves if curve.is_codec and curve.name == name), None)


def bjontegaard(anchor: SystemCurve | None, test: SystemCurve, dimension: Dimension) -> Bjontegaard:
    """Return how a system compares with an anchor; where it cannot, why."""
    found: list[tuple[float, float] | None] = []
    reasons = []
    for difference in (bd_rate, bd_indicator):
        try:
            if anchor is None:
                raise StatisticsError(f"{ANCHOR} was not run on these pictures")
            answer = difference(anchor.of(dimension), test.of(dimension))
            found.append((answer.value, answer.share))
            reasons.append("")
        except StatisticsError as error:
            found.append(None)
            reasons.append(str(error))
    rate, score = found
    return Bjontegaard(
        rate_percent=rate[0] if rate else None,
        rate_reason=reasons[0],
        share=rate[1] if rate else None,
        score=score[0] if score else None,
        score_reason=reasons[1],
    )


def _points(result: Result, content: Content | None) -> Iterator[CurvePoint]:
    request = result.request
    rates = {rate.mode: rate.bits_per_pixel for rate in result.rates if rate.content is content}
    costs = {cost.mode: cost for cost in result.costs}
    codec = request.codec if request.role is Role.CODEC else None
    for mode, bits_per_pixel in rates.items():
        cost = costs.get(mode)
        yield CurvePoint(
            request_id=request.request_id,
            setting=codec.model if codec else str(mode),
            bits_per_pixel=bits_per_pixel,
            scores=_scores(result, mode, content),
            encode_seconds=cost.encode_seconds if cost else None,
            decode_seconds=cost.decode_seconds if cost else None,
        )


def _scores(result: Result, mode: Mode, content: Content | None) -> dict[Dimension, float]:
    return {
        score.dimension: score.mean
        for score in result.scores
        if score.mode is mode and score.content is content and score.mean is not None
    }


def indicator_names(results: Sequence[Result]) -> dict[Dimension, str]:
    """Return what the dimensions were scored with; of one bench, so the first result says it."""
    uses = results[0].provenance.indicators if results else ()
    return {use.dimension: use.name for use in uses}
