"""A store of results with per-image scores that were made by hand."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from made_provenance import make_provenance

from protocol.records import Cost, Request, Result, System
from protocol.rules import Dimension, Mode, Role
from protocol.scores import mean_score
from protocol.versions import PROTOCOLS
from submission.store_ledger import LedgerStore

NAMES = [f"{c}_{i:03d}.png" for c in ("NSI_made", "SCI_made", "AIGI_SDXL") for i in range(8)]


def add_result(
    store: LedgerStore,
    model: str,
    level: float,
    *,
    i2t: str = "gpt4v.csv",
    modes: Sequence[Mode] = (Mode.FULL, Mode.IMAGE),
    dataset: str = "made",
    missing: Mapping[str, Sequence[Mode]] | None = None,
    seed: int = 42,
    revision: str = "a" * 40,
    adapter: str = "diffusers",
    seconds: tuple[float, float] | None = None,
) -> Result:
    """Finish a request whose scores lie around `level`; `missing` has no score where named.

    `seconds` are those of encoding and decoding a picture, in each mode.
    """
    request = Request(
        role=Role.T2I,
        i2t=System(adapter="file", model=i2t, revision="", path=""),
        t2i=System(adapter=adapter, model=model, revision=revision, path=""),
        codec=None,
        modes=tuple(modes),
        protocol="demo-0",
        dataset=dataset,
        dataset_sha256="d" * 64,
        submitter="tests",
        submitted_at="2026-01-01T00:00:00Z",
    )
    rows = image_rows(level, modes, missing or {}, seed)
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    per_image = file.getvalue()
    result = Result(
        schema_version=1,
        request=request,
        source="verified",
        images=len(NAMES),
        scores=tuple(
            mean_score(mode, dimension, None, of_cell(rows, mode, dimension))
            for mode in modes
            for dimension in Dimension
        ),
        rates=(),
        costs=()
        if seconds is None
        else tuple(
            Cost(mode=mode, encode_seconds=seconds[0], decode_seconds=seconds[1]) for mode in modes
        ),
        provenance=make_provenance(seed=42),
        per_image_sha256=hashlib.sha256(per_image).hexdigest(),
    )
    store.submit(request)
    with store.claim("tests", lambda asked: asked.request_id == request.request_id) as claim:
        assert claim is not None
        store.finish(claim, result, per_image)
    return result


def image_rows(
    level: float, modes: Sequence[Mode], missing: Mapping[str, Sequence[Mode]], seed: int
) -> list[dict[str, object]]:
    hardness = np.random.default_rng(0).normal(0, 0.3, len(NAMES))
    noise = np.random.default_rng([seed, int(level * 1000)])
    return [
        {
            "name": name,
            "mode": str(mode),
            "dimension": str(dimension),
            "indicator": PROTOCOLS["demo-0"].indicators[dimension],
            "score": None
            if mode in missing.get(name, ())
            else float(level + hardness[at] + noise.normal(0, 0.05)),
            "seed": seed,
        }
        for mode in modes
        for dimension in Dimension
        for at, name in enumerate(NAMES)
    ]


def of_cell(
    rows: Sequence[dict[str, object]], mode: Mode, dimension: Dimension
) -> list[float | None]:
    group = [row["score"] for row in rows if (row["mode"], row["dimension"]) == (mode, dimension)]
    return [score if isinstance(score, float) else None for score in group]


def write_parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path
