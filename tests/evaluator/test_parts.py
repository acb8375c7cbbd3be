"""Pixels, text coders and picture codecs: each half of a pair undoes the other, at any size."""

import csv
import io
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import paint
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluator import ffmpeg
from evaluator.bitstream import IMAGE_CODECS, TEXT_CODERS
from evaluator.codecs import check_quality, load_codec
from evaluator.pixels import decode_pixels, encode_pixels, payload_bytes
from evaluator.text_coders import decode_caption, encode_caption, load_text_coder
from protocol.errors import BitstreamError, CaptionError, CodecError, InputError, ModelError
from protocol.records import System

SIZES = [(1, 1), (64, 64), (65, 63), (127, 193), (200, 7)]


@pytest.mark.parametrize("size", SIZES)
def test_pixels_come_back_at_the_exact_size(size: tuple[int, int]) -> None:
    payload = encode_pixels(paint(*size))
    assert len(payload) == payload_bytes(*size)
    assert decode_pixels(payload, *size).size == size


def test_a_pixel_takes_nine_bits() -> None:
    assert payload_bytes(512, 512) == 64 * 9 // 8


def test_a_block_is_sent_as_its_mean() -> None:
    values = np.zeros((64, 192, 3), np.uint8)
    values[:, 64:128] = 255
    values[:32, 128:] = 255
    decoded = np.asarray(decode_pixels(encode_pixels(Image.fromarray(values)), 192, 64))
    assert decoded[32, 2, 0] <= 2
    assert decoded[32, 95, 0] >= 253
    assert abs(int(decoded[32, 189, 0]) - 127) <= 18


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_are_exact(value: int) -> None:
    flat = Image.new("RGB", (130, 70), (value, value, value))
    assert decode_pixels(encode_pixels(flat), 130, 70).tobytes() == flat.tobytes()


def test_a_block_at_the_edge_counts_only_its_own_pixels() -> None:
    values = np.zeros((64, 65, 3), np.uint8)
    values[:, 64] = 255
    bits = np.unpackbits(np.frombuffer(encode_pixels(Image.fromarray(values)), np.uint8))
    assert bits[:9].tolist() == [0] * 9
    assert bits[9:18].tolist() == [1] * 9


@pytest.mark.parametrize(
    ("codec", "message"),
    [
        ("hevc", "no hevc stream of 16x5000 pixels: ffmpeg ended with 183: Cannot open libx265"),
        ("av1", r"no obu stream of 16x16384 .* Svt\[error\]: Source Height must be less than or"),
    ],
)
def test_a_size_that_an_encoder_refuses_is_named_with_the_encoder_s_reason(
    codec: str, message: str
) -> None:
    with pytest.raises(CodecError, match=message):
        load_codec(codec).encode(Image.new("RGB", (1, 5000 if codec == "hevc" else 16384)), 40)


