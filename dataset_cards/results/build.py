"""How the rows of results are made."""

from collections.abc import Iterator
from typing import Any

from dataset_cards.requests.build import pair_row
from protocol.records import Result

Row = dict[str, Any]


def aggregate_rows(result: Result) -> Iterator[Row]:
    """Yield a result's means, a row a mode, dimension and content."""
    request, made = result.request, result.provenance
    uses = {use.dimension: use for use in made.indicators}
    rates = {(rate.mode, rate.content): rate for rate in result.rates}
    costs = {cost.mode: cost for cost in result.costs}
    for score in result.scores:
        use, cost = uses[score.dimension], costs[score.mode]
        rate = rates[score.mode, score.content]
        yield {
            **pair_row(request),
            "protocol": request.protocol,
            "dataset": request.dataset,
            "source": result.source,
            "mode": str(score.mode),
            "dimension": str(score.dimension),
            "indicator": use.name,
            "weights_sha256": use.weights_sha256,
            "content": str(score.content) if score.content else "all",
            "images": score.images,
            "not_scored": score.not_scored,
            "mean": score.mean,
            "bits_per_pixel": rate.bits_per_pixel,
            "file_bytes": rate.file_bytes,
            "encode_seconds": cost.encode_seconds,
            "decode_seconds": cost.decode_seconds,
            "device": made.device,
            "code_version": made.code_version,
            "finished_at": made.finished_at,
            "per_image_sha256": result.per_image_sha256,
        }
