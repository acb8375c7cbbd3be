"""From pictures to scores, pair by pair, matched by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.cache import ScoreEntry, cache_key
from evaluator.decode import Decoded
from evaluator.indicators import Indicator, IndicatorModule, find_indicator
from evaluator.pictures import read_picture
from evaluator.weights import Weights, find_weights
from protocol.errors import PictureError
from protocol.records import IndicatorUse
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Scored:
    """One indicator's score of one decoded picture; None when there is no picture to score."""

    decoded: Decoded
    indicator: str
    dimension: Dimension
    score: float | None


class LazyIndicator:
    """An indicator that is loaded when the first score is not in the cache."""

    def __init__(self, name: str, weights_folder: Path | None, device: str) -> None:
        """Find the indicator and its weights.

        Raises:
            WeightsError: the weights are missing or not the ones wanted.
        """
        self.name = name
        self._device = device
        self._module: IndicatorModule = find_indicator(name)
        self._weights: Weights | None = None
        if self._module.WEIGHTS:
            self._weights = find_weights(self._module.WEIGHTS, weights_folder)
        self._loaded: Indicator | None = None

    @property
    def use(self) -> IndicatorUse:
        """What to write down beside the scores."""
        return IndicatorUse(
            dimension=self._module.DIMENSION,
            name=self.name,
            implementation=f"{self._module.IMPLEMENTATION} ({version('pyiqa')})",
            weights_sha256=self._weights.sha256 if self._weights else "",
            weights_origin=self._weights.origin if self._weights else "",
        )

    def score(self, picture: "Image", reference: "Image") -> float:
        """Return the score of one picture, higher is better."""
        if self._loaded is None:
            path = self._weights.path if self._weights else None
            self._loaded = self._module.load(path, self._device)
        is_fr = self._module.DIMENSION is Dimension.FR
        (score,) = self._loaded.score([picture], [reference] if is_fr else None)
        return score


def score_all(
    indicators: Sequence[LazyIndicator], decoded: Sequence[Decoded], bench: Bench
) -> list[Scored]:
    """Return every indicator's score of every picture."""
    scores = []
    with bench.report("score", len(decoded)) as advance:
        for item in decoded:
            for indicator in indicators:
                score = None if item.entry.failure_code else _score_one(indicator, item, bench)
                scores.append(Scored(item, indicator.name, indicator.use.dimension, score))
            advance(1)
    return scores


def score_folders(
    reference: Path,
    distorted: Path,
    names: Sequence[str],
    *,
    weights: Path | None,
    device: str,
    on_pair: Callable[[], None] = lambda: None,
) -> Mapping[str, Mapping[str, float]]:
    """Return the scores of the pictures of two folders by file name and indicator.

    Raises:
        PictureError: a folder is missing, or the two do not hold the same names.
    """
    pairs = match_folders(reference, distorted)
    indicators = [LazyIndicator(name, weights, device) for name in names]
    scores: dict[str, dict[str, float]] = {}
    for name in pairs:
        truth, picture = read_picture(reference / name), read_picture(distorted / name)
        if truth.size != picture.size:
            raise PictureError(
                f"{name}: {picture.width}x{picture.height} distorted, "
                f"{truth.width}x{truth.height} reference; wanted equal sizes"
            )
        scores[name] = {i.name: i.score(picture, truth) for i in indicators}
        on_pair()
    return scores


def match_folders(reference: Path, distorted: Path) -> list[str]:
    """Return the names that both folders hold.

    Raises:
        PictureError: a folder is missing or empty, or a name is only in one of them.
    """
    names: list[set[str]] = []
    for folder in (reference, distorted):
        if not folder.is_dir():
            raise PictureError(f"{folder} is no folder; wanted a folder of PNG files")
        names.append({path.name for path in folder.iterdir() if path.suffix.lower() == ".png"})
    only_reference, only_distorted = names[0] - names[1], names[1] - names[0]
    if only_reference or only_distorted or not names[0]:
        raise PictureError(
            f"the folders do not hold the same PNG names: {len(only_reference)} only in "
            f"{reference} {sorted(only_reference)[:3]}, {len(only_distorted)} only in "
            f"{distorted} {sorted(only_distorted)[:3]}"
        )
    return sorted(names[0])


def _score_one(indicator: LazyIndicator, item: Decoded, bench: Bench) -> float:
    use = indicator.use
    key = cache_key(
        {
            "reference": item.encoded.source_sha256 if use.dimension is Dimension.FR else "",
            "picture": item.entry.png_sha256,
            "indicator": use,
            "torch": version("torch"),
            "device": bench.device.partition(":")[0],
        }
    )
    entry = bench.cache.find(ScoreEntry, key)
    if entry is None:
        picture = read_picture(bench.cache.picture_path(item.key))
        reference = read_picture(bench.images / item.encoded.sample.name)
        entry = ScoreEntry(indicator.score(picture, reference))
        bench.cache.keep(key, entry)
    return entry.score
