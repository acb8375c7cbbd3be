import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, paint
from make_release import Archives, archives_of, made_captions, pack, png

from dataset_cards.cards import dataset_of
from dataset_cards.layout import list_shards
from dataset_cards.parquet import read_rows
from evaluator.__main__ import main

NAMES = ("NSI_pgc_000.png", "NSI_pgc_001.png", "SCI_screen_000.png", "AIGI_MJ_000.png")


@pytest.fixture
def archives() -> Archives:
    pictures = {name: png(paint(96 + 8 * i, 80 + 8 * i, seed=i)) for i, name in enumerate(NAMES)}
    return archives_of(pictures)


def import_it(release: Path, out: Path) -> int:
    expect = ["--expect", str(release / "expect.json")]
    return main(["dataset", "import", str(release), "--out", str(out), *expect])


def refuse(release: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Import, see that it fails and that nothing but the release is there; return what was said."""
    out, parent = release.parent / "out", release.parent
    outside = {path for path in parent.rglob("*") if release not in path.parents}
    assert import_it(release, out) == 1
    new = {path for path in parent.rglob("*") if release not in path.parents} - outside
    partial = parent / "out.partial"
    assert all(path == partial or partial in path.parents for path in new)
    assert not any(".parquet." in path.name for path in new), "half-written"
    return capsys.readouterr().err


def test_a_release_becomes_a_dataset_with_the_original_files(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    out = tmp_path / "out"
    assert import_it(release, out) == 0
    assert "of-a-test: whole" in capsys.readouterr().out
    for config in ("ground_truth", "references"):
        for shard in list_shards(out, dataset_of(out).config(config)):
            kind = {"image": "reference-image.zip", "pixel": "reference-pix.zip"}
            archive = kind[shard.parts[1]] if shard.parts else "ground-truth.zip"
            for row in read_rows(out / shard.path):
                assert row["image"]["bytes"] == archives[archive][row["name"]]
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.md", "captions", "croissant.json", "ground_truth", "references")
    ]


@pytest.mark.parametrize("path", ["../NSI_pgc_009.png", "/NSI_pgc_009.png", "a\\..\\b.png"])
def test_a_path_that_climbs_out_is_named_and_nothing_is_written(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    archives["ground-truth.zip"][path] = b"x"
    release = pack(
        tmp_path / "deep" / "release",
        archives,
        made_captions(NAMES),
        ground_truth={"NSI_pgc": 2, "SCI_screen": 1, "AIGI_MJ": 1},
    )
    said = refuse(release, capsys)
    assert f"{path!r}: the path leads out of the archive" in said
    assert not (release.parent / "out.partial").exists()


def test_a_zip_bomb_is_named_and_not_unpacked(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    with zipfile.ZipFile(
        release / "reference-pix.zip", "a", zipfile.ZIP_DEFLATED, compresslevel=9
    ) as bomb:
        bomb.writestr("NSI_pgc_002.png", bytes(30 << 20))
        bomb.writestr("NSI_pgc_003.png", bytes(40 << 20))
    said = refuse(release, capsys)
    assert "'NSI_pgc_002.png': 30,5" in said
    assert "claim to be 31,457,280" in said
    assert "'NSI_pgc_003.png': 41,943,040 bytes; at most 33,554,432 are read" in said


def test_a_size_that_the_directory_lies_about_is_named(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    path = release / "ground-truth.zip"
    data = bytearray(path.read_bytes())
    # The central directory's entry of the first picture: uncompressed size at offset 24.
    entry = data.index(b"PK\x01\x02")
    (size,) = struct.unpack_from("<I", data, entry + 24)
    struct.pack_into("<I", data, entry + 24, size - 100)
    path.write_bytes(bytes(data))
    assert "ground-truth.zip, NSI_pgc_000.png: damaged in the archive" in refuse(release, capsys)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_byte_in_a_compressed_picture_is_named(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str], method: int
) -> None:
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    path = release / "ground-truth.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in archives["ground-truth.zip"].items():
            archive.writestr(name, data)
    damaged = bytearray(path.read_bytes())
    begin = damaged.index(NAMES[0].encode()) + len(NAMES[0])
    damaged[begin : begin + 40] = b"\xff" * 40
    path.write_bytes(bytes(damaged))
    assert f"ground-truth.zip, {NAMES[0]}: damaged in the archive" in refuse(release, capsys)


def test_a_picture_of_more_pixels_than_there_may_be_is_not_decoded(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    """A few bytes that claim 60,000 x 60,000 pixels."""
    data = bytearray(archives["ground-truth.zip"][NAMES[0]])
    struct.pack_into(">II", data, 16, 60_000, 60_000)
    archives["ground-truth.zip"][NAMES[0]] = bytes(data)
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    assert "ground-truth.zip, NSI_pgc_000.png: " in refuse(release, capsys)


@pytest.mark.parametrize("kept", [60, -4, -12, 0.5])
def test_a_truncated_picture_is_named_with_all_others(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str], kept: float
) -> None:
    for archive, name in (("ground-truth.zip", NAMES[0]), ("reference-image.zip", NAMES[3])):
        data = archives[archive][name]
        archives[archive][name] = data[: int(len(data) * kept) if kept == 0.5 else int(kept)]
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    said = refuse(release, capsys)
    assert f"ground-truth.zip, {NAMES[0]}: {NAMES[0]} is " in said
    assert f"reference-image.zip, {NAMES[3]}: {NAMES[3]} is " in said
    assert "2 faults" in said


def test_a_reference_of_another_size_and_a_ground_truth_too_small_are_named(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    archives["reference-pix.zip"][NAMES[1]] = png(paint(90, 88))
    archives["ground-truth.zip"][NAMES[2]] = png(paint(63, 96))
    archives["reference-image.zip"][NAMES[2]] = png(paint(63, 96))
    archives["reference-pix.zip"][NAMES[2]] = png(paint(63, 96))
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    said = refuse(release, capsys)
    assert f"reference-pix.zip, {NAMES[1]}: 90x88; its ground truth has 104x88" in said
    assert f"ground-truth.zip, {NAMES[2]}: 63x96; sides go from 64 to 1024" in said
    assert "2 faults" in said


def test_duplicates_by_name_and_by_content_are_named(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    archives["ground-truth.zip"][f"again/{NAMES[0]}"] = b"x"
    release = pack(
        tmp_path / "one",
        archives,
        made_captions(NAMES),
        ground_truth={"NSI_pgc": 2, "SCI_screen": 1, "AIGI_MJ": 1},
    )
    assert f"'again/{NAMES[0]}': a duplicate: the name comes twice" in refuse(release, capsys)
    del archives["ground-truth.zip"][f"again/{NAMES[0]}"]
    for archive in archives.values():
        archive[NAMES[1]] = archive[NAMES[0]]
    release = pack(tmp_path / "two", archives, made_captions(NAMES))
    said = refuse(release, capsys)
    assert f"{NAMES[1]}: a duplicate: the same file as {NAMES[0]}" in said


def test_what_is_missing_and_what_nobody_asked_for_is_named(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    del archives["reference-image.zip"][NAMES[0]]
    archives["reference-pix.zip"]["NSI_pgc_007.png"] = b"x"
    archives["reference-pix.zip"]["readme.txt"] = b"x"
    captions = made_captions([*NAMES[1:], "NSI_pgc_008.png"])
    captions["gpt4v"][0]["text"] = " "
    release = pack(tmp_path / "release", archives, captions)
    said = refuse(release, capsys)
    for fault in (
        f"reference-image.zip, {NAMES[0]}: missing",
        "reference-pix.zip, NSI_pgc_007.png: is not one of this release's pictures",
        "reference-pix.zip, 'readme.txt': no .png",
        f"gpt4v.csv, {NAMES[0]}: the picture has no caption",
        "qwen.csv, NSI_pgc_008.png: a caption for no picture",
        f"gpt4v.csv, {NAMES[1]}: the caption is empty",
    ):
        assert fault in said


def test_missing_files_are_named_and_the_full_benchmark_is_expected_by_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    arguments = ["dataset", "import", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    for name in ("ground-truth.zip", "reference-image.zip", "reference-pix.zip"):
        assert f"{name}: the archive is missing" in said
        assert f"{name}: has none of 1,000 pictures" in said
    for name in ("gpt4v.csv", "qwen.csv"):
        assert f"{name}: has no caption for any of 1,000 pictures" in said
    assert "10 faults" in said, "and not one for each picture"
    assert not (tmp_path / "out").exists()


def test_junk_of_archivers_and_folders_play_no_part(tmp_path: Path, archives: Archives) -> None:
    for name, files in archives.items():
        moved = {f"GT/{path}": data for path, data in files.items()}
        archives[name] = {**moved, "GT/.DS_Store": b"x", f"__MACOSX/GT/._{NAMES[0]}": b"x"}
    counts = {"NSI_pgc": 2, "SCI_screen": 1, "AIGI_MJ": 1}
    release = pack(tmp_path / "release", archives, made_captions(NAMES), ground_truth=counts)
    assert import_it(release, tmp_path / "out") == 0


def test_an_import_goes_on_where_a_fault_stopped_it(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = archives["reference-image.zip"][NAMES[3]]
    archives["reference-image.zip"][NAMES[3]] = whole[:-20]
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    refuse(release, capsys)
    kept = tmp_path / "out.partial" / "ground_truth" / "NSI-00000.parquet"
    written = kept.stat().st_mtime_ns
    archives["reference-image.zip"][NAMES[3]] = whole
    shutil.rmtree(release)
    assert import_it(pack(release, archives, made_captions(NAMES)), tmp_path / "out") == 0
    assert (tmp_path / "out/ground_truth/NSI-00000.parquet").stat().st_mtime_ns == written


def test_an_import_survives_being_killed(tmp_path: Path) -> None:
    """Killed while it writes: no half-written shard counts, and done ones are not made again."""
    pictures = {
        f"{group}_{i:03d}.png": png(paint(128, 128, seed=100 * n + i))
        for n, group in enumerate(("NSI_pgc", "SCI_game", "AIGI_SD"))
        for i in range(20)
    }
    release = pack(tmp_path / "release", archives_of(pictures), made_captions(pictures))
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    command = [sys.executable, "-m", "evaluator", "dataset", "import", str(release)]
    command += ["--out", str(out), "--expect", str(release / "expect.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while len(list(partial.rglob("*-00000.parquet"))) < 4 and killed.poll() is None:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL, "it ended before it could be killed"
    assert not out.exists()
    done = {path: path.stat().st_mtime_ns for path in partial.rglob("*-00000.parquet")}
    half = partial / "references" / ".NSI-00000.parquet.0123456789abcdef"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"PAR1 and no more")
    assert import_it(release, out) == 0
    for path, time_ns in done.items():
        assert (out / path.relative_to(partial)).stat().st_mtime_ns == time_ns
    assert not list(out.rglob(".*"))
    assert not partial.exists()


def test_two_imports_into_one_folder_do_not_mix(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    from evaluator.dataset.folder import staged

    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    with staged(tmp_path / "out"):
        assert import_it(release, tmp_path / "out") == 1
        assert "another process is writing" in capsys.readouterr().err
    assert import_it(release, tmp_path / "out") == 1
    assert "is there already" in capsys.readouterr().err


def test_an_expectation_with_a_typing_error_is_refused(
    tmp_path: Path, archives: Archives, capsys: pytest.CaptureFixture[str]
) -> None:
    release = pack(tmp_path / "release", archives, made_captions(NAMES))
    stated = json.loads((release / "expect.json").read_text())
    (release / "expect.json").write_text(json.dumps({**stated, "grund_truth": {}}))
    assert import_it(release, tmp_path / "out") == 1
    assert "unknown keys ['grund_truth']" in capsys.readouterr().err
    assert main(["dataset", "validate", str(tmp_path), "--expect", "nonsense"]) == 1
    assert "no release 'nonsense'" in capsys.readouterr().err
