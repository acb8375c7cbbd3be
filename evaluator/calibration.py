"""What a run's indicators say of the calibration pairs, before they score anything else."""

import contextlib
import hashlib
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from evaluator.batches import BatchSizes
from evaluator.bench import Bench
from evaluator.cache import Cache, ScoreEntry, cache_key
from evaluator.lazy_indicator import LazyIndicator
from protocol.calibration import SIDE, Pair, difference, is_off, pairs, unlike
from protocol.errors import LedgerError, MachineFault, RecordError
from protocol.records import Result
from submission.store import Store


def calibrate(indicators: Sequence[LazyIndicator], bench: Bench) -> dict[str, tuple[float, ...]]:
    """Return the scores of the pairs by indicator, without those that memory is too short for.

    A device is held to what this machine's processor says, which is kept in the cache; its own
    answers are made each time, because a device may break.

    Raises:
        MachineFault: an indicator gives no number here, or another one than the processor does.
        DeviceLost: the device no longer answers.
    """
    found = {}
    for indicator in indicators:
        on_cpu = indicator
        if bench.device != "cpu":
            on_cpu = LazyIndicator(indicator.name, bench.weights, "cpu")
        expected = scores_of_pairs(on_cpu, bench.cache)
        scores = expected if on_cpu is indicator else scores_of_pairs(indicator, None)
        if not scores or not expected:
            continue
        if is_off(scores, expected):
            raise MachineFault(
                f"{indicator.name} on {bench.device} is {difference(scores, expected):.4f} off "
                "from the processor on the calibration pairs, so its scores could not stand beside "
                "others; nothing was scored. Try other drivers, or --device cpu"
            )
        found[indicator.name] = scores
    return found


def merge(found: Sequence[Mapping[str, tuple[float, ...]]]) -> dict[str, tuple[float, ...]]:
    """Return what several scorers of one run say of the pairs: the first one's words.

    Raises:
        MachineFault: another one differs from it.
    """
    merged: dict[str, tuple[float, ...]] = {}
    for name, scores in (item for one in found for item in one.items()):
        if is_off(scores, merged.setdefault(name, scores)):
            raise MachineFault(
                f"two scorers' {name} differ by {difference(scores, merged[name]):.4f} on the "
                "calibration pairs: the nodes need the same libraries and sound GPUs"
            )
    return merged


def unlike_rows(result: Result, store: Store) -> str:
    """Return in words how a result was scored otherwise than a store's rows; empty if it was not.

    A row that cannot be read is for `cmc verify` to tell, and speaks against no other.
    """
    with contextlib.suppress(LedgerError, RecordError):
        return unlike(result, store.results())
    return ""


def scores_of_pairs(indicator: LazyIndicator, cache: Cache | None) -> tuple[float, ...]:
    """Return an indicator's scores, new ones without a cache; none where memory is too short."""

    def score(batch: list[Pair]) -> list[float | None]:
        return [
            _kept(indicator, pair, cache) if cache else _score(indicator, pair) for pair in batch
        ]

    scores = BatchSizes(1).run(score, pairs(), SIDE * SIDE, too_large=lambda *_: None)
    whole = [score for score in scores if score is not None]
    return tuple(whole) if len(whole) == len(scores) else ()


def _kept(indicator: LazyIndicator, pair: Pair, cache: Cache) -> float:
    key = cache_key(
        {
            "pair": hashlib.sha256(pair.reference.tobytes() + pair.distorted.tobytes()).hexdigest(),
            "indicator": indicator.use,
            "torch": version("torch"),
        }
    )
    entry = cache.find(ScoreEntry, key)
    if entry is None:
        entry = ScoreEntry(_score(indicator, pair))
        cache.keep(key, entry)
    return entry.score


def _score(indicator: LazyIndicator, pair: Pair) -> float:
    from PIL import Image

    picture, truth = Image.fromarray(pair.distorted), Image.fromarray(pair.reference)
    (score,) = indicator.score([picture], [truth])
    if not math.isfinite(score):
        raise MachineFault(f"{indicator.name} answers {score} of a calibration pair and no number")
    return score
