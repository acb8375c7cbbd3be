"""Folders of results as a submitter sends them, honest and forged."""

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from evaluator.recompute import _costs, _rates, _scores
from evaluator.reported import PER_IMAGE, RESULT
from evaluator.run import Evaluation
from protocol.jsonable import to_json

Rows = list[dict[str, Any]]


def rows_of(per_image: bytes) -> Rows:
    rows: Rows = pq.read_table(io.BytesIO(per_image)).to_pylist()
    return rows


def parquet_of(rows: Rows) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


def write_bundle(folder: Path, evaluation: Evaluation) -> Path:
    """Write the two files of an honest bundle."""
    folder.mkdir(parents=True)
    (folder / RESULT).write_text(to_json(evaluation.result))
    (folder / PER_IMAGE).write_bytes(evaluation.per_image)
    return folder


def forge(folder: Path, evaluation: Evaluation, change: Callable[[Rows], Sequence[Any]]) -> Path:
    """Write a bundle whose rows were changed, and everything else to go with them."""
    rows = list(change(rows_of(evaluation.per_image)))
    per_image = parquet_of(rows)
    result = replace(
        evaluation.result,
        scores=tuple(_scores(rows)),
        rates=tuple(_rates(rows)),
        costs=tuple(_costs(rows)),
        images=len({row["name"] for row in rows}),
        per_image_sha256=hashlib.sha256(per_image).hexdigest(),
    )
    return write_bundle(folder, Evaluation(result, per_image, ()))


def better(rows: Rows) -> Rows:
    """Return rows with higher scores, which are possible."""
    return [{**row, "score": row["score"] + 0.2} for row in rows]
