"""From pictures to scores, pair by pair, matched by name."""

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from evaluator.batches import BatchSizes, group_by_shape
from evaluator.bench import Bench
from evaluator.cache import ScoreEntry, cache_key
from evaluator.calibration import calibrate
from evaluator.decode import Decoded
from evaluator.features import FeatureStore
from evaluator.lazy_indicator import LazyIndicator
from evaluator.pictures import read_known, read_picture
from evaluator.stages import in_pool
from evaluator.timesheet import Timesheet
from protocol.errors import PictureError
from protocol.rules import Dimension, Mode
from protocol.samples import png_files
from protocol.versions import find_protocol

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T", bound=Hashable)

_GROUP = 16
"""Pictures whose pixels are held at once."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One indicator's score of one decoded picture; None when there is no picture to score."""

    decoded: Decoded
    indicator: str
    dimension: Dimension
    score: float | None
    failure_code: str
    """Why there is no score; empty where there is one."""


class ScoredRun(NamedTuple):
    """What the engines answer."""

    by_picture: Mapping[tuple[str, Mode], list[Scored]]
    smallest_batch: int
    """That was decoded."""
    calibration: Mapping[str, tuple[float, ...]]


class ScoreStage:
    """The indicators of a run, on groups of pictures as they are decoded."""

    def __init__(
        self, indicators: Sequence[LazyIndicator], bench: Bench, timesheet: Timesheet
    ) -> None:
        """Keep the indicators; none is loaded before it is needed."""
        self._indicators = indicators
        self._bench = bench
        self._timesheet = timesheet
        self._torch = version("torch")
        self._sizes = {i.name: BatchSizes(max(1, bench.batch_size)) for i in indicators}
        self.calibration: Mapping[str, tuple[float, ...]] = {}
        """What the indicators said of the calibration pairs; empty before they were asked."""

    def calibrate(self) -> None:
        """Ask the indicators about the calibration pairs, once.

        Raises:
            MachineFault: this machine's scores could not stand beside others.
        """
        if not self.calibration:
            with self._timesheet.working("calibration", len(self._indicators)):
                self.calibration = calibrate(self._indicators, self._bench)

    def of_group(self, group: Sequence[Decoded]) -> list[Scored]:
        """Return every indicator's score of every picture of one size."""
        read = _Reader(self._bench)
        whole = [item for item in group if not item.entry.failure_code]
        side = min(group[0].encoded.stream.width, group[0].encoded.stream.height)

        def answer(
            part: tuple[LazyIndicator, Sequence[Decoded]],
        ) -> dict[int, tuple[float | None, str]]:
            indicator, items = part
            if side < indicator.smallest_side:
                return {id(item): (None, "PICTURE_TOO_SMALL") for item in items}
            return self._answers(indicator, items, read)

        # Side by side: on a CPU each has threads of its own, on a GPU they fill each other's gaps.
        workers = len(self._indicators) if self._bench.overlap else 1
        parts = list(product(self._indicators, self._parts_of(whole)))
        answers: dict[str, dict[int, tuple[float | None, str]]] = defaultdict(dict)
        for (indicator, _), found in zip(
            parts, in_pool(answer, parts, workers=workers, window=len(parts)), strict=True
        ):
            answers[indicator.name] |= found
        return [
            Scored(
                item,
                indicator.name,
                indicator.dimension,
                *answers[indicator.name].get(id(item), (None, item.entry.failure_code)),
            )
            for item in group
            for indicator in self._indicators
        ]

    def _parts_of(self, items: Sequence[Decoded]) -> list[list[Decoded]]:
        """Return what is scored in one go: on a CPU the modes of a picture, else all there is.

        A CPU scores one by one anyway, and no indicator then waits for a slower one.
        """
        if self._bench.device != "cpu":
            return [list(items)] if items else []
        parts: dict[str, list[Decoded]] = defaultdict(list)
        for item in items:
            parts[item.encoded.sample.name].append(item)
        return list(parts.values())

    def _answers(
        self, indicator: LazyIndicator, items: Sequence[Decoded], read: "_Reader"
    ) -> dict[int, tuple[float | None, str]]:
        """Return the score, or why there is none, by the picture's `id`."""
        keys = [self._key(indicator, item) for item in items]
        answers: dict[int, tuple[float | None, str]] = {}
        missing: list[tuple[str, Decoded]] = []
        for key, item in zip(keys, items, strict=True):
            entry = self._bench.cache.find(ScoreEntry, key)
            if entry is None:
                missing.append((key, item))
            else:
                answers[id(item)] = (entry.score, "")
        self._timesheet.found("score", len(answers))
        self._timesheet.made("score", len(missing))

        def work(batch: list[tuple[str, Decoded]]) -> list[tuple[float | None, str]]:
            pictures = [read.picture(item) for _, item in batch]
            truths = [
                read.truth(item) if indicator.dimension is Dimension.FR else None
                for _, item in batch
            ]
            with self._timesheet.working(indicator.name, len(batch)):
                scores = indicator.score(pictures, truths)
            return [_checked(score) for score in scores]

        def too_large(item: tuple[str, Decoded], reason: str) -> tuple[None, str]:
            del item, reason
            return None, "OUT_OF_MEMORY"

        if missing:
            stream = missing[0][1].encoded.stream
            scores = self._sizes[indicator.name].run(
                work, missing, stream.width * stream.height, too_large=too_large
            )
            for (key, item), (score, code) in zip(missing, scores, strict=True):
                answers[id(item)] = (score, code)
                if score is not None:
                    self._bench.cache.keep(key, ScoreEntry(score))
        return answers

    def _key(self, indicator: LazyIndicator, item: Decoded) -> str:
        return cache_key(
            {
                "reference": item.encoded.source_sha256
                if indicator.dimension is Dimension.FR
                else "",
                "picture": item.entry.png_sha256,
                "indicator": indicator.use,
                "torch": self._torch,
                "device": self._bench.device.partition(":")[0],
            }
        )


