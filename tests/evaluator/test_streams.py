"""Pipes: `-` is standard input and output, and no command destroys what it reads."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import environment, paint

from evaluator.codec import open_codec
from evaluator.pictures import png_bytes


def piped(folder: Path, given: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "evaluator", *arguments]
    return subprocess.run(
        command, input=given, cwd=folder, env=environment(folder), capture_output=True, check=True
    )


def test_a_picture_goes_through_pipes_and_the_notes_beside_them(tmp_path: Path) -> None:
    jpeg = ("--mode", "image", "--codec", "jpeg", "--quality", "30")
    png = png_bytes(paint(65, 43))
    encoded = piped(tmp_path, png, "encode", "-", *jpeg, "-o", "-")
    codec = open_codec(codec="jpeg:30")
    assert encoded.stdout == codec.encode(paint(65, 43))
    assert b" bpp, ratio " in encoded.stderr
    decoded = piped(tmp_path, encoded.stdout, "decode", "-", "-o", "-")
    assert decoded.stdout == png_bytes(codec.decode(encoded.stdout))
    assert piped(tmp_path, encoded.stdout, "info", "/dev/stdin").stdout.startswith(b"65x43, image")
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_not_written_over(
    cmc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    picture, captions = tmp_path / "a.png", tmp_path / "a.prior"
    paint(16, 16).save(picture)
    captions.write_text('{"name": "a.png", "text": "a cat"}\n')
    file = tmp_path / "a.cmc"
    file.write_bytes(open_codec(codec="jpeg:30").encode(paint(16, 16)))
    for command in (
        ("encode", picture, "--mode", "image", "-o", "./a.png"),
        ("decode", file, "-o", file),
        ("text-prior", "build", captions),
    ):
        before = [path.read_bytes() for path in (picture, captions, file)]
        assert "is what is read, and would be lost" in cmc(*command, status=1).stderr
        assert [path.read_bytes() for path in (picture, captions, file)] == before


def test_a_decoded_picture_is_a_png_and_is_not_called_otherwise(
    cmc: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "a.cmc").write_bytes(open_codec(codec="jpeg:30").encode(paint(16, 16)))
    assert "ends in .png" in cmc("decode", "a.cmc", "-o", "a.JPG", status=1).stderr
    for name in ("a.v1", "a", "a.PNG"):
        cmc("decode", "a.cmc", "-o", name)
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
