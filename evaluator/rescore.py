"""Scoring the pictures of a finished row by further indicators, without painting them again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from evaluator.bench import Bench
from evaluator.decode import Decoded
from evaluator.lazy_indicator import LazyIndicator
from evaluator.reproduce import read_scores
from evaluator.run import evaluate
from evaluator.score import score_all
from evaluator.tables import scores_of
from protocol.errors import InputError
from protocol.records import Request
from protocol.rules import Content
from protocol.samples import list_samples
from protocol.secondary import RowScores
from protocol.versions import find_protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A finished row."""

    request: Request
    """With its files where they lie on this machine."""
    per_image: bytes
    """Its per-image Parquet."""
    per_image_sha256: str


def rescore(
    row: Row, indicators: Sequence[LazyIndicator], bench: Bench, contents: Collection[Content]
) -> list[RowScores]:
    """Return a row's scores by other indicators than it is ranked by, one record an indicator.

    Args:
        row: what was run.
        indicators: whose scores are wanted.
        bench: where; what its cache lacks of the pictures is made again.
        contents: whose pictures are scored.

    Raises:
        InputError: an indicator ranks the row already, no picture is of these contents, or what
            is decoded here is not what the row was scored on.
        CMCError: as for `evaluate`.
    """
    ranking = set(find_protocol(row.request.protocol).indicators.values())
    for indicator in indicators:
        if indicator.name in ranking:
            raise InputError(f"rows of {row.request.protocol} are ranked by {indicator.name}")
    samples = list_samples(bench.images)
    only = {sample.name for sample in samples if sample.content in contents}
    if not only:
        raise InputError(f"no picture of {', '.join(contents)} in {bench.images}")
    decoded = evaluate(row.request, bench, only=only).decoded
    require_same(row, decoded)
    found = []
    for indicator in indicators:
        means = scores_of(score_all([indicator], decoded, bench))
        if len(only) < len(samples):
            # A mean over some contents is none over all of them.
            means = tuple(mean for mean in means if mean.content is not None)
        found.append(
            RowScores(
                request_id=row.request.request_id,
                per_image_sha256=row.per_image_sha256,
                scores=means,
            )
        )
    return found


def require_same(row: Row, decoded: Sequence[Decoded]) -> None:
    """Refuse pictures that are not those that a row was scored on.

    Raises:
        InputError: one of them differs in a bit.
    """
    there = {(one.name, one.mode): one.picture_sha256 for one in read_scores(row.per_image)}
    here = {
        (item.encoded.sample.name, item.encoded.mode): item.entry.png_sha256 for item in decoded
    }
    others = [name for (name, mode), sha in here.items() if there.get((name, mode)) != sha]
    if others:
        raise InputError(
            f"{len(others)} of {len(here)} pictures are not those that {row.request.request_id} "
            f"was scored on, first {others[0]}; run this where the row was run, with its cache"
        )
