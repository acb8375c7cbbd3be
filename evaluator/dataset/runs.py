"""Rows of what a run made: the folder that `cmc evaluate --out` writes, as Parquet."""

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from dataset_cards.cards import Inventory
from dataset_cards.cmc_bench.build import picture_row, sample_row
from dataset_cards.layout import cut, slug
from dataset_cards.outputs.features import OUTPUTS, RUNS
from dataset_cards.requests.build import system_text
from dataset_cards.schema import Config
from evaluator.bitstream import bits_per_pixel
from evaluator.dataset.archives import check_png
from evaluator.dataset.folder import finish, staged, write_shard
from evaluator.dataset.row_checks import made_bits
from evaluator.progress import Advance, Reporter, silent
from protocol.errors import DatasetError, PictureError
from protocol.files import sha256_of_file
from protocol.jsonable import from_json
from protocol.records import Result
from protocol.samples import Sample, parse_name

Row = dict[str, Any]
_RESULT, _TABLE = "result.json", "per_image.parquet"
_COLUMNS = ("name", "mode", "caption", "seed", "status", "width", "height", "picture_sha256")


class Run(NamedTuple):
    """A run's folder, its result, and its per-image rows by mode and content."""

    folder: Path
    result: Result
    rows: dict[str, dict[str, list[Row]]]


def build_outputs(runs: Sequence[Path], out: Path, report: Reporter = silent) -> Inventory:
    """Make the dataset of runs' files and pictures.

    Raises:
        DatasetError: a run's folder is not whole.
    """
    with staged(out) as staging:
        add_runs(staging, runs, RUNS, report=report)
        return finish(staging, OUTPUTS)


def add_runs(
    folder: Path,
    runs: Sequence[Path],
    config: Config,
    pictures: str = "",
    report: Reporter = silent,
) -> None:
    """Write runs' pictures into a dataset folder, a folder a mode.

    Args:
        folder: the dataset's.
        runs: folders of `cmc evaluate --out`.
        config: `distorted` or `outputs`.
        pictures: the fingerprint of the dataset's ground truth; empty where it has none.
        report: is told how many pictures were written.

    Raises:
        DatasetError: a run's folder is not whole, or it is about other pictures; the latter is
            found before anything is written.
    """
    total = 0
    for run in runs:
        result = _result(run)
        request = result.request
        if pictures and request.dataset_sha256 != pictures:
            raise DatasetError(
                f"{run} is about other pictures than {folder}: {request.dataset} with the "
                f"fingerprint {request.dataset_sha256[:8]}, wanted {pictures[:8]}; evaluate the "
                "dataset folder"
            )
        total += result.images * len(request.modes)
    with report("runs", total) as advance:
        for run in runs:
            _add_run(folder, read_run(run), config, advance)


def _add_run(folder: Path, opened: Run, config: Config, advance: Advance) -> None:
    request = opened.result.request
    for mode, by_content in opened.rows.items():
        parts: tuple[str, ...] = (request.request_id, mode)
        if config is not RUNS:
            # Two runs of one system differ in partner, settings or protocol: neither replaces the
            # other.
            run_name = slug(f"{request.label}-{request.request_id[:8]}")
            parts = (str(request.role), run_name, mode)
        for shard, rows in cut(config, parts, by_content):
            marks = [request.request_id, *map(repr, rows)]
            write_shard(folder, shard, _rows(opened, mode, rows), marks)
            advance(len(rows))


def read_run(folder: Path) -> Run:
    """Return a run.

    Raises:
        DatasetError: its result or its per-image table is missing, or they do not belong together.
    """
    import pyarrow.parquet as pq

    result, table_path = _result(folder), folder / _TABLE
    if sha256_of_file(table_path) != result.per_image_sha256:
        raise DatasetError(f"{table_path} is not the table that {folder / _RESULT} was made from")
    table = pq.read_table(io.BytesIO(table_path.read_bytes()), columns=list(_COLUMNS))
    rows: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    seen = set()
    # A row an indicator: one of each picture and mode is enough.
    for row in sorted(table.to_pylist(), key=lambda row: str(row["name"])):
        key = row["mode"], row["name"]
        if key not in seen:
            seen.add(key)
            rows[row["mode"]][parse_name(row["name"]).content].append(row)
    return Run(folder, result, rows)


def _result(folder: Path) -> Result:
    """Return a run's result, if its table is beside it."""
    for name in (_RESULT, _TABLE):
        if not (folder / name).is_file():
            raise DatasetError(
                f"{folder / name} is missing; wanted a folder of `cmc evaluate --out`"
            )
    return from_json(Result, (folder / _RESULT).read_bytes())


def _rows(run: Run, mode: str, rows: Sequence[Row]) -> Iterator[Row]:
    request = run.result.request
    for row in rows:
        sample = parse_name(row["name"])
        stem = Path(sample.name).stem
        path = run.folder / "files" / mode / f"{stem}.cmc"
        if not path.is_file():
            raise DatasetError(f"{path} is missing; the run's folder is not whole")
        file = path.read_bytes()
        yield {
            "role": str(request.role),
            "i2t": system_text(request.i2t),
            "t2i": system_text(request.t2i),
            "codec": system_text(request.codec),
            "mode": mode,
            **sample_row(sample),
            **_picture(run, sample, mode, row),
            "caption": row["caption"],
            **made_bits(file),
            "bits_per_pixel": bits_per_pixel(len(file), row["width"], row["height"]),
            "file": file,
            "status": "decoded" if row["picture_sha256"] else row["status"],
            "seed": row["seed"],
            "protocol": request.protocol,
            "request_id": request.request_id,
        }


def _picture(run: Run, sample: Sample, mode: str, row: Row) -> Row:
    size = {"width": row["width"], "height": row["height"]}
    if not row["picture_sha256"]:
        return {"image": None, **size, "sha256": ""}
    path = run.folder / "pictures" / mode / sample.name
    try:
        png = check_png(path.read_bytes(), str(path))
    except (FileNotFoundError, PictureError) as error:
        raise DatasetError(f"{path} is no whole picture: {error}") from error
    made = picture_row(sample.name, *png)
    if made["sha256"] != row["picture_sha256"]:
        raise DatasetError(f"{path} is not the picture that was scored")
    return made
