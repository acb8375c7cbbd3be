"""All indicators as their files declare them."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.indicators import IndicatorModule, find_indicator, indicator_names
from evaluator.indicators._facts import WeightsFile
from evaluator.set_indicators import SetIndicatorModule, find_set_indicator, set_indicator_names
from protocol.rules import Dimension


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorRow:
    """One indicator for people."""

    name: str
    dimension: Dimension
    is_of_sets: bool
    """Whether it compares two sets of pictures and has no score of one."""
    is_ranking: bool
    """Whether a protocol ranks by it."""
    lower_is_better: bool
    """Whether the library's value is lower-is-better; ours never is."""
    range: str
    implementation: str
    code_licence: str
    program: str
    paper: str
    files: Sequence[WeightsFile]


def indicator_list() -> list[IndicatorRow]:
    """Return all indicators, of pictures first, by dimension and name."""
    pictures = [_row(name, find_indicator(name), is_of_sets=False) for name in indicator_names()]
    sets = [_row(name, find_set_indicator(name), is_of_sets=True) for name in set_indicator_names()]
    return sorted(pictures, key=lambda row: (row.dimension, row.name)) + sets


def _row(
    name: str, module: IndicatorModule | SetIndicatorModule, *, is_of_sets: bool
) -> IndicatorRow:
    facts = module.FACTS
    return IndicatorRow(
        name=name,
        dimension=module.DIMENSION,
        is_of_sets=is_of_sets,
        is_ranking=facts.is_ranking,
        lower_is_better=facts.lower_is_better,
        range=facts.range,
        implementation=module.IMPLEMENTATION,
        code_licence=facts.code_licence,
        program=facts.program,
        paper=facts.paper,
        files=tuple(facts.files),
    )
