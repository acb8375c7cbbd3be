"""What was found out about systems beside their results, for the page to show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.ablations import AblationResult
from protocol.controls import Controls
from protocol.correlations import Correlations
from protocol.memorisation import Memorisation, current_memorisation
from protocol.records import Result
from protocol.secondary import SecondaryScores, current_scores
from protocol.statistics.files import effects_are_current
from protocol.statistics.records import PairEffects
from protocol.studies import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that lies beside a store's results and is no statistics of a board."""

    effects: tuple[PairEffects, ...] = ()
    ablations: tuple[AblationResult, ...] = ()
    controls: tuple[Controls, ...] = ()
    studies: tuple[Study, ...] = ()
    correlations: tuple[Correlations, ...] = ()
    secondary: tuple[SecondaryScores, ...] = ()
    memorisation: tuple[Memorisation, ...] = ()


def current_evidence(evidence: Evidence, results: Sequence[Result]) -> Evidence:
    """Return the evidence without what was found out about other results than these."""
    effects = tuple(one for one in evidence.effects if effects_are_current(one, results))
    return replace(
        evidence,
        effects=effects,
        secondary=current_scores(evidence.secondary, results),
        memorisation=current_memorisation(evidence.memorisation, results),
    )
