"""Parquet files as the Hub and its viewer want them, written whole, read a row group at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_cards.schema import Column, Config
from protocol.errors import DatasetError
from protocol.files import open_whole

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

Row = Mapping[str, Any]

HEAVY_GROUP_ROWS = 16
"""Most rows a group where there are files in it; a picture is then read with at most 15 others."""
HEAVY_GROUP_BYTES = 8 << 20
"""A group ends with the row that reaches this: what is held at a time must not hang on which
sixteen pictures come together."""
PLAIN_GROUP_ROWS = 10_000
FINGERPRINT = b"cmc.made_from"
"""Key of the footer's note of what a file was made from, by which a finished one is known again."""
# Those of the `datasets` library: chunks that Xet finds again when rows are added or removed.
CHUNKING = {"min_chunk_size": 256 * 1024, "max_chunk_size": 1024 * 1024, "norm_level": 0}


def write_rows(path: Path, config: Config, rows: Iterable[Row], fingerprint: str) -> int:
    """Write a file whole or not at all, in constant memory, and return the number of its rows.

    Raises:
        DatasetError: a row has not exactly the config's columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(config)
    count = 0
    with (
        open_whole(path) as file,
        pq.ParquetWriter(file, schema, **_options(config.columns)) as writer,
    ):
        for group in _row_groups(path, config, rows):
            table = pa.Table.from_batches(group, schema)
            writer.write_table(table, row_group_size=table.num_rows)
            count += table.num_rows
            # Before the next one is gathered.
            del group, table
        writer.add_key_value_metadata({FINGERPRINT: fingerprint.encode()})
    return count


def _row_groups(
    path: Path, config: Config, rows: Iterable[Row]
) -> "Iterator[Sequence[RecordBatch]]":
    """Yield the rows of one group after the other; a file is copied once and then let go."""
    import pyarrow as pa

    is_heavy = any(column.dtype in ("image", "binary") for column in config.columns)
    schema, source = schema_of(config), iter(rows)
    group: list[RecordBatch] = []
    held_bytes = 0
    while taken := list(islice(source, 1 if is_heavy else PLAIN_GROUP_ROWS)):
        for row in taken:
            if odd := find_odd(config, row):
                raise DatasetError(f"{path}: {', '.join(odd)} missing, empty or unknown")
        group.append(pa.RecordBatch.from_pylist(taken, schema))
        held_bytes += group[-1].nbytes
        if not is_heavy or len(group) == HEAVY_GROUP_ROWS or held_bytes >= HEAVY_GROUP_BYTES:
            yield group
            group, held_bytes = [], 0
    if group:
        yield group


def schema_of(config: Config) -> "Schema":
    """Return the Arrow schema, with the note by which `datasets` knows the features."""
    # All of it nullable: `datasets` knows an image only by a field that equals its own.
    schema: Schema = config.features.arrow_schema
    return schema


def find_odd(config: Config, row: Row) -> list[str]:
    """Return the columns that a row lacks, has too many, or must not leave empty."""
    names = {column.name for column in config.columns}
    empty = [c.name for c in config.columns if not c.optional and row.get(c.name) is None]
    return sorted({*(row.keys() - names), *empty, *(names - row.keys())})


def fingerprint_of(path: Path) -> str | None:
    """Return what a file says that it was made from; None when it is not there or not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    note: bytes = metadata.get(FINGERPRINT, b"")
    return note.decode()


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a file, a row group in memory at a time.

    Raises:
        DatasetError: the file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, columns=columns).to_pylist()
    except (OSError, pa.ArrowInvalid) as error:
        raise DatasetError(f"{path} cannot be read: {error}") from error


def read_row(path: Path, number: int, columns: Sequence[str]) -> dict[str, Any]:
    """Return one row of a file that `write_rows` wrote, reading its row group alone."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if number < rows:
                table = file.read_row_group(group, columns=list(columns))
                row: dict[str, Any] = table.slice(number, 1).to_pylist()[0]
                return row
            number -= rows
    raise DatasetError(f"{path} has no row {number} more")


def _options(columns: Sequence[Column]) -> dict[str, Any]:
    heavy = {
        "image": [f"{c.name}.bytes" for c in columns if c.dtype == "image"],
        "binary": [c.name for c in columns if c.dtype == "binary"],
    }
    packed = [*heavy["image"], *heavy["binary"]]
    leaves = [leaf for column in columns for leaf in _leaves(column)]
    light = [leaf for leaf in leaves if leaf not in packed]
    return {
        # What is compressed already gains nothing; bounds and dictionaries of such bytes neither.
        "compression": {leaf: "NONE" if leaf in packed else "ZSTD" for leaf in leaves},
        "use_dictionary": light or False,
        "write_statistics": light or False,
        "use_content_defined_chunking": CHUNKING,
        "write_page_index": True,
    }


def _leaves(column: Column) -> list[str]:
    if column.dtype == "image":
        return [f"{column.name}.bytes", f"{column.name}.path"]
    return [f"{column.name}.list.element" if column.dtype == "strings" else column.name]
