"""A table that says it is small is read where it can take no more than it may."""

import io
import pickle
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluator import reported_rows
from evaluator.reported_rows import NUMBERS, TEXTS, WHOLE, read_table
from evaluator.reported_table import read_apart
from protocol.errors import RecordError
from protocol.rules import MAX_CAPTION_BYTES


def table_of(
    captions: Any,
    *,
    use_dictionary: bool = False,
    twice: str = "",
    without: Sequence[str] = (),
) -> bytes:
    """Return a table of the right form; nothing in it makes sense."""
    many = len(captions)
    columns = {name: pa.array([name] * many) for name in TEXTS}
    columns |= {name: pa.array([7] * many, pa.int64()) for name in WHOLE}
    columns |= {name: pa.array([0.1 + 0.2] * many) for name in NUMBERS}
    file = io.BytesIO()
    columns["caption"] = pa.array(captions)
    table = pa.table(columns).drop_columns(list(without))
    if twice:
        table = table.append_column(twice, table[twice])
    pq.write_table(table, file, compression="zstd", use_dictionary=use_dictionary)
    return file.getvalue()


def varint(number: int) -> bytes:
    """Return a whole number as Thrift's compact protocol writes it."""
    number, found = 2 * number, bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def say_small(content: bytes) -> bytes:
    """Return a file whose footer says that everything unpacks to one byte."""
    metadata = pq.ParquetFile(io.BytesIO(content)).metadata
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    footer = content[start:-8]
    for at in range(metadata.num_row_groups):
        group = metadata.row_group(at)
        column = group.column(list(TEXTS).index("caption"))
        for size in {group.total_byte_size, column.total_uncompressed_size}:
            told = varint(size)
            # One, in as many bytes as the true number takes.
            footer = footer.replace(told, bytes([0x82, *[0x80] * (len(told) - 2), 0]))
    return content[:start] + footer + content[-8:]


def test_an_honest_table_comes_back_row_by_row_as_it_is() -> None:
    content = table_of(["a house", "ein Haus ß \U0001f3e0"])
    assert read_apart(content) == read_table(content)
    for kind in (pa.null(), pa.string()):
        (row,) = read_table(table_of(pa.array([None], kind)))
        assert (row["caption"], row["score"]) == (None, 0.1 + 0.2)


def test_what_the_reader_refuses_is_refused_in_its_words() -> None:
    with pytest.raises(RecordError, match="are no Parquet file"):
        read_apart(b"PAR1 and nothing else PAR1")


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", pickle.dumps([1]), b"PAR1" + b"x" * 99 + b"PAR1"]
)
def test_what_is_no_parquet_is_refused(content: bytes) -> None:
    with pytest.raises(RecordError, match="no Parquet file"):
        read_table(content)


def test_a_column_that_comes_twice_or_never_or_holds_no_texts_is_refused() -> None:
    with pytest.raises(RecordError, match="missing or foreign: one twice"):
        read_table(table_of(["a house"], twice="seed"))
    with pytest.raises(RecordError, match="missing or foreign: caption, picture_sha256, status"):
        read_table(table_of(["a house"], without=("caption", "picture_sha256", "status")))
    with pytest.raises(RecordError, match="missing or foreign: seed"):
        read_table(table_of(["a house"], twice="width", without=["seed"]))
    for captions, kind in (([b"a house"], "dictionary<values=binary"), ([["a house"]], "list<")):
        with pytest.raises(RecordError, match=f"column caption is {kind}"):
            read_table(table_of(captions))


def test_a_table_is_read_up_to_its_bounds_and_refused_past_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reported_rows, "MOST_ROWS", 2)
    longest = "x" * MAX_CAPTION_BYTES
    packed = table_of([longest] * 2, use_dictionary=True)
    texts = 2 * len("".join(TEXTS).replace("caption", longest))
    monkeypatch.setattr(reported_rows, "MOST_BYTES", texts)
    assert [row["caption"] for row in read_table(packed)] == [longest] * 2
    with pytest.raises(RecordError, match="3 per-image scores, wanted 2 at most"):
        read_table(table_of(["a house"] * 3))
    with pytest.raises(RecordError, match=f"a caption has over {MAX_CAPTION_BYTES} bytes"):
        read_table(table_of([longest + "x"]))
    monkeypatch.setattr(reported_rows, "MOST_BYTES", texts - 1)
    with pytest.raises(RecordError, match=f"texts have more than {texts - 1:,} bytes"):
        read_table(packed)
    with pytest.raises(RecordError, match=f"unpack to more than {texts - 1:,} bytes"):
        read_table(table_of([longest] * 2))


def test_a_table_that_lies_about_its_size_ends_its_reader_and_nothing_else() -> None:
    honest = table_of([f"{'a' * 12_000}{number}" for number in range(50_000)])
    assert len(honest) < 2_000_000
    with pytest.raises(RecordError, match="unpack to more than"):
        read_apart(honest)
    lying = say_small(honest)
    assert pq.ParquetFile(io.BytesIO(lying)).metadata.row_group(0).total_byte_size == 1
    bound = 3 << 29
    with pytest.raises(RecordError, match=re.escape(f"could not be read in {bound:,} bytes")):
        read_apart(lying, bound)
