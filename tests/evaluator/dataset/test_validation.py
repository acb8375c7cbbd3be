import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import paint
from make_release import archives_of, made_captions, pack, png

from dataset_cards.cmc_bench.features import CAPTIONS, CMC_BENCH, GROUND_TRUTH, REFERENCES
from dataset_cards.cmc_bench.release import CMC_BENCH_1, RELEASES
from dataset_cards.layout import Shard
from dataset_cards.parquet import read_rows, write_rows
from dataset_cards.schema import Config
from evaluator.__main__ import main
from evaluator.dataset.folder import finish
from protocol.rules import IMAGES_PER_CONTENT, Content

NAMES = ("NSI_pgc_000.png", "NSI_pgc_001.png", "SCI_screen_000.png", "AIGI_MJ_000.png")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with references and captions, released and built."""
    folder = tmp_path_factory.mktemp("validation")
    pictures = {name: png(paint(96, 80 + 8 * i, seed=i)) for i, name in enumerate(NAMES)}
    release = pack(folder / "release", archives_of(pictures), made_captions(NAMES))
    expect = ["--expect", str(release / "expect.json")]
    assert main(["dataset", "import", str(release), "--out", str(folder / "out"), *expect]) == 0
    assert main(["dataset", "build", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole / "out", tmp_path / "out")
    shutil.copy(whole / "release" / "expect.json", tmp_path)
    return tmp_path / "out"


def validate(folder: Path, capsys: pytest.CaptureFixture[str], status: int = 1) -> str:
    expect = str(folder.parent / "expect.json")
    capsys.readouterr()
    assert main(["dataset", "validate", str(folder), "--expect", expect]) == status
    said = capsys.readouterr()
    return said.err if status else said.out


def edit(
    folder: Path, config: Config, parts: tuple[str, ...], change: Change, split: str = "NSI"
) -> None:
    """Change the first row of a file; False leaves it out."""
    path = folder / Shard(config, parts, split, 0).path
    rows = list(read_rows(path))
    if change(rows[0]) is False:
        del rows[0]
    write_rows(path, config, rows, "changed")
    finish(folder, CMC_BENCH)


def test_a_whole_folder_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = validate(folder, capsys, status=0)
    assert "whole, as of-a-test" in said
    assert "ground_truth   NSI         2 rows" in said


def test_by_default_the_whole_benchmark_is_expected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", "validate", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "ground_truth, AIGI_DALLE3_000.png: missing" in said
    assert said.rstrip().endswith("more"), "a long list is cut"


def test_the_benchmark_s_counts_are_those_of_the_paper() -> None:
    for content in Content:
        counts = CMC_BENCH_1.ground_truth.items()
        groups = [count for group, count in counts if group.startswith(content)]
        assert sum(groups) == IMAGES_PER_CONTENT[content]
    assert len(CMC_BENCH_1.expected_names) == 1_000
    assert sum(CMC_BENCH_1.distorted.values()) == 58_000
    assert CMC_BENCH_1.mos == 4_000
    assert all(name == release.name for name, release in RELEASES.items())


def test_the_names_are_those_of_the_released_captions(shared: Path) -> None:
    from evaluator.captioners.file import read_captions

    for i2t in CMC_BENCH_1.captions:
        captions = read_captions(shared / "captions" / f"{i2t}.csv")
        assert set(captions) == CMC_BENCH_1.expected_names


PIXEL = ("built", "pixel")
FAULTS: dict[str, tuple[Config, tuple[str, ...], Change, str]] = {
    "a missing picture": (
        GROUND_TRUTH,
        (),
        lambda _: False,
        "ground_truth, NSI_pgc_000.png: missing",
    ),
    "another picture than its hash says": (
        GROUND_TRUTH,
        (),
        lambda row: row["image"].update(bytes=png(paint(96, 80, seed=9))),
        "ground_truth, NSI_pgc_000.png: the picture's sha256 is not the row's",
    ),
    "a truncated picture": (
        GROUND_TRUTH,
        (),
        lambda row: row["image"].update(bytes=row["image"]["bytes"][:-30]),
        "the picture is cut short",
    ),
    "a wrong width": (
        GROUND_TRUTH,
        (),
        lambda row: row.update(width=97),
        "96x80; the row says 97x80",
    ),
    "a foreign name": (
        GROUND_TRUTH,
        (),
        lambda row: row.update(name="cat.png"),
        "'cat.png' is no benchmark name",
    ),
    "a content that is not the name's": (
        GROUND_TRUTH,
        (),
        lambda row: row.update(content="SCI"),
        "content SCI and source pgc are not the name's",
    ),
    "bits that are not the bytes'": (
        REFERENCES,
        PIXEL,
        lambda row: row.update(bits=row["bits"] + 1),
        "references, built pixel, NSI_pgc_000.png: 41 bits, and a bitstream of 40 bits",
    ),
    "no bitstream": (
        REFERENCES,
        PIXEL,
        lambda row: row.update(bitstream=None),
        "40 bits, and no bitstream",
    ),
    "a bitstream of another picture": (
        REFERENCES,
        PIXEL,
        lambda row: row.update(bitstream=bytes(b ^ 0xF0 for b in row["bitstream"])),
        "NSI_pgc_000.png: the ",
    ),
    "a rate over other pixels": (
        REFERENCES,
        ("built", "image"),
        lambda row: row.update(bits_per_pixel=row["bits_per_pixel"] / 3),
        "bits a pixel are not its bits over its pixels",
    ),
    "bits of a released reference": (
        REFERENCES,
        ("released", "image"),
        lambda row: row.update(bits=8),
        "a released reference has no bitstream",
    ),
    "a missing reference": (
        REFERENCES,
        ("released", "image"),
        lambda _: False,
        "references, released image, NSI_pgc_000.png: missing",
    ),
    "a reference of another size": (
        REFERENCES,
        ("released", "pixel"),
        lambda row: row["image"].update(bytes=png(paint(40, 40))),
        "40x40; its ground truth has 96x80",
    ),
    "an empty caption": (
        CAPTIONS,
        ("qwen",),
        lambda row: row.update(caption="  "),
        "captions, qwen, NSI_pgc_000.png: the caption is empty",
    ),
    "a missing caption": (
        CAPTIONS,
        ("gpt4v",),
        lambda _: False,
        "captions, gpt4v, NSI_pgc_000.png: missing",
    ),
    "a caption for no picture": (
        CAPTIONS,
        ("gpt4v",),
        lambda row: row.update(name="NSI_pgc_777.png"),
        "captions, gpt4v, NSI_pgc_777.png: is not one of this release's pictures",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, parts, change, said = FAULTS[fault]
    edit(folder, config, parts, change)
    assert said in validate(folder, capsys)


def test_the_same_file_under_two_names_is_a_duplicate(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / Shard(GROUND_TRUTH, (), "NSI", 0).path
    one, two = read_rows(path)
    same = {key: one[key] for key in ("image", "width", "height", "sha256")}
    write_rows(path, GROUND_TRUTH, [one, {**two, **same}], "changed")
    finish(folder, CMC_BENCH)
    said = validate(folder, capsys)
    assert "NSI_pgc_001.png: a duplicate: the same file as NSI_pgc_000.png" in said


def test_a_near_duplicate_is_named_unless_the_release_knows_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import hashlib

    def darken(row: dict[str, Any]) -> None:
        data = png(paint(96, 80, seed=0).point(lambda v: max(0, v - 3)).resize((96, 88)))
        row.update(image={"bytes": data, "path": "x"}, height=88)
        row.update(sha256=hashlib.sha256(data).hexdigest(), name="NSI_pgc_001.png")

    path = folder / Shard(GROUND_TRUTH, (), "NSI", 0).path
    one, two = read_rows(path)
    darken(two)
    write_rows(path, GROUND_TRUTH, [one, two], "changed")
    finish(folder, CMC_BENCH)
    said = validate(folder, capsys)
    assert "NSI_pgc_001.png: looks like NSI_pgc_000.png: a near-duplicate" in said
    expect = folder.parent / "expect.json"
    known = {"near_duplicates": [["NSI_pgc_000.png", "NSI_pgc_001.png"]]}
    expect.write_text(json.dumps({**json.loads(expect.read_text()), **known}))
    assert "whole" in validate(folder, capsys, status=0)


def test_form_is_checked_before_contents(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ground_truth" / "NSI-00000.parquet").rename(
        folder / "ground_truth" / "NSI-00001.parquet"
    )
    (folder / "notes.txt").write_text("x")
    card = (folder / "README.md").read_text()
    (folder / "README.md").write_text(card.replace("dtype: int32", "dtype: int64", 1))
    said = validate(folder, capsys)
    assert "notes.txt: is no part of the dataset" in said
    assert "NSI-00001.parquet: number 0 is missing before it" in said
    assert "README.md, dataset_info: does not describe the files" in said


def test_a_file_with_another_schema_or_of_another_kind_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / Shard(CAPTIONS, ("qwen",), "NSI", 0).path
    captions = list(read_rows(path))
    fewer = Config(name="captions", about="", columns=CAPTIONS.columns[:-1])
    rows = [{key: row[key] for key in row if key != "origin"} for row in captions]
    write_rows(path, fewer, rows, "x")
    finish(folder, CMC_BENCH)
    said = validate(folder, capsys)
    assert "captions/qwen/NSI-00000.parquet: the schema is not the card's in origin" in said
    path.write_bytes(b"PAR1")
    assert "cannot be read" in validate(folder, capsys)
    path.rename(path.with_name("NSI.parquet"))
    assert "is no file of captions" in validate(folder, capsys)


def test_a_description_that_cannot_be_read_is_named_and_made_anew(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "croissant.json").write_text("{")
    said = validate(folder, capsys)
    assert "croissant.json: does not describe the files; build the folder again" in said
    assert main(["dataset", "build", str(folder)]) == 0
    validate(folder, capsys, status=0)


def test_info_says_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dataset", "info", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["dataset"] == "CMC-Bench"
    assert found["configs"]["references"]["NSI"]["rows"] == 8
    assert main(["dataset", "info", str(folder.parent)]) == 1
