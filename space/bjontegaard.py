"""What a system's bits are worth beside a codec's: columns of the codecs' board, and figures."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from protocol.boards import Bench, Row
from protocol.eligibility import may_be_ranked
from protocol.errors import StatisticsError
from protocol.rate_curves import (
    ANCHOR,
    Bjontegaard,
    SystemCurve,
    bjontegaard,
    by_request,
    find_anchor,
    system_curves,
)
from protocol.records import Result
from protocol.rules import Content, Dimension
from space.columns import Column
from space.drawings.tables import Bar, bars_figure
from space.figure_entry import Drawn, digest, entry
from space.lines import Extras
from space.verdict import Value, Verdict
from space.words import DIMENSION_TITLES

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 40
MOST_PAIRS = 400
"""A millisecond each, and thousands of pairs may stand on a bench."""

KEYS: Mapping[Dimension, str] = {d: f"bd_rate_{d}" for d in Dimension}
NOTES: Mapping[Dimension, str] = {d: f"{key}_note" for d, key in KEYS.items()}
"""Why there is no value, or of how much it speaks; shown where a reader points at one."""


def bd_columns(results: Sequence[Result]) -> list[Column]:
    """Return the columns of a bench's codecs; shown unasked where one but the anchor has a value.

    They are decided over all contents, as all columns are.
    """
    curves = _codec_curves(results)
    anchor = find_anchor(curves)
    return [
        Column(
            key=KEYS[dimension],
            group=f"BD-rate against {ANCHOR}",
            title=DIMENSION_TITLES[dimension],
            tooltip=f"Bits that the codec takes beyond {ANCHOR}'s for the same "
            f"{DIMENSION_TITLES[dimension].lower()}, mean over the scores that both reach "
            "(Bjontegaard with PCHIP, four qualities or more); lower is better",
            kind="percent",
            shown=any(
                curve is not anchor
                and bjontegaard(anchor, curve, dimension).rate_percent is not None
                for curve in curves
            ),
        )
        for dimension in Dimension
        if curves
    ]


def bd_values(rows: Sequence[Row], results: Sequence[Result], content: Content | None) -> Extras:
    """Return the values of the codecs' rows, each with its note."""
    curves = _codec_curves(results, content)
    anchor = find_anchor(curves)
    values = {
        request_id: _values(anchor, curve) for request_id, curve in by_request(curves).items()
    }
    return {id(row): values[row.request_id] for row in rows if row.request_id in values}


def bd_verdict(results: Sequence[Result], content: Content | None) -> Verdict | None:
    """Return which codec takes the fewest bits for the same scores; None where it is not known."""
    curves = _codec_curves(results, content)
    anchor = find_anchor(curves)
    found = [_thriftiest(curves, anchor, dimension) for dimension in Dimension]
    known = [sentence for sentence in found if sentence]
    return Verdict(*known) if known else None


def _codec_curves(results: Sequence[Result], content: Content | None = None) -> list[SystemCurve]:
    curves = system_curves(filter(may_be_ranked, results), content)
    return [curve for curve in curves if curve.is_codec]


def _thriftiest(
    curves: Sequence[SystemCurve], anchor: SystemCurve | None, dimension: Dimension
) -> str:
    found = [(curve.name, bjontegaard(anchor, curve, dimension)) for curve in curves]
    known = [
        (one.rate_percent, one.share, name)
        for name, one in found
        if name != ANCHOR and one.rate_percent is not None and one.share is not None
    ]
    if not known:
        return ""
    percent, share, name = min(known)
    what = DIMENSION_TITLES[dimension].lower()
    if percent >= 0:
        return f"For the same {what} no codec takes fewer bits than {ANCHOR}."
    return (
        f"For the same {what} {name} takes {-percent:.1f} % fewer bits than {ANCHOR}, over "
        f"{100 * share:.0f} % of the range of their scores."
    )


def _values(anchor: SystemCurve | None, curve: SystemCurve) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for dimension in Dimension:
        found = bjontegaard(anchor, curve, dimension)
        values[NOTES[dimension]] = found.rate_reason
        if found.rate_percent is not None and found.share is not None:
            values[KEYS[dimension]] = found.rate_percent
            values[NOTES[dimension]] = (
                f"over {100 * found.share:.0f} % of the range of their scores"
            )
    return values


def bd_figures(bench: Bench, title: str, results: Sequence[Result]) -> Iterator[Drawn]:
    """Yield a figure without controls for each codec that can be an anchor, the usual one first."""
    curves = system_curves(filter(may_be_ranked, results))
    codecs = [curve for curve in curves if curve.is_codec]
    pairs = sorted((c for c in curves if not c.is_codec), key=_best_score, reverse=True)
    anchors = sorted(filter(_is_anchor, codecs), key=lambda curve: curve.name != ANCHOR)
    for anchor in anchors:
        # One anchor tells what the bits of pairs are worth.
        of_pairs = pairs if anchor is anchors[0] else []
        others = [*codecs, *of_pairs[:MOST_PAIRS]]
        found = [
            (c, d, bjontegaard(anchor, c, d)) for c in others if c is not anchor for d in Dimension
        ]
        if all(one.rate_percent is None for _, _, one in found):
            continue
        yield Drawn(
            entry=entry(
                "bd-rate",
                digest(bench.label, anchor.name),
                f"{title}, against {anchor.name}",
                _about(anchor.name, left_out=len(of_pairs[MOST_PAIRS:])),
            ),
            draw=partial(_draw, anchor.name, found),
            numbers=[_numbers(anchor.name, *each) for each in found],
        )


def _draw(anchor: str, found: Sequence[tuple[SystemCurve, Dimension, Bjontegaard]]) -> "Figure":
    bars = [
        Bar(DIMENSION_TITLES[d], f"{curve.name}, {DIMENSION_TITLES[d].lower()}", one.rate_percent)
        for curve, d, one in found
        if one.rate_percent is not None
    ]
    bars.sort(key=lambda bar: bar.value)
    chosen = bars[:MOST_BARS][::-1]
    axis = f"% more bits than {anchor} for the same score"
    return bars_figure("Bits for the same score", chosen, axis)


def _best_score(curve: SystemCurve) -> float:
    return max((sum(point.scores.values()) for point in curve.points), default=0.0)


def _about(anchor: str, *, left_out: int) -> str:
    more = f" The {left_out} pairs with the lowest scores are left out." if left_out else ""
    return (
        f"Bjontegaard's rate difference from {anchor}: how many percent more bits a system takes "
        "for the same score, mean over the scores that both reach; below 0 it takes fewer. A "
        "codec's points are its qualities, a pair's are its modes; four are needed, and the score "
        "must rise with the rate. The curves are of means; `cmc rates bd` gives an interval over "
        f"the pictures. At most {MOST_BARS} are drawn, the thriftiest first.{more}"
    )


def _is_anchor(curve: SystemCurve) -> bool:
    try:
        return curve.is_codec and all(curve.of(dimension) for dimension in Dimension)
    except StatisticsError:
        return False


def _numbers(
    anchor: str, curve: SystemCurve, dimension: Dimension, one: Bjontegaard
) -> dict[str, object]:
    return {
        "system": curve.name,
        "anchor": anchor,
        "dimension": str(dimension),
        "points": len(curve.points),
        "bd_rate_percent": one.rate_percent,
        "common_range": one.share,
        "bd_score": one.score,
        "why_no_rate": one.rate_reason,
        "why_no_score": one.score_reason,
    }