def find_indicators(protocol: str, bench: Bench) -> list[LazyIndicator]:
    """Return a protocol's indicators, not loaded yet.

    Raises:
        WeightsError: an indicator's weights are missing or not the ones wanted.
    """
    features = FeatureStore(bench.cache, bench.features) if bench.features else None
    return [
        LazyIndicator(name, bench.weights, bench.device, features)
        for name in find_protocol(protocol).indicators.values()
    ]


def score_all(
    indicators: Sequence[LazyIndicator], decoded: Sequence[Decoded], bench: Bench
) -> list[Scored]:
    """Return every indicator's score of every picture; those in the cache are not made again."""
    stage = ScoreStage(indicators, bench, Timesheet())
    groups = group_by_shape(
        decoded, lambda item: (item.encoded.stream.width, item.encoded.stream.height), _GROUP
    )
    return [scored for group in groups for scored in stage.of_group(group)]


class _Reader:
    """Pictures and references of one group, each read once for all indicators."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._read: dict[Hashable, Image] = {}

    def picture(self, item: Decoded) -> "Image":
        return self._once(item.key, self._bench.cache.read_picture)

    def truth(self, item: Decoded) -> "Image":
        path, sha256 = self._bench.images / item.encoded.sample.name, item.encoded.source_sha256
        return self._once(path, lambda path: read_known(path, sha256))

    def _once(self, which: T, read: Callable[[T], "Image"]) -> "Image":
        if which not in self._read:
            self._read[which] = read(which)
        return self._read[which]


def _checked(score: float) -> tuple[float | None, str]:
    return (score, "") if math.isfinite(score) else (None, "NAN_SCORE")


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
        scores[name] = {i.name: i.score([picture], [truth])[0] for i in indicators}
        for which, score in scores[name].items():
            if not math.isfinite(score):
                raise PictureError(f"{name}: the indicator {which} answers {score} and no number")
        on_pair()
    return scores


def match_folders(reference: Path, distorted: Path) -> list[str]:
    """Return the names that both folders hold.

    Raises:
        PictureError: a folder is missing or empty, a name is only in one of them, or a picture is
            no PNG.
    """
    names: list[set[str]] = []
    for folder in (reference, distorted):
        if not folder.is_dir():
            raise PictureError(f"{folder} is no folder; wanted a folder of PNG files")
        names.append({path.name for path in png_files(folder.iterdir())})
    only_reference, only_distorted = names[0] - names[1], names[1] - names[0]
    if only_reference or only_distorted or not names[0]:
        raise PictureError(
            f"the folders do not hold the same PNG names: {len(only_reference)} only in "
            f"{reference} {sorted(only_reference)[:3]}, {len(only_distorted)} only in "
            f"{distorted} {sorted(only_distorted)[:3]}"
        )
    return sorted(names[0])