def test_the_largest_picture_has_an_hour_to_be_coded(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def ends(*_: object, timeout: float, **__: object) -> None:
        given.append(timeout)
        raise subprocess.TimeoutExpired("ffmpeg", timeout)

    monkeypatch.setattr(subprocess, "run", ends)
    for size, seconds in (((64, 64), 600), ((8192, 4096), 3955)):
        with pytest.raises(CodecError, match=f"ffmpeg did not end within {seconds} s"):
            load_codec("vvc").encode(Image.new("RGB", size), 53)
    assert given == [600, 3955]


def test_pixels_with_padding_bits_set_are_refused() -> None:
    payload = bytearray(encode_pixels(paint(64, 64)))
    payload[-1] |= 1
    with pytest.raises(BitstreamError, match="padding bits"):
        decode_pixels(bytes(payload), 64, 64)


# What the ppmd coder adds to these is in test_text_prior.py.
PLAIN_CODERS = [coder for coder in TEXT_CODERS if coder != "ppmd"]


@pytest.mark.parametrize("coder", PLAIN_CODERS)
@given(text=st.text(max_size=400))
def test_every_text_coder_gives_every_text_back(coder: str, text: str) -> None:
    assert decode_caption(encode_caption(text, coder), coder) == text


@pytest.mark.parametrize("coder", PLAIN_CODERS)
def test_the_released_captions_come_back(coder: str, shared: Path) -> None:
    with (shared / "captions" / "qwen.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            assert decode_caption(encode_caption(row["text"], coder), coder) == row["text"]


@pytest.mark.parametrize("coder", PLAIN_CODERS)
def test_a_caption_that_unpacks_to_too_much_is_refused(coder: str) -> None:
    bomb = load_text_coder(coder).encode(b"x" * 5_000_000)
    with pytest.raises(BitstreamError, match=r"more than 16,384 bytes|at most 16,384"):
        decode_caption(bomb, coder)


@pytest.mark.parametrize("coder", ["zlib", "brotli"])
def test_a_text_section_is_exactly_one_stream(coder: str) -> None:
    payload = encode_caption("a cat on a mat", coder)
    for wrong in (payload[:-1], payload + b"\0", b"", b"\xff" * 9):
        with pytest.raises(BitstreamError, match="text section"):
            decode_caption(wrong, coder)


def test_a_caption_that_is_no_text_is_refused() -> None:
    with pytest.raises(BitstreamError, match="no UTF-8"):
        decode_caption(zlib.compress(b"\xff\xfe"), "zlib")
    with pytest.raises(CaptionError, match="no valid Unicode"):
        encode_caption("\ud800", "zlib")
    with pytest.raises(CaptionError, match="at most 16,383"):
        encode_caption("x" * 20000, "zlib")
    with pytest.raises(InputError, match="raw, zlib, brotli, ppmd"):
        load_text_coder("gzip")


@pytest.mark.parametrize("name", IMAGE_CODECS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 1), (1, 40), (32, 8)])
def test_every_codec_takes_pictures_of_a_few_pixels(name: str, size: tuple[int, int]) -> None:
    codec = load_codec(name)
    flat = Image.new("RGB", size, (200, 30, 30))
    decoded = codec.decode(codec.encode(flat, 20), *size)
    assert decoded.size == size


@pytest.mark.parametrize("name", IMAGE_CODECS)
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_no_codec_makes_pictures_darker_or_brighter(name: str, grey: int) -> None:
    codec = load_codec(name)
    quality = codec.QUALITIES[len(codec.QUALITIES) // 2]
    picture = Image.new("RGB", (64, 64), (grey,) * 3)
    decoded = np.asarray(codec.decode(codec.encode(picture, quality), 64, 64), dtype=int)
    assert abs(decoded - grey).max() <= 1


@pytest.mark.parametrize("name", IMAGE_CODECS)
@pytest.mark.parametrize("size", [(64, 64), (97, 131), (130, 66)])
def test_every_codec_gives_a_like_picture_of_the_exact_size(
    name: str, size: tuple[int, int]
) -> None:
    picture, codec = paint(*size), load_codec(name)
    fair, good = (60, 90) if codec.HIGHER_IS_BETTER else (30, 10)
    stream = codec.encode(picture, fair)
    decoded = codec.decode(stream, *size)
    assert decoded.size == size
    assert decoded.mode == "RGB"
    difference = np.abs(np.asarray(decoded, int) - np.asarray(picture, int)).mean()
    assert difference < 6
    assert len(stream) < len(codec.encode(picture, good))


@pytest.mark.parametrize("name", ["avc", "av1", "jpeg", "jxl", "webp"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 1)])
def test_codecs_without_a_smallest_block_take_the_smallest_pictures(
    name: str, size: tuple[int, int]
) -> None:
    codec = load_codec(name)
    for quality in (codec.QUALITIES[0], codec.QUALITIES[-1]):
        assert codec.decode(codec.encode(paint(*size), quality), *size).size == size


@pytest.mark.parametrize("name", IMAGE_CODECS)
def test_every_codec_says_which_way_is_better_and_how_it_encodes(name: str) -> None:
    codec = load_codec(name)
    worst, best = codec.QUALITIES[0], codec.QUALITIES[-1]
    if not codec.HIGHER_IS_BETTER:
        worst, best = best, worst
    picture = paint(64, 64)
    assert len(codec.encode(picture, worst)) < len(codec.encode(picture, best))
    assert "yuv" in codec.description() or "rgb" in codec.description()
    assert any(digit in codec.description() for digit in "0123456789")
    label = System(adapter=name, model="10", revision="", path="").label
    assert label.endswith(" q 10" if codec.HIGHER_IS_BETTER else " QP 10")


