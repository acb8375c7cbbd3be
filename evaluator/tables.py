"""From single pictures to the tables of a Result: means, rates, costs, and the long Parquet."""

import io
from collections.abc import Iterable, Sequence
from itertools import product
from statistics import fmean

from evaluator.bitstream import bits_per_pixel
from evaluator.decode import Decoded
from evaluator.encode import Encoded
from evaluator.score import Scored
from protocol.records import Cost, Rate, Score
from protocol.rules import Content, Dimension, Mode
from protocol.scores import mean_score

CONTENTS: Sequence[Content | None] = (None, *Content)


def scores_of(scored: Sequence[Scored]) -> tuple[Score, ...]:
    """Return the means by mode, dimension and content, where there are pictures."""
    rows = []
    for mode, dimension, content in product(Mode, Dimension, CONTENTS):
        group = [
            item.score
            for item in scored
            if item.decoded.encoded.mode is mode
            and item.dimension is dimension
            and content in (None, item.decoded.encoded.sample.content)
        ]
        if group:
            rows.append(mean_score(mode, dimension, content, group))
    return tuple(rows)


def rates_of(files: Sequence[Encoded]) -> tuple[Rate, ...]:
    """Return the mean sizes by mode and content, where there are files."""
    rows = []
    for mode, content in product(Mode, CONTENTS):
        group = [f for f in files if f.mode is mode and content in (None, f.sample.content)]
        if group:
            rows.append(
                Rate(
                    mode=mode,
                    content=content,
                    bits_per_pixel=fmean(_bits_per_pixel(f) for f in group),
                    file_bytes=fmean(len(f.data) for f in group),
                    text_bytes=fmean(len(f.stream.text or b"") for f in group),
                    pixels_bytes=fmean(len(f.stream.pixels or b"") for f in group),
                    image_bytes=fmean(len(f.stream.image or b"") for f in group),
                    caption_bytes=fmean(len((f.caption or "").encode()) for f in group),
                )
            )
    return tuple(rows)


def costs_of(decoded: Sequence[Decoded]) -> tuple[Cost, ...]:
    """Return the mean seconds by mode."""
    rows = []
    for mode in Mode:
        group = [item for item in decoded if item.encoded.mode is mode]
        if group:
            rows.append(
                Cost(
                    mode=mode,
                    encode_seconds=fmean(item.encoded.seconds for item in group),
                    decode_seconds=fmean(item.entry.seconds for item in group),
                )
            )
    return tuple(rows)


def per_image_parquet(scored: Iterable[Scored]) -> bytes:
    """Return one row per picture, mode and indicator, as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([_row(item) for item in scored])
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def _row(item: Scored) -> dict[str, object]:
    encoded, entry = item.decoded.encoded, item.decoded.entry
    return {
        "name": encoded.sample.name,
        "content": str(encoded.sample.content),
        "source": encoded.sample.source,
        "mode": str(encoded.mode),
        "dimension": str(item.dimension),
        "indicator": item.indicator,
        "score": item.score,
        "status": item.failure_code or "scored",
        "width": encoded.stream.width,
        "height": encoded.stream.height,
        "working_width": entry.working_width,
        "working_height": entry.working_height,
        "start_sigma": entry.start_sigma,
        "asked_sigma": entry.asked_sigma,
        "file_bytes": len(encoded.data),
        "text_bytes": len(encoded.stream.text or b""),
        "pixels_bytes": len(encoded.stream.pixels or b""),
        "image_bytes": len(encoded.stream.image or b""),
        "bits_per_pixel": _bits_per_pixel(encoded),
        "caption": encoded.caption,
        "caption_characters": None if encoded.caption is None else len(encoded.caption),
        "caption_tokens": encoded.caption_tokens,
        "seed": item.decoded.seed,
        "picture_sha256": entry.png_sha256,
        "encode_seconds": encoded.seconds,
        "decode_seconds": entry.seconds,
    }


def _bits_per_pixel(file: Encoded) -> float:
    return bits_per_pixel(len(file.data), file.stream.width, file.stream.height)
