"""A result's tables once more, from the per-image scores that lie beside it."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

from evaluator.tables import CONTENTS
from protocol.records import Cost, Rate, Result, Score
from protocol.rules import Dimension, Mode
from protocol.scores import mean_score

Row: TypeAlias = Mapping[str, Any]
"""One line of the per-image Parquet: a picture, a mode, an indicator."""
COLUMNS = (
    *("name", "content", "mode", "dimension", "score", "width", "height", "caption"),
    *("file_bytes", "text_bytes", "pixels_bytes", "image_bytes"),
    *("encode_seconds", "decode_seconds"),
)


def recompute_problems(result: Result, per_image: Path) -> list[str]:
    """Return where a result's tables are not what its per-image scores give; a sentence each."""
    name = f"request {result.request.request_id}"
    content = per_image.read_bytes()
    if hashlib.sha256(content).hexdigest() != result.per_image_sha256:
        return [f"{name}: its per-image scores are not those that the result names"]
    try:
        rows = read_rows(per_image)
        return table_problems(name, result, rows)
    except (ValueError, KeyError, TypeError) as error:
        return [f"{name}: its per-image scores cannot be read ({error})"]


def table_problems(name: str, result: Result, rows: Sequence[Row]) -> list[str]:
    """Return where a result's tables are not what rows give; `name` begins each sentence."""
    problems = []
    tables = (
        ("scores", result.scores, _scores(rows)),
        ("rates", result.rates, _rates(rows)),
        ("costs", result.costs, _costs(rows)),
    )
    for table, written, made in tables:
        if len(written) != len(made):
            problems.append(f"{name}: {len(written)} {table} written, {len(made)} recomputed")
        problems += [
            f"{name}: {table} say {one}, recomputed {other}"
            for one, other in zip(written, made, strict=False)
            if not _equal(one, other)
        ]
    images = len({row["name"] for row in rows})
    if images != result.images:
        problems.append(f"{name}: {result.images} images written, {images} have scores")
    return problems


def read_rows(per_image: Path) -> list[Row]:
    """Return the lines of a per-image Parquet with what the tables are made of."""
    import pyarrow.parquet as pq

    rows: list[Row] = pq.read_table(per_image, columns=list(COLUMNS)).to_pylist()
    return rows


def _scores(rows: Sequence[Row]) -> list[Score]:
    made = []
    for mode, dimension in product(Mode, Dimension):
        cell = [row for row in _of(rows, mode) if row["dimension"] == dimension]
        for content in CONTENTS:
            group = [row["score"] for row in cell if content in (None, row["content"])]
            if group:
                made.append(mean_score(mode, dimension, content, group))
    return made


def _rates(rows: Sequence[Row]) -> list[Rate]:
    made = []
    of_mode = {mode: _of(rows, mode) for mode in Mode}
    for mode, content in product(Mode, CONTENTS):
        group = _files(row for row in of_mode[mode] if content in (None, row["content"]))
        if group:
            made.append(
                Rate(
                    mode=mode,
                    content=content,
                    # From the file's bytes and the picture's size, not from the column beside them.
                    bits_per_pixel=fmean(
                        8 * row["file_bytes"] / (row["width"] * row["height"]) for row in group
                    ),
                    file_bytes=fmean(row["file_bytes"] for row in group),
                    text_bytes=fmean(row["text_bytes"] for row in group),
                    pixels_bytes=fmean(row["pixels_bytes"] for row in group),
                    image_bytes=fmean(row["image_bytes"] for row in group),
                    caption_bytes=fmean(len((row["caption"] or "").encode()) for row in group),
                )
            )
    return made


def _costs(rows: Sequence[Row]) -> list[Cost]:
    made = []
    for mode in Mode:
        group = _files(_of(rows, mode))
        if group:
            made.append(
                Cost(
                    mode=mode,
                    encode_seconds=fmean(row["encode_seconds"] for row in group),
                    decode_seconds=fmean(row["decode_seconds"] for row in group),
                )
            )
    return made


def _of(rows: Iterable[Row], mode: Mode) -> list[Row]:
    return [row for row in rows if row["mode"] == mode]


def _files(rows: Iterable[Row]) -> list[Row]:
    """Return one row a picture: each stands there once for every indicator."""
    return list({row["name"]: row for row in rows}.values())


def _equal(one: object, other: object) -> bool:
    """Compare two records, numbers to the last rounding of a sum."""
    from protocol.jsonable import to_plain

    left, right = to_plain(one), to_plain(other)
    return left.keys() == right.keys() and all(
        math.isclose(left[key], right[key], rel_tol=1e-12)
        if isinstance(left[key], float) and isinstance(right[key], float)
        else left[key] == right[key]
        for key in left
    )
