"""An indicator, loaded when it has something to score."""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.features import FeatureStore
from evaluator.indicators import Indicator, IndicatorModule, KeepsFeatures, find_indicator
from evaluator.indicators._facts import require_side
from evaluator.stages import LOADING
from evaluator.weights import Weights, find_weights
from protocol.records import IndicatorUse
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image


class LazyIndicator:
    """An indicator that is loaded when the first score is not in the cache."""

    def __init__(
        self,
        name: str,
        weights_folder: Path | None,
        device: str,
        features: FeatureStore | None = None,
    ) -> None:
        """Find the indicator and its weights.

        Args:
            name: of its file.
            weights_folder: None fetches the released weights.
            device: where it runs.
            features: where what is computed of a reference is kept between runs.

        Raises:
            WeightsError: the weights are missing or not the ones wanted.
        """
        self.name = name
        self._device = device
        self._features = features
        self._module: IndicatorModule = find_indicator(name)
        self._weights: Weights | None = None
        if self._module.WEIGHTS:
            self._weights = find_weights(self._module.WEIGHTS, weights_folder)
        self._loaded: Indicator | None = None
        self.dimension = self._module.DIMENSION
        how = f"{self._module.IMPLEMENTATION} ({version('pyiqa')})"
        if features is not None and features.is_half and self.dimension is Dimension.FR:
            # Its scores are others, by rounding, and must not pass for those without.
            how += ", references' features in float16"
        self.use = IndicatorUse(
            dimension=self.dimension,
            name=self.name,
            implementation=how,
            weights_sha256=self._weights.sha256 if self._weights else "",
            weights_origin=self._weights.origin if self._weights else "",
        )
        """What to write down beside the scores."""
        self.smallest_side = self._module.FACTS.smallest_side
        """In pixels, of a picture that it can score."""

    def score(
        self, pictures: "Sequence[Image]", references: "Sequence[Image | None]"
    ) -> list[float]:
        """Return the score of each picture, higher is better.

        Args:
            pictures: of one size.
            references: of the same size; a no-reference indicator does not look at them.

        Raises:
            PictureError: a side is too short.
        """
        for picture in pictures:
            require_side(picture.size, self.smallest_side, f"the indicator {self.name}")
        loaded = self._load()
        if self.dimension is not Dimension.FR:
            return loaded.score(pictures, None)
        return loaded.score(pictures, [truth for truth in references if truth is not None])

    def _load(self) -> Indicator:
        with LOADING:
            if self._loaded is None:
                loaded = _load(self.name, self._weights, self._device)
                if isinstance(loaded, KeepsFeatures):
                    weights = self._weights.sha256 if self._weights else ""
                    loaded.keep_features(self._features, weights)
                self._loaded = loaded
            return self._loaded


@lru_cache(maxsize=4)
def _load(name: str, weights: Weights | None, device: str) -> Indicator:
    """Return an indicator; a worker's next request finds it, and its references, as they were."""
    return find_indicator(name).load(weights.path if weights else None, device)
