"""One score for a whole set of pictures: from a finished run, or from two folders."""

from collections.abc import Sequence
from pathlib import Path

from evaluator.bench import Bench
from evaluator.pictures import read_picture
from evaluator.run import Evaluation
from evaluator.score import match_folders
from evaluator.set_indicators import SetIndicator, find_set_indicator
from evaluator.weights import find_weights
from protocol.rules import Mode


def score_sets(
    reference: Path, distorted: Path, name: str, *, weights: Path | None, device: str
) -> float:
    """Return the score of a folder of pictures against another, higher is better.

    Raises:
        PictureError: a folder is missing, or the two do not hold the same names.
        WeightsError: the indicator's weights are missing.
    """
    names = match_folders(reference, distorted)
    return _load(name, weights, device).score(
        (read_picture(distorted / file) for file in names),
        (read_picture(reference / file) for file in names),
    )


def set_scores(
    evaluation: Evaluation, names: Sequence[str], bench: Bench
) -> dict[Mode, dict[str, float | None]]:
    """Return the scores of whole sets by mode and indicator; None where a picture is missing.

    They are computed anew each time: nothing of a set is in the cache.

    Raises:
        WeightsError: an indicator's weights are missing.
    """
    scores: dict[Mode, dict[str, float | None]] = {}
    for name in names:
        indicator = _load(name, bench.weights, bench.device)
        for mode in evaluation.result.request.modes:
            items = [item for item in evaluation.decoded if item.encoded.mode is mode]
            by_name = scores.setdefault(mode, {})
            if any(item.entry.failure_code for item in items):
                by_name[name] = None
                continue
            by_name[name] = indicator.score(
                (bench.cache.read_picture(item.key) for item in items),
                (read_picture(bench.images / item.encoded.sample.name) for item in items),
            )
    return scores


def _load(name: str, weights: Path | None, device: str) -> SetIndicator:
    module = find_set_indicator(name)
    path = find_weights(module.WEIGHTS, weights).path if module.WEIGHTS else None
    return module.load(path, device)
