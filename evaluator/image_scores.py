"""From the per-image Parquet of results to what the statistics take."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

from protocol.boards import Bench, bench_of
from protocol.errors import InputError, RecordError, StatisticsError
from protocol.families import of_own_family
from protocol.files import sha256_of_file
from protocol.records import Result
from protocol.rules import TRACKS, Dimension, Mode, Track
from protocol.samples import parse_name
from protocol.scores import Cell
from protocol.statistics.boards import ImageScores
from protocol.versions import find_protocol
from submission.store import Store

COLUMNS = ("name", "mode", "dimension", "indicator", "score", "seed")


@dataclass(frozen=True, slots=True)
class Measured:
    """A result with its scores on single images."""

    result: Result
    images: ImageScores

    @property
    def bench(self) -> Bench:
        """The table that it belongs to."""
        return bench_of(self.result)


def read_measured(store: Store, tracks: Collection[Track] | None = None) -> list[Measured]:
    """Return the results of a store, or those on some tracks' boards, with their image scores.

    Raises:
        RecordError: a per-image file is missing, damaged, or not the one that its result names.
    """
    return [
        Measured(result, image_scores(result, store.per_image_path(result.request.request_id)))
        for result in store.results()
        if tracks is None or any(stands_on(result, track) for track in tracks)
    ]


def stands_on(result: Result, track: Track) -> bool:
    """Say whether a result has a row on a track's board."""
    rule = TRACKS[track]
    return result.request.role is rule.role and bool(set(rule.modes) & set(result.request.modes))


def image_scores(result: Result, path: Path) -> ImageScores:
    """Return a result's ranking scores on single images.

    Raises:
        RecordError: the file is missing, damaged, or not the one that the result names.
    """
    if not path.is_file():
        raise RecordError(f"{path} is missing; statistics need the scores of single images")
    found = sha256_of_file(path)
    if found != result.per_image_sha256:
        raise RecordError(
            f"{path} has sha256 {found[:12]}…, its result names {result.per_image_sha256[:12]}…; "
            "run the request again"
        )
    request = result.request
    scores = ranking_scores(read_rows(path), ranking_indicators(result), path)
    names = sorted({name for images in scores.values() for name in images})
    return ImageScores(
        request_id=request.request_id,
        model=request.label,
        partner=request.partner,
        per_image_sha256=result.per_image_sha256,
        scores=scores,
        own_family=of_own_family(request.t2i, map(parse_name, names)),
    )


def ranking_indicators(result: Result) -> dict[Dimension, str]:
    """Return the indicators that a result is ranked by."""
    try:
        return dict(find_protocol(result.request.protocol).indicators)
    except InputError:
        # A protocol of a newer version of this package; the result says what it used.
        return {use.dimension: use.name for use in result.provenance.indicators}


def read_rows(path: Path, columns: Sequence[str] = COLUMNS) -> list[dict[str, Any]]:
    """Return the rows of a per-image Parquet with the columns that are wanted.

    Raises:
        RecordError: the file is no Parquet or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows: list[dict[str, Any]] = pq.read_table(path, columns=list(columns)).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path} cannot be read as per-image scores ({error})") from error
    missing = set(columns) - set(rows[0]) if rows else set()
    if missing:
        raise RecordError(f"{path} lacks the columns {', '.join(sorted(missing))}")
    return rows


def ranking_scores(
    rows: Iterable[dict[str, Any]], indicators: dict[Dimension, str], path: Path
) -> dict[Cell, dict[str, float | None]]:
    """Return the ranking indicators' scores by cell and image.

    Raises:
        RecordError: an image has two scores in one cell.
    """
    scores: dict[Cell, dict[str, float | None]] = {}
    cells: dict[tuple[str, str, str], dict[str, float | None] | None] = {}
    for row in rows:
        mode, dimension, indicator = key = row["mode"], row["dimension"], row["indicator"]
        if key not in cells:
            is_wanted = indicator == indicators.get(Dimension(dimension))
            cell = (Mode(mode), Dimension(dimension))
            cells[key] = scores.setdefault(cell, {}) if is_wanted else None
        images = cells[key]
        if images is None:
            continue
        # A board's systems have the same thousand names, in every cell.
        name = intern(row["name"])
        if name in images:
            raise RecordError(f"{path}: {name} has two {indicator} scores in {mode} mode")
        images[name] = row["score"]
    return scores


def by_bench(measured: Iterable[Measured]) -> dict[Bench, list[Measured]]:
    """Return the results that may be compared with each other, table by table."""
    groups: dict[Bench, list[Measured]] = {}
    for item in measured:
        groups.setdefault(item.bench, []).append(item)
    return {bench: groups[bench] for bench in sorted(groups)}


def one_bench(measured: Sequence[Measured]) -> list[Measured]:
    """Return the results of the table with most rows; refuse none.

    Raises:
        StatisticsError: there is no result.
    """
    if not measured:
        raise StatisticsError("no result stands on this board; see `cmc queue`")
    return max(by_bench(measured).values(), key=len)
