"""The smoke test: three pictures first, so that a model that cannot work is known in minutes.

Nothing is lost by it: what it makes stays in the cache, and the whole run takes it from there.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median

from evaluator.bench import Bench
from evaluator.decode import Decoded
from evaluator.fruitless import commonest
from evaluator.run import evaluate
from protocol.errors import SmokeTestError
from protocol.records import Request
from protocol.rules import Mode
from protocol.samples import list_samples
from protocol.smoke import SmokeMode, SmokeReport
from protocol.subsets import choose_subset
from submission.cost import Cost, cost_from_smoke, work_of
from submission.facts import ModelFacts

IMAGES = 3


def smoke_test(request: Request, bench: Bench) -> SmokeReport:
    """Run a request on three pictures, one of each content where there are three.

    Raises:
        CMCError: something that the whole request needs cannot be used.
        SmokeTestError: in one mode no picture was made, or each is of one colour.
    """
    started = time.perf_counter()
    samples = list_samples(bench.images)
    names = choose_subset(samples, IMAGES, request.request_id)
    decoded = evaluate(request, bench, only=names).decoded
    groups = {mode: [d for d in decoded if d.encoded.mode is mode] for mode in request.modes}
    for mode, group in groups.items():
        _require_pictures(mode, group, bench)
    return SmokeReport(
        names=names,
        modes=tuple(_mode_of(mode, group) for mode, group in groups.items()),
        seconds=time.perf_counter() - started,
        images=len(samples),
    )


def cost_after(
    report: SmokeReport, request: Request, facts: Mapping[str, ModelFacts], images: int, gpu: str
) -> Cost:
    """Return what the whole run will take, by the seconds of its smoke test."""
    return cost_from_smoke(work_of(request, facts, images), report.seconds_by_mode, gpu)


def _mode_of(mode: Mode, group: Sequence[Decoded]) -> SmokeMode:
    return SmokeMode(
        mode=mode,
        images=len(group),
        failures=Counter(d.entry.failure_code for d in group if d.entry.failure_code),
        encode_seconds=median(d.encoded.seconds for d in group),
        decode_seconds=median(d.entry.seconds for d in group),
        bits_per_pixel=fmean(
            8 * len(d.encoded.data) / (d.encoded.stream.width * d.encoded.stream.height)
            for d in group
        ),
    )


def _require_pictures(mode: Mode, group: Sequence[Decoded], bench: Bench) -> None:
    made = [item for item in group if not item.entry.failure_code]
    if not made:
        code, reason = commonest([item.entry.failure_code for item in group], group)
        raise SmokeTestError(
            code, f"in {mode} mode none of {len(group)} pictures was made; {reason}"
        )
    pictures = [bench.cache.read_picture(item.key) for item in made]
    if all(_is_flat(picture.getextrema()) for picture in pictures):
        raise SmokeTestError(
            "FLAT_PICTURES",
            f"in {mode} mode each of {len(made)} pictures is of one colour",
        )


def _is_flat(extrema: object) -> bool:
    """Say whether the lowest and highest value of every channel are the same."""
    return isinstance(extrema, tuple) and all(low == high for low, high in extrema)
