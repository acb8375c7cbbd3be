"""Scores of single pictures as arrays: what comparisons of runs over the same pictures take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.indicators import find_indicator
from evaluator.lazy_indicator import LazyIndicator
from evaluator.run import Evaluation
from evaluator.score import score_all
from evaluator.set_indicators import find_set_indicator
from evaluator.weights import find_weights
from protocol.rules import Mode
from protocol.versions import find_protocol

if TYPE_CHECKING:
    from protocol.statistics.bootstrap import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArrays:
    """One run's scores."""

    names: Sequence[str]
    contents: Sequence[str]
    scores: Mapping[Mode, Mapping[str, "Array"]]
    """By mode and indicator: `(images,)`, NaN where a picture was not scored."""

    @property
    def strata(self) -> Sequence[str]:
        """The contents, or one for all where a content has a single picture."""
        few = any(self.contents.count(content) < 2 for content in set(self.contents))
        return ["all"] * len(self.contents) if few else self.contents


def require_indicators(names: Sequence[str], sets: Sequence[str], weights: Path | None) -> None:
    """Refuse indicators that are not there before hours are spent on pictures for them.

    Raises:
        ModelError: there is no such indicator.
        WeightsError: its weights are missing or not the ones wanted.
    """
    files = [find_indicator(name).WEIGHTS for name in names]
    files += [find_set_indicator(name).WEIGHTS for name in sets]
    for file in filter(None, files):
        find_weights(file, weights)


def image_arrays(evaluation: Evaluation, secondary: Sequence[str], bench: Bench) -> ImageArrays:
    """Return a run's scores by its protocol's indicators and by others; the cache has most.

    Raises:
        WeightsError: an indicator's weights are missing.
    """
    import numpy as np

    protocol = find_protocol(evaluation.result.request.protocol)
    names = dict.fromkeys([*protocol.indicators.values(), *secondary])
    indicators = [LazyIndicator(name, bench.weights, bench.device) for name in names]
    scored = score_all(indicators, evaluation.decoded, bench)
    samples = sorted({item.decoded.encoded.sample for item in scored})
    places = {sample.name: place for place, sample in enumerate(samples)}
    scores: dict[Mode, dict[str, Array]] = {}
    for item in scored:
        encoded = item.decoded.encoded
        by_name = scores.setdefault(encoded.mode, {})
        values = by_name.setdefault(item.indicator, np.full(len(samples), np.nan))
        if item.score is not None:
            values[places[encoded.sample.name]] = item.score
    return ImageArrays(
        names=[sample.name for sample in samples],
        contents=[str(sample.content) for sample in samples],
        scores=scores,
    )
