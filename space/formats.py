"""A board as CSV and as Parquet: one line a row, all columns, one bench below the other."""

import csv
import io
from typing import Any

from space.table import Board, cells


def board_lines(board: Board) -> list[dict[str, Any]]:
    """Return the rows of all benches as plain dictionaries with the same keys."""
    keys: dict[str, None] = dict.fromkeys(["bench", "track", "content"])
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
    """Return CSV in UTF-8; a text that a spreadsheet would run as a formula gets a quote first."""
    lines = board_lines(board)
    file = io.StringIO()
    writer = csv.writer(file)
    if lines:
        writer.writerow(lines[0])
    writer.writerows([_harmless(value) for value in line.values()] for line in lines)
    return file.getvalue().encode()


def to_parquet(board: Board) -> bytes:
    """Return a Parquet file; a column without any value is a column of nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(board_lines(board)), file)
    return file.getvalue()


def _harmless(value: Any) -> Any:
    # A name is a stranger's text, and "=..." in a cell is a program to Excel and its kin.
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" and value else value
