"""The per-image table that somebody else made: closed columns, bounded, each row one that may be.

A Parquet file is data: nothing in it is run. What it says of its size is checked before it is
unpacked; that it may lie is why `reported_table` reads it in a process of its own.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from evaluator.recompute import Row
from protocol.errors import PictureError, RecordError
from protocol.records import Request
from protocol.rules import MAX_CAPTION_BYTES, MAX_PIXELS, MAX_SIDE
from protocol.samples import parse_name
from protocol.versions import find_protocol

if TYPE_CHECKING:
    import pyarrow as pa

TEXTS = (
    *("name", "content", "source", "mode", "dimension", "indicator", "status"),
    *("picture_sha256", "caption"),
)
WHOLE = (
    *("width", "height", "working_width", "working_height"),
    *("file_bytes", "text_bytes", "pixels_bytes", "image_bytes"),
    *("caption_characters", "caption_tokens", "seed"),
)
NUMBERS = (
    *("score", "start_sigma", "asked_sigma", "bits_per_pixel"),
    *("encode_seconds", "decode_seconds"),
)
MAY_BE_EMPTY = frozenset(
    {
        *("score", "start_sigma", "asked_sigma", "caption", "caption_characters"),
        *("caption_tokens", "working_width", "working_height"),
    }
)
OF_FILE = (
    *("width", "height", "file_bytes", "text_bytes", "pixels_bytes", "image_bytes", "caption"),
    *("picture_sha256", "seed", "encode_seconds", "decode_seconds"),
)
"""What the rows of one picture and mode have in common."""
MOST_ROWS = 200_000
MOST_BYTES = 1 << 28
"""Of all columns when they are unpacked, and of all texts when each is written out."""
LONGEST_STATUS = 64
LARGEST_NUMBER = 10**15
"""More than any count, time or score of a run; a table holds it, and so does a sum of many."""


def read_table(content: bytes) -> list[Row]:
    """Return the rows of a Parquet file.

    Raises:
        RecordError: it is none, has other columns or types, or is too large when unpacked.
        MemoryError: it takes more than there is.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        paths = [column.path for column in pq.read_metadata(pa.BufferReader(content)).schema]
        texts = [path for path in paths if path in TEXTS]
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
        _check_form(file.metadata, file.schema_arrow)
        table = file.read(use_threads=False)
        _check_texts(table)
        rows: list[Row] = table.to_pylist()
    except pa.ArrowMemoryError as error:
        raise MemoryError(str(error)) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise RecordError(f"the per-image scores are no Parquet file ({error})") from error
    return rows


