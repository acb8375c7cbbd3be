from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import paint
from make_release import png

from dataset_cards.cmc_bench.build import picture_row, pseudonyms
from dataset_cards.cmc_bench.features import MOS_REFERENCES
from dataset_cards.parquet import fingerprint_of, read_row, read_rows, write_rows
from protocol.errors import DatasetError


def rows(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        data = png(paint(64, 64, seed=number))
        yield {"name": f"{number}.png", **picture_row(f"{number}.png", data, 64, 64)}


def test_pictures_are_embedded_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    assert write_rows(path, MOS_REFERENCES, rows(40), "x") == 40
    assert list(read_rows(path)) == [
        {**row, "image": {"bytes": row["image"]["bytes"], "path": row["name"]}} for row in rows(40)
    ]
    assert read_row(path, 33, ["name"]) == {"name": "33.png"}
    assert fingerprint_of(path) == "x"


def test_files_are_as_the_viewer_and_xet_want_them(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_rows(path, MOS_REFERENCES, rows(40), "x")
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
        assert [group.num_rows for group in groups] == [16, 16, 8]
        picture, name = groups[0].column(0), groups[0].column(2)
        assert picture.path_in_schema == "image.bytes"
        assert picture.compression == "UNCOMPRESSED"
        assert picture.statistics is None
        assert name.statistics.min == "0.png"
        assert name.has_offset_index
        assert name.has_column_index
        assert b"huggingface" in file.schema_arrow.metadata


def test_a_row_group_of_heavy_pictures_ends_early_so_that_little_is_held(tmp_path: Path) -> None:
    def heavy() -> Iterator[dict[str, Any]]:
        for number in range(20):
            data = bytes([number]) * 3_000_000
            yield {"name": f"{number}.png", **picture_row(f"{number}.png", data, 64, 64)}

    path = tmp_path / "a.parquet"
    pool = pa.system_memory_pool()
    before_pool = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        write_rows(path, MOS_REFERENCES, heavy(), "x")
    finally:
        pa.set_memory_pool(before_pool)
    with pq.ParquetFile(path) as file:
        counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert counts == [3, 3, 3, 3, 3, 3, 2]
    assert pool.max_memory() < 2 * 3 * 3_000_000, "a group is held once, and let go"
    assert [row["name"] for row in read_rows(path)] == [f"{i}.png" for i in range(20)]


@pytest.mark.parametrize(("change", "name"), [({"width": None}, "width"), ({"more": 1}, "more")])
def test_a_row_of_another_form_is_refused_and_nothing_is_left(
    tmp_path: Path, change: dict[str, Any], name: str
) -> None:
    (row,) = rows(1)
    with pytest.raises(DatasetError, match=f": {name} missing, empty or unknown"):
        write_rows(tmp_path / "a.parquet", MOS_REFERENCES, [{**row, **change}], "x")
    assert list(tmp_path.iterdir()) == []


def test_an_error_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield from rows(20)
        raise DatasetError("broken")

    path = tmp_path / "a.parquet"
    write_rows(path, MOS_REFERENCES, rows(2), "old")
    with pytest.raises(DatasetError, match="broken"):
        write_rows(path, MOS_REFERENCES, broken(), "new")
    assert fingerprint_of(path) == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_cut_short_counts_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write_rows(path, MOS_REFERENCES, rows(20), "x")
    path.write_bytes(path.read_bytes()[:-9])
    assert fingerprint_of(path) is None
    with pytest.raises(DatasetError, match="cannot be read"):
        list(read_rows(path))


def test_pseudonyms_say_nothing_about_names() -> None:
    names = [f"person {letter}" for letter in "abcdefghijklmnopqrst"]
    one, two = pseudonyms(names, b"one"), pseudonyms(names, b"two")
    assert set(one.values()) == {f"viewer-{n:02d}" for n in range(1, 21)}
    assert one == pseudonyms(names[::-1], b"one")
    assert one != two
