"""Running one request as a worker does: three pictures first, submitted weights apart."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from evaluator.bench import Bench
from evaluator.fruitless import nothing_scored
from evaluator.gallery import gallery_folder, write_gallery
from evaluator.progress import progress_bars
from evaluator.run import evaluate
from evaluator.run_log import library_errors
from evaluator.smoke import smoke_test
from protocol.counts import counted
from protocol.records import Request, Result
from protocol.samples import list_samples
from protocol.smoke import SmokeReport

SMOKE_FROM = 20
"""Pictures; a run of fewer is over as soon as its smoke test would be."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run made."""

    result: Result
    per_image: bytes
    """The per-image scores as Parquet."""


def run_here(
    request: Request,
    bench: Bench,
    note: Callable[[str], None],
    tell: Callable[[SmokeReport], None] = lambda _: None,
    log: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run a request in this process.

    Args:
        request: what is run.
        bench: where; its reporter is not used.
        note: is told the progress and what the smoke test showed, a line at a time.
        tell: is told what the smoke test showed.
        log: is told what belongs into the log beside the progress.

    Raises:
        SmokeTestError: the first three pictures show that the run would fail.
        FruitlessError: no picture of any mode has a score.
        CMCError: as for `evaluate`.
    """
    with library_errors(log), progress_bars(note) as report:
        here = replace(bench, report=report)
        pictures = len(list_samples(bench.images))
        log(f"{counted(pictures, 'picture')} in {', '.join(request.modes)} mode on {bench.device}")
        if pictures >= SMOKE_FROM:
            log("a smoke test of three pictures first")
            shown = smoke_test(request, here)
            note(shown.sentence)
            tell(shown)
        evaluation = evaluate(request, here)
    if fruitless := nothing_scored(evaluation):
        raise fruitless
    write_gallery(gallery_folder(bench.cache, request.request_id), evaluation, bench)
    return Outcome(evaluation.result, evaluation.per_image)


def run_part(
    request: Request,
    bench: Bench,
    names: Collection[str],
    note: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run some of a request's pictures in this process, with no smoke test and no gallery.

    Raises:
        CMCError: as for `evaluate`.
    """
    with progress_bars(note) as report:
        evaluation = evaluate(request, replace(bench, report=report), only=names)
    return Outcome(evaluation.result, evaluation.per_image)
