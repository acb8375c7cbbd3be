"""The command line, as a user meets it: real processes, their output and their exit status."""

import json
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import environment, paint
from PIL import Image

from evaluator.__main__ import COMMANDS
from protocol.boards import published_rows
from protocol.rules import Track

ROOT = Path(__file__).parents[2]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "NSI_pgc_000.png"
    paint(201, 133).save(path)
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(
    command: str, cmc: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert "usage: cmc" in cmc(command, "--help").stdout


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from evaluator.__main__ import make_parser; make_parser();"
        "print([m for m in ('torch', 'numpy', 'PIL', 'gradio', 'huggingface_hub', 'pyarrow')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("mode", ["text", "pixel", "image", "full"])
def test_a_picture_goes_to_a_file_and_comes_back(
    mode: str,
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    picture: Path,
    tmp_path: Path,
    t2i: str,
) -> None:
    caption = () if mode == "image" else ("--caption", "a blue square")
    cmc("encode", picture, "--mode", mode, *caption, "-o", "out.cmc")
    facts = json.loads(cmc("info", "out.cmc", "--json").stdout)
    size = (tmp_path / "out.cmc").stat().st_size
    assert (facts["width"], facts["height"], facts["mode"]) == (201, 133, mode)
    assert (facts["total_bytes"], facts["total_bits"]) == (size, 8 * size)
    assert facts["bits_per_pixel"] == 8 * size / (201 * 133)
    assert facts["compression_ratio"] == pytest.approx(24 / facts["bits_per_pixel"])
    kinds = {"text": ["text"], "pixel": ["text", "pixels"], "image": ["image"]}
    assert [s["kind"] for s in facts["sections"]] == kinds.get(mode, ["text", "image"])
    assert size - sum(section["bytes"] for section in facts["sections"]) <= 12
    decoder = t2i if mode == "text" else "start-image"
    cmc("decode", "out.cmc", "-o", "out.png", "--t2i", decoder, "--protocol", "demo-0")
    with Image.open(tmp_path / "out.png") as decoded:
        assert decoded.size == (201, 133)


def test_a_caption_can_come_from_a_model_or_a_file(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    picture: Path,
    captions: Path,
    i2t: str,
) -> None:
    cmc("encode", picture, "--mode", "text", "--i2t", f"file:{captions}", "-o", "a.cmc")
    assert "A blue square in front of soft colours." in cmc("info", "a.cmc").stdout
    cmc("encode", picture, "--mode", "text", "--i2t", i2t, "-o", "b.cmc")
    assert "caption (zlib): " in cmc("info", "b.cmc").stdout


def test_published_boards_have_the_documented_form(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    rows = json.loads(cmc("leaderboard", "--track", "t2i", "--json").stdout)
    assert [row["model"] for row in rows] == [r.model for r in published_rows(Track.T2I, None)]
    (diffbir,) = [row for row in rows if row["model"] == "DiffBIR"]
    assert diffbir["overall"] == pytest.approx(2.6466, abs=2e-4)
    assert set(diffbir["indicators"]) == {"full_fr", "full_nr", "image_fr", "image_nr"}
    assert {"model", "role", "track", "source", "overall", "indicators"} <= set(diffbir)
    # It lacks two modes, so its mean is of others than the rows' that are ranked.
    assert diffbir["rank"] is None
    assert [row["model"] for row in rows if row["rank"] == 1] == ["PG25"]


def test_rows_that_lack_a_mode_stand_below_the_ranked_ones(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    _, _, *lines = cmc("leaderboard", "--track", "t2i").stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["1", "PG25"], ["2", "RealVis"]]
    assert [line.split()[:4] for line in lines[8:]] == [
        ["-", name, "(published)", "-"] for name in ("DiffBIR", "PASD", "StableSR", "InstructPix")
    ]
    assert all(line.endswith("lacks pixel, text") for line in lines[8:])


def test_folders_are_scored_with_means(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path
) -> None:
    done = cmc(
        *("score", "--reference", images, "--distorted", images),
        *("--indicator", "ssim", "--indicator", "piqe", "--json"),
    )
    scores = json.loads(done.stdout)
    assert scores["mean"]["ssim"] == pytest.approx(1.0)
    assert set(scores["pictures"]) == {path.name for path in images.iterdir()}


@pytest.mark.parametrize(("indicator", "wanted"), [("ssim", 11), ("piqe", 8), ("ms_ssim", 161)])
def test_a_picture_too_small_for_an_indicator_is_refused_with_the_size_wanted(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path: Path,
    indicator: str,
    wanted: int,
) -> None:
    for side in (wanted - 1, wanted):
        folder = tmp_path / str(side)
        folder.mkdir()
        paint(side, side).save(folder / "a.png")
    both = ("--reference", tmp_path / str(wanted - 1), "--distorted", tmp_path / str(wanted - 1))
    said = cmc("score", *both, "--indicator", indicator, status=1).stderr
    assert f"needs {wanted} pixels a side" in said
    both = ("--reference", tmp_path / str(wanted), "--distorted", tmp_path / str(wanted))
    cmc("score", *both, "--indicator", indicator)


def test_evaluate_writes_files_pictures_scores_and_result(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    images: Path,
    captions: Path,
    tmp_path: Path,
) -> None:
    done = cmc(
        *("evaluate", "--i2t", f"file:{captions}", "--t2i", "start-image", "--images", images),
        *("--modes", "image,full", "--protocol", "demo-0", "--out", "out", "--json"),
    )
    result = json.loads(done.stdout)
    assert json.loads((tmp_path / "out" / "result.json").read_text()) == result
    assert result["request"]["modes"] == ["image", "full"]
    assert (tmp_path / "out" / "per_image.parquet").is_file()
    for name in ("NSI_pgc_000", "SCI_screen_001", "AIGI_SDXL_002"):
        file = tmp_path / "out" / "files" / "full" / f"{name}.cmc"
        cmc("decode", file, "-o", "again.png")
        with (
            Image.open(tmp_path / "again.png") as again,
            Image.open(tmp_path / "out" / "pictures" / "full" / f"{name}.png") as picture,
        ):
            assert np.array_equal(np.asarray(again), np.asarray(picture))


def test_what_an_earlier_run_left_in_the_out_folder_goes(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--protocol", "demo-0", "--out", out)
    cmc("evaluate", "--codec", "jpeg:20", "--images", images, *options)
    (images / "NSI_pgc_000.png").unlink()
    cmc("evaluate", "--codec", "jpeg:20", "--images", images, *options)
    left = {"AIGI_SDXL_002", "SCI_screen_001"}
    assert {path.stem for path in out.glob("files/image/*")} == left
    assert {path.stem for path in out.glob("pictures/image/*")} == left
    made = out / "pictures" / "image"
    said = cmc("evaluate", "--codec", "jpeg:20", "--images", made, *options, status=1).stderr
    assert "would replace the pictures of --images" in said


def test_a_caption_that_is_missing_is_known_before_anything_is_computed(
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    images: Path,
    captions: Path,
    tmp_path: Path,
) -> None:
    whole = captions.read_text().splitlines(keepends=True)
    # The largest pictures go first, and this is the smallest.
    captions.write_text("".join(line for line in whole if "NSI_pgc" not in line))
    system = ("--i2t", f"file:{captions}", "--t2i", "start-image", "--protocol", "demo-0")
    options = ("--images", images, "--out", tmp_path / "out")
    said = cmc("evaluate", *system, *options, status=1).stderr
    assert "captions.csv has no caption for NSI_pgc_000.png; add a line" in said
    assert not (tmp_path / "cache").exists()


def test_submit_work_queue_and_leaderboard_of_the_store_that_is_named(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path
) -> None:
    submit = ("submit", "--codec", "vvc:45", "--images", images, "--protocol", "demo-0")
    assert "is queued" in cmc(*submit).stdout
    assert "was submitted before and is PENDING" in cmc(*submit).stdout
    assert cmc("work", "--once", "--images", images).stdout.startswith("1 finished, 0 failed")
    (entry,) = json.loads(cmc("queue", "--json").stdout)
    assert (entry["label"], entry["state"]["status"]) == ("VVC QP 45", "FINISHED")
    board = cmc("leaderboard", "--track", "codec", "--source", "results", "--json").stdout
    (row,) = json.loads(board)
    assert (row["model"], row["source"]) == ("VVC QP 45", "verified")
    assert row["indicators"]["image_fr"] > 0.5
    assert cmc("leaderboard", "--track", "codec", "--store", "cmc-store", "--json").stdout == board


def test_serve_says_where_the_board_is_and_shows_the_stores_rows(
    cmc: Callable[..., subprocess.CompletedProcess[str]], images: Path, tmp_path: Path
) -> None:
    cmc("submit", "--codec", "avc:45", "--images", images, "--protocol", "demo-0")
    cmc("work", "--once", "--images", images)
    # Where people are is often a project with an `app.py` of its own.
    (tmp_path / "app.py").write_text("raise SystemExit('another project')")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "evaluator", "serve", "--port", str(port)],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(f"the board is on http://127.0.0.1:{port}/")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/board/codec.all.json") as board:
            assert "AVC QP 45" in board.read().decode()
    finally:
        server.terminate()
        server.wait()
        if server.stdout is not None:
            server.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("encode", "absent.png", "--mode", "image", "-o", "o"), "absent.png is missing"),
        (("encode", "bad.png", "--mode", "image", "-o", "o"), "bad.png is no whole picture"),
        (("encode", "NSI_pgc_000.png", "--mode", "text", "-o", "o"), "give --caption TEXT"),
        (("decode", "absent.cmc", "-o", "o"), "absent.cmc is missing"),
        (("decode", "NSI_pgc_000.png", "-o", "o"), "not a .cmc file"),
        (("info", "NSI_pgc_000.png"), "not a .cmc file"),
        (("evaluate", "--t2i", "magic:x", "--images", ".", "--out", "o"), "no T2I adapter 'magic'"),
        (
            ("evaluate", "--t2i", "diffusers:m", "--images", ".", "--out", "o"),
            "holds no .safetensors file",
        ),
        (
            ("evaluate", "--codec", "vvc:53", "--images", "i", "--out", "o", "--weights", "w"),
            "has sha256",
        ),
        (
            ("evaluate", "--codec", "vvc:53", "--images", "i", "--modes", "x", "--out", "o"),
            "no mode x",
        ),
        (
            (
                *("evaluate", "--i2t", "file:short.csv", "--t2i", "start-image", "--images", "i"),
                *("--protocol", "demo-0", "--out", "o"),
            ),
            "short.csv has no caption for NSI_pgc_000.png",
        ),
        (
            ("score", "--reference", ".", "--distorted", "m", "--indicator", "ssim"),
            "same PNG names",
        ),
    ],
)
def test_wrong_input_ends_in_one_sentence_and_status_1(
    arguments: tuple[str, ...],
    message: str,
    cmc: Callable[..., subprocess.CompletedProcess[str]],
    picture: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "bad.png").write_bytes(picture.read_bytes()[:500])
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "model.bin").write_bytes(b"pickle")
    (tmp_path / "i").mkdir()
    (tmp_path / "i" / picture.name).write_bytes(picture.read_bytes())
    (tmp_path / "short.csv").write_text("name,text\n")
    (tmp_path / "w").mkdir()
    for name in ("topiq-fr.pth", "topiq-nr.pth"):
        (tmp_path / "w" / name).write_bytes(b"x")
    (tmp_path / "w" / "sha256sums.txt").write_text("00  topiq-fr.pth\n00  topiq-nr.pth\n")
    done = cmc(*arguments, status=1)
    lines = [line for line in done.stderr.splitlines() if line.startswith("cmc ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "o").exists()