def write_table(rows: Sequence[Row]) -> bytes:
    """Return rows as the Parquet file that is stored."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {**dict.fromkeys(TEXTS, pa.string()), **dict.fromkeys(WHOLE, pa.int64())}
    types |= dict.fromkeys(NUMBERS, pa.float64())
    # In the order of the rows, which is that of the evaluator's own tables.
    schema = pa.schema([(name, types[name]) for name in rows[0]])
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), file)
    return file.getvalue()


def check_rows(rows: Sequence[Row], request: Request) -> None:
    """Refuse rows that no run of a request can have.

    Raises:
        RecordError: with the first of them, what it holds and what was wanted.
    """
    indicators = find_protocol(request.protocol).indicators
    files: dict[tuple[str, str], Row] = {}
    seen = set()
    for number, row in enumerate(rows, start=1):
        wrong = _wrong_with(row, request, indicators)
        key = (row["name"], row["mode"], row["dimension"])
        first = files.setdefault(key[:2], row)
        if not wrong and key in seen:
            wrong = f"{' '.join(key)} comes twice"
        if not wrong and any(row[column] != first[column] for column in OF_FILE):
            wrong = f"{row['name']} in {row['mode']} mode has two files"
        if wrong:
            raise RecordError(f"per-image scores, row {number}: {wrong}")
        seen.add(key)
    names = {name for name, _, _ in seen}
    wanted = set(product(names, map(str, request.modes), map(str, indicators)))
    if not names or seen != wanted:
        raise RecordError(
            f"per-image scores: {len(seen)} scores of {len(names)} pictures, wanted "
            f"{len(wanted)}: one a picture, mode ({', '.join(request.modes)}) and indicator"
        )


def _check_form(metadata: Any, schema: "pa.Schema") -> None:
    wanted = {*TEXTS, *WHOLE, *NUMBERS}
    if set(schema.names) != wanted or len(schema.names) != len(wanted):
        foreign = ", ".join(sorted(set(schema.names) ^ wanted)[:5]) or "one twice"
        raise RecordError(f"per-image scores: columns missing or foreign: {foreign[:200]}")
    if metadata.num_rows > MOST_ROWS:
        raise RecordError(f"{metadata.num_rows:,} per-image scores, wanted {MOST_ROWS:,} at most")
    groups = (metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    if sum(groups) > MOST_BYTES:
        raise RecordError(f"the per-image scores unpack to more than {MOST_BYTES:,} bytes")
    for field in schema:
        if not _is_of(field.name, field.type):
            raise RecordError(f"per-image scores: column {field.name} is {str(field.type)[:60]}")


def _is_of(name: str, kind: Any) -> bool:
    from pyarrow import types

    if types.is_null(kind):
        return name in MAY_BE_EMPTY
    if name in TEXTS:
        # Read so, whatever the file's form: each text once, which `_check_texts` measures.
        return bool(types.is_dictionary(kind) and types.is_string(kind.value_type))
    if name in WHOLE:
        return bool(types.is_signed_integer(kind))
    return bool(types.is_float64(kind))


def _check_texts(table: "pa.Table") -> None:
    """Refuse texts that are long, or that are short in the file and long when written out."""
    import pyarrow.compute as pc
    from pyarrow import types

    total = 0
    for name in TEXTS:
        for chunk in table.column(name).chunks:
            if not types.is_dictionary(chunk.type):
                continue
            lengths = pc.binary_length(chunk.dictionary)
            if (pc.max(lengths).as_py() or 0) > MAX_CAPTION_BYTES:
                raise RecordError(f"per-image scores: a {name} has over {MAX_CAPTION_BYTES} bytes")
            total += pc.sum(lengths.take(chunk.indices)).as_py() or 0
    if total > MOST_BYTES:
        raise RecordError(f"the per-image scores' texts have more than {MOST_BYTES:,} bytes")


def _wrong_with(row: Row, request: Request, indicators: Mapping[Any, str]) -> str:
    """Return what is wrong with one row, empty where nothing is."""
    empty = [name for name, value in row.items() if value is None and name not in MAY_BE_EMPTY]
    if empty:
        return f"{empty[0]} is empty"
    # A start from pure noise may be infinitely far.
    sigmas = ("start_sigma", "asked_sigma")
    numbers = {name: row[name] for name in (*WHOLE, *NUMBERS) if row[name] is not None}
    for name, value in numbers.items():
        if math.isnan(value) or (math.isinf(value) and name not in sigmas):
            return f"{name} is {value}"
        if value < 0 and name != "score":
            return f"{name} is {value}, wanted 0 or more"
        if LARGEST_NUMBER < abs(value) < math.inf and name != "seed":
            return f"{name} is {value}, wanted {LARGEST_NUMBER:.0e} at most"
    return _wrong_names(row, request, indicators) or _wrong_file(row)


def _wrong_names(row: Row, request: Request, indicators: Mapping[Any, str]) -> str:
    try:
        sample = parse_name(row["name"])
    except PictureError as error:
        return str(error)[:300]
    wrong = ""
    if (row["content"], row["source"]) != (str(sample.content), sample.source):
        wrong = f"{sample.name} is not {row['content'][:40]} {row['source'][:40]}"
    elif row["mode"] not in list(request.modes):
        wrong = f"mode {row['mode'][:40]!r} was not asked for"
    elif indicators.get(row["dimension"]) != row["indicator"]:
        named = f"{row['dimension'][:20]} by {row['indicator'][:40]}"
        wrong = f"{named} is no indicator of {request.protocol}"
    elif (row["score"] is None) is (row["status"] == "scored"):
        wrong = f"score {row['score']} with status {row['status'][:40]!r}"
    elif not re.fullmatch(rf"[A-Za-z_]{{1,{LONGEST_STATUS}}}", row["status"]):
        wrong = f"status {row['status'][:40]!r}"
    elif not re.fullmatch("([0-9a-f]{64})?", row["picture_sha256"]):
        wrong = "picture_sha256 is no sha256"
    return wrong


def _wrong_file(row: Row) -> str:
    width, height = row["width"], row["height"]
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        return f"a picture of {width}x{height}"
    parts = row["text_bytes"] + row["pixels_bytes"] + row["image_bytes"]
    if not parts < row["file_bytes"] <= MAX_PIXELS:
        return f"a file of {row['file_bytes']} bytes with parts of {parts}"
    rate = 8 * row["file_bytes"] / (width * height)
    if not math.isclose(row["bits_per_pixel"], rate, rel_tol=1e-9):
        return f"{row['bits_per_pixel']} bits per pixel, recomputed {rate}"
    return ""
