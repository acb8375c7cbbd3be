"""Where the ranking indicator and another one disagree beyond chance about two systems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.statistics.bootstrap import LEVEL, RESAMPLES, Array, Estimate
from protocol.statistics.pairs import compare


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """The ranking indicator says that one is better, the other one that it is worse."""

    ranking: str
    other: str
    ranking_difference: Estimate
    """Mean over the images of first - second."""
    other_difference: Estimate


def disagreements(
    first: Mapping[str, Array],
    second: Mapping[str, Array],
    strata: Sequence[str],
    ranking: str,
    *,
    resamples: int = RESAMPLES,
) -> list[Disagreement]:
    """Return the indicators whose difference is as sure as the ranking one's and of other sign.

    Each interval is widened for the number of indicators that are looked at (Dunn, "Multiple
    comparisons among means", JASA 56, 1961), so that of two systems that do not differ at most 5 %
    get any flag.

    Args:
        first: one system's scores by indicator, `(images,)`, higher is better.
        second: the other's, of the same images in the same order.
        strata: the content of each image.
        ranking: which of the indicators ranks.
        resamples: of the images.

    Raises:
        StatisticsError: the images differ in number, or a content has fewer than two.
    """
    level = 1 - (1 - LEVEL) / max(1, len(first))
    found = {
        name: compare(scores, second[name], strata, resamples=resamples, level=level)
        for name, scores in first.items()
    }
    main = found[ranking]
    return [
        Disagreement(
            ranking=ranking,
            other=name,
            ranking_difference=main.difference,
            other_difference=other.difference,
        )
        for name, other in found.items()
        if main.is_separable
        and other.is_separable
        and main.difference.value * other.difference.value < 0
    ]
