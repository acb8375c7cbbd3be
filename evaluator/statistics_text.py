"""The answers of `cmc statistics` as lines of text."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from evaluator.statistics_answers import NamedComparison, Refused, SeedComponents
from protocol.statistics.additive import Additive
from protocol.statistics.bootstrap import Estimate
from protocol.statistics.records import PUBLISHED_NOTE, BoardStatistics
from protocol.statistics.weighting import Lead


def board_lines(answer: Sequence[BoardStatistics | Refused]) -> Iterator[str]:
    """Yield the boards, one after the other."""
    if not answer:
        yield "no results; nothing was made"
    for board in answer:
        yield f"{board.track}, {board.content or 'all contents'}: {board.bench}"
        if isinstance(board, Refused):
            yield f"  no statistics: {board.reason}"
        else:
            yield from _rows(board)
    yield PUBLISHED_NOTE


def _rows(board: BoardStatistics) -> Iterator[str]:
    times = Counter(row.model for row in board.rows)
    # As a board's row is found by the beginning of its id.
    names = {
        row.request_id: f"{row.model} {row.request_id[:8]}" if times[row.model] > 1 else row.model
        for row in board.rows
    }
    width = max(map(len, names.values()))
    yield (
        f"  {board.images} images, {board.resamples} resamples; "
        f"intervals of {100 * board.level:.0f} %"
    )
    yield f"  {'rank':>6}  {'':<{width}}  {'overall':<27}{'first':>7}{'group':>7}"
    for row in board.rows:
        if row.standing is None:
            lacks = ", ".join(f"{count} of {cell}" for cell, count in row.not_scored.items())
            why = f"without score: {lacks}" if lacks else "a control"
            yield f"  {'-':>6}  {names[row.request_id]:<{width}}  not ranked; {why}"
            continue
        at = row.standing
        span = f"{at.rank_low}" if at.rank_low == at.rank_high else f"{at.rank_low}-{at.rank_high}"
        overall = "" if row.overall is None else _estimate(row.overall)
        yield (
            f"  {span:>6}  {names[row.request_id]:<{width}}  {overall:<27}"
            f"{at.probability_first:>7.3f}{at.tie_group:>7}"
        )
    neighbours = {(first.request_id, second.request_id) for first, second in pairwise(board.rows)}
    for item in board.comparisons:
        if (item.first, item.second) in neighbours:
            needed = item.result.images_needed
            yield (
                f"  {names[item.first]} - {names[item.second]}: "
                f"{_estimate(item.result.difference)}, wins {_percent(item.result.win_rate)}; "
                + ("separable" if item.is_separable else f"not separable, {_needed(needed)}")
            )


def comparison_lines(answer: NamedComparison) -> Iterator[str]:
    """Yield one comparison."""
    found = answer.result
    yield f"{answer.first} against {answer.second}, Overall of {answer.track}"
    yield f"  difference  {_estimate(found.difference)}"
    yield f"  win rate    {_percent(found.win_rate)}"
    yield f"  images      {found.images} in common, {found.left_out} left out"
    verdict = "separable" if found.is_separable else "not separable"
    yield f"  {verdict}; {_needed(found.images_needed)}"


def matrix_lines(answer: Additive) -> Iterator[str]:
    """Yield the parts of the model."""
    yield f"{answer.images} images in common, {answer.left_out} left out"
    yield f"mean  {_estimate(answer.mean)}"
    for title, effects in (("encoders", answer.encoders), ("decoders", answer.decoders)):
        yield f"{title}, difference to their mean"
        for name, effect in sorted(effects.items(), key=lambda item: -item[1].value):
            yield f"  {_estimate(effect):<29}{name}"
    yield "pairs, beyond the sum of both"
    for item in sorted(answer.interactions, key=lambda item: -item.value.value):
        yield f"  {_estimate(item.value):<29}{item.encoder} + {item.decoder}"
    if answer.p_additive is not None:
        shown = f"{answer.p_additive:.3f}" if answer.p_additive >= 0.001 else "below 0.001"
        yield f"p of no interaction at all: {shown}"


def weight_lines(answer: Mapping[str, Sequence[Lead]]) -> Iterator[str]:
    """Yield the leaders, table by table."""
    for bench, found in answer.items():
        yield f"{bench}: weight of consistency"
        for lead in found:
            names = " = ".join([lead.model, *lead.also])
            yield f"  {lead.weight_low:.4f} to {lead.weight_high:.4f}  {names}"


def seed_lines(answer: Sequence[SeedComponents]) -> Iterator[str]:
    """Yield the components, mode by mode."""
    for item in answer:
        found = item.result
        yield f"{item.mode} {item.dimension}: {found.seeds} seeds, {found.images} images"
        yield f"  seed variance   {_estimate(found.seed_variance, 6)}"
        yield f"  image variance  {found.image_variance:.6f}"
        yield (
            f"  standard error of a mean: {found.standard_error_image:.5f} from the images, "
            f"{found.standard_error_seed:.5f} from one seed"
        )


def _estimate(found: Estimate, digits: int = 4) -> str:
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _percent(found: Estimate) -> str:
    low, high = 100 * max(0.0, found.low), 100 * min(1.0, found.high)
    return f"{100 * found.value:.1f} % [{low:.1f}, {high:.1f}]"


def _needed(images: int | None) -> str:
    if images is None:
        return "the means are equal"
    return f"about {images:,} image{'s'[: images != 1]} would tell (80 % power)"


LINES: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "board": board_lines,
    "compare": comparison_lines,
    "matrix": matrix_lines,
    "weights": weight_lines,
    "seeds": seed_lines,
}
