"""Tables as CSV and as Parquet; a board is one line a row, one bench below the other."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from space.table import Board, cells

SHARED = ("bench", "track", "content")
"""The columns that a board has even where it has no row."""


def board_lines(board: Board) -> list[dict[str, Any]]:
    """Return the rows of all benches as plain dictionaries with the same keys."""
    keys: dict[str, None] = dict.fromkeys(SHARED)
    lines: list[dict[str, Any]] = []
    for table in board.tables:
        columns = cells(table)
        keys |= dict.fromkeys(columns)
        shared = {"bench": table.key, "track": str(board.track), "content": board.content}
        lines += [
            {**shared, **dict(zip(columns, values, strict=True))}
            for values in zip(*columns.values(), strict=True)
        ]
    return [{key: line.get(key) for key in keys} for line in lines]


def to_csv(board: Board) -> bytes:
    """Return a board as `lines_to_csv` does."""
    return lines_to_csv(board_lines(board), SHARED)


def to_parquet(board: Board) -> bytes:
    """Return a board as `lines_to_parquet` does."""
    return lines_to_parquet(board_lines(board))


def lines_to_csv(lines: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> bytes:
    """Return CSV in UTF-8; a text that a spreadsheet would run as a formula gets a quote first.

    Args:
        lines: by column.
        columns: those that are there even where no line is.
    """
    file = io.StringIO()
    keys = list(dict.fromkeys([*columns, *(key for line in lines for key in line)]))
    writer = csv.writer(file)
    if keys:
        writer.writerow(keys)
    writer.writerows([_harmless(line.get(key)) for key in keys] for line in lines)
    return file.getvalue().encode()


def lines_to_parquet(lines: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a Parquet file; a column without any value is a column of nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = dict.fromkeys(key for line in lines for key in line)
    file = io.BytesIO()
    pq.write_table(pa.table({key: [line.get(key) for line in lines] for key in keys}), file)
    return file.getvalue()


def _harmless(value: Any) -> Any:
    # A name is a stranger's text, and "=..." in a cell is a program to Excel and its kin.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
