"""Every picture at the door is 8-bit RGB, or is refused with a reason."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from PIL import Image, ImageOps

from evaluator.codec import open_codec
from evaluator.pictures import open_picture, picture_size, read_picture
from protocol.errors import PictureError
from protocol.rules import Mode


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def test_sixteen_bits_of_grey_are_the_same_grey_in_eight() -> None:
    grey = np.asarray(paint(33, 21).convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    read = open_picture(saved(deep), "deep.png")
    assert np.array_equal(np.asarray(read), np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_thirty_two_bits_a_pixel_are_refused(mode: str) -> None:
    picture = paint(33, 21).convert("L").convert(mode)
    with pytest.raises(PictureError, match=r"deep\.tif has 32 bits a pixel; save it with 8 bits"):
        open_picture(saved(picture, "TIFF"), "deep.tif")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_other_ways_to_hold_a_picture_are_read_as_pillow_reads_them(mode: str) -> None:
    picture = paint(33, 21).convert(mode)
    read = open_picture(saved(picture, "TIFF"), "plain.tif")
    assert read.mode == "RGB"
    assert np.array_equal(np.asarray(read), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_stands_as_its_camera_says(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture, path = paint(70, 50), tmp_path / "photo.png"
    picture.save(path, exif=exif)
    with Image.open(path) as file:
        wanted = ImageOps.exif_transpose(file)
    read = open_picture(path.read_bytes(), "photo.png")
    assert picture_size(path) == read.size == wanted.size
    assert np.array_equal(np.asarray(read), np.asarray(wanted))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("exif", [b"", b"no tags", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_exif_that_cannot_be_read_turns_nothing(exif: bytes, tmp_path: Path) -> None:
    picture, path = paint(70, 50), tmp_path / "photo.png"
    picture.save(path, exif=exif)
    assert picture_size(path) == open_picture(path.read_bytes(), "photo.png").size == (70, 50)


def test_exif_behind_a_png_s_pixels_is_not_looked_for(tmp_path: Path) -> None:
    exif, path = Image.Exif(), tmp_path / "photo.png"
    exif[0x0112] = 6
    data = saved(paint(70, 50))
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = len(body).to_bytes(4) + b"eXIf" + body + zlib.crc32(b"eXIf" + body).to_bytes(4)
    path.write_bytes(data[:-12] + chunk + data[-12:])
    with Image.open(path) as file:
        assert ImageOps.exif_transpose(file).size == (50, 70)
    assert picture_size(path) == open_picture(path.read_bytes(), "photo.png").size == (70, 50)


@pytest.mark.parametrize("codec", ["vvc:30", "jxl:60", "jpeg:60"])
@pytest.mark.parametrize("mode", ["RGBA", "CMYK", "L", "P"])
def test_a_codec_encodes_a_picture_of_any_mode_as_its_rgb(codec: str, mode: str) -> None:
    opened = open_codec(mode=Mode.IMAGE, codec=codec)
    picture = paint(33, 21).convert(mode)
    assert opened.encode(picture) == opened.encode(picture.convert("RGB"))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_a_film_is_refused_and_not_cut_to_its_first_picture(kind: str) -> None:
    file = io.BytesIO()
    frames = [paint(33, 21), paint(33, 21).rotate(180), paint(33, 21).rotate(90)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    with pytest.raises(PictureError, match="film holds 3 pictures; save the one that is meant"):
        open_picture(file.getvalue(), "film")


def test_a_photograph_with_a_preview_is_its_first_picture() -> None:
    file = io.BytesIO()
    paint(33, 21).save(file, "MPO", save_all=True, append_images=[paint(16, 10)])
    assert open_picture(file.getvalue(), "photo.jpg").size == (33, 21)


def test_what_is_no_picture_is_named_by_its_file() -> None:
    with pytest.raises(
        PictureError, match=r"^a\.svg is no picture of a format that is known here$"
    ):
        open_picture(b"<svg/>", "a.svg")


@pytest.mark.filterwarnings("ignore:Image size:PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [6_000, 12_000, 60_000])
def test_a_picture_of_too_many_pixels_is_told_how_many_there_may_be(
    side: int,
) -> None:
    data = bytearray(saved(paint(33, 21)))
    struct.pack_into(">II", data, 16, side, side)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    with pytest.raises(PictureError, match=r"pixels; sides go to 16384, with at most 33,554,432"):
        open_picture(bytes(data), "a.png")


def test_a_picture_without_its_palette_is_no_whole_one() -> None:
    data = saved(paint(33, 21).convert("P"))
    begin = data.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", data, begin)
    with pytest.raises(PictureError, match=r"^a\.png is no whole picture: its palette is missing$"):
        open_picture(data[:begin] + data[begin + 12 + length :], "a.png")


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@pytest.mark.parametrize("kind", ["AVIF", "TIFF", "QOI", "DDS"])
def test_a_picture_with_any_byte_changed_is_a_picture_or_refused_by_name(
    kind: str, tmp_path: Path
) -> None:
    data, path = saved(paint(33, 21), kind), tmp_path / "a"
    for i in range(min(len(data), 400)):
        path.write_bytes(data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :])
        for read in (picture_size, read_picture):
            with contextlib.suppress(PictureError):
                read(path)


def test_a_codec_refuses_transparent_pixels() -> None:
    picture = paint(33, 21).convert("RGBA")
    picture.putpixel((3, 3), (0, 0, 0, 7))
    with pytest.raises(PictureError, match="the picture has transparent pixels"):
        open_codec(mode=Mode.IMAGE, codec="jpeg:60").encode(picture)
