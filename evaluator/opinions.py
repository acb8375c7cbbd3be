"""Ratings from files, and mean opinion scores into files."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from protocol.errors import RatingError
from protocol.files import write_whole
from protocol.mos import Opinions
from protocol.rating_log import ratings_csv
from protocol.ratings import COLUMNS, Parsed, Refused, parse_ratings, parse_texts

SCORE_COLUMNS = (
    "image",
    "dimension",
    "mos",
    "standard_error",
    "ratings",
    "rating_mean",
    "nsfw_reports",
)


def read_ratings(path: Path) -> Parsed:
    """Return the ratings of a CSV or Parquet.

    Raises:
        RatingError: the file is missing, unreadable, empty or lacks a column.
    """
    if not path.is_file():
        raise RatingError(f"{path} is missing; wanted a CSV with the columns {', '.join(COLUMNS)}")
    if path.suffix == ".parquet":
        return parse_ratings(_parquet_rows(path))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            _check_columns(path, header)
            places = [header.index(name) for name in COLUMNS]
            # A line that ends early has empty columns, each of which is a reason.
            padding = [""] * len(header)
            return parse_texts(
                (reader.line_num, [(row + padding)[at] for at in places]) for row in reader if row
            )
    except (UnicodeDecodeError, csv.Error) as error:
        raise RatingError(f"{path} is no CSV in UTF-8 ({error})") from error


def _parquet_rows(path: Path) -> Iterator[dict[str, str | None]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise RatingError(f"{path} is no Parquet ({error})") from error
    _check_columns(path, table.column_names)
    for row in table.to_pylist():
        yield {name: None if row[name] is None else str(row[name]) for name in COLUMNS}


def _check_columns(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise RatingError(
            f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(names) or 'none'}"
        )


def write_ratings(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write ratings as CSV, or as Parquet where the file's name says so."""
    if path.suffix != ".parquet":
        write_whole(path, ratings_csv(rows))
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    ratings = {**columns, "rating": [float(text) for text in columns["rating"]]}
    file = io.BytesIO()
    pq.write_table(pa.table(ratings), file)
    write_whole(path, file.getvalue())


def write_opinions(
    path: Path, found: Sequence[Opinions], nsfw: Mapping[str, int], refused: Sequence[Refused]
) -> Path:
    """Write the scores, and the ratings that were not used beside them; return where these are."""
    scores = [
        {
            "image": score.image,
            "dimension": str(part.dimension),
            "mos": f"{score.mos:.6f}",
            "standard_error": "" if score.standard_error is None else f"{score.standard_error:.6f}",
            "ratings": str(score.ratings),
            "rating_mean": f"{score.rating_mean:.6f}",
            "nsfw_reports": str(nsfw.get(score.image, 0)),
        }
        for part in found
        for score in part.scores
    ]
    beside = path.with_suffix(".refused.csv")
    names = ("line", "viewer", "image", "dimension", "rating", "reason")
    lines = [
        {name: str(getattr(item, name)) for name in names}
        for item in sorted(refused, key=lambda item: item.line)
    ]
    # A file of an earlier run must not speak of this one.
    write_whole(beside, _csv(names, lines))
    write_whole(path, _csv(SCORE_COLUMNS, scores))
    return beside


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