@pytest.mark.parametrize("name", IMAGE_CODECS)
def test_no_codec_sends_its_name_or_its_options(name: str) -> None:
    codec = load_codec(name)
    picture = paint(96, 96)
    picture.info = {"comment": b"a secret", "exif": b"Exif\0\0a secret", "xmp": b"a secret"}
    stream = codec.encode(picture, codec.QUALITIES[30])
    for word in (
        b"x264",
        b"x265",
        b"Lavc",
        b"SVT",
        b"VVenC",
        b"Exif",
        b"secret",
        b"jxlp",
        b"options",
    ):
        assert word not in stream


@pytest.mark.parametrize("name", IMAGE_CODECS)
def test_every_codec_writes_the_same_bytes_again(name: str) -> None:
    picture, codec = paint(97, 131), load_codec(name)
    assert codec.encode(picture, 40) == codec.encode(picture, 40)


@pytest.mark.parametrize("name", IMAGE_CODECS)
def test_every_codec_refuses_what_is_no_stream_or_of_another_size(name: str) -> None:
    codec = load_codec(name)
    with pytest.raises(CodecError, match=r"ffmpeg ended with|cannot read the|no lossy WEBP"):
        codec.decode(b"no stream at all", 64, 64)
    stream = codec.encode(paint(64, 64), 40)
    with pytest.raises(CodecError, match=r"66x64 needs|holds 64x64, wanted 66x64"):
        codec.decode(stream, 66, 64)


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_a_damaged_still_is_refused_or_is_a_picture(name: str) -> None:
    codec, rng = load_codec(name), np.random.default_rng(0)
    stream = np.frombuffer(codec.encode(paint(97, 66), 40), np.uint8)
    refused = 0
    for _ in range(300):
        damaged = stream.copy()
        damaged[rng.integers(0, len(stream), 4)] = rng.integers(0, 256, 4)
        end = int(rng.integers(len(stream) // 2, len(stream) + 1))
        try:
            assert codec.decode(damaged[:end].tobytes(), 97, 66).size == (97, 66)
        except CodecError:
            refused += 1
    assert refused > 100


def test_a_jpeg_of_endless_scans_is_refused_before_they_are_gone_through() -> None:
    file = io.BytesIO()
    paint(97, 66).save(file, "JPEG", progressive=True)
    stream = file.getvalue()
    assert load_codec("jpeg").decode(stream, 97, 66).size == (97, 66)
    last_scan = stream[stream.rindex(b"\xff\xda") : -2]
    with pytest.raises(CodecError, match="the JPEG stream has 1010 scans; wanted 30 at most"):
        load_codec("jpeg").decode(stream[:-2] + last_scan * 1000 + stream[-2:], 97, 66)


def test_a_cut_jpeg_xl_stream_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    # ffmpeg would wait for the rest until its time is over.
    monkeypatch.setattr(ffmpeg, "_TIMEOUT_SECONDS", 20)
    codec = load_codec("jxl")
    stream = codec.encode(paint(63, 65), 20)
    for end in (len(stream) // 3, len(stream) - 1):
        with pytest.raises(CodecError, match="ffmpeg ended with"):
            codec.decode(stream[:end], 63, 65)


@pytest.mark.parametrize("quality", ["", "-1", "64", "3.5", "good"])
def test_a_quality_that_a_codec_has_not_is_refused(quality: str) -> None:
    with pytest.raises(ModelError, match="wanted a QP from 0 to 63"):
        check_quality("vvc", quality)
    with pytest.raises(ModelError, match="wanted a quality from 1 to 100, for example jpeg:11"):
        check_quality("jpeg", "0")


def test_an_unknown_codec_is_answered_with_those_there_are() -> None:
    with pytest.raises(ModelError, match="vvc, hevc, avc"):
        load_codec("jpeg2000")
