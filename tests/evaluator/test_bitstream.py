"""The container: exact round trips, 12 bytes of overhead at most, and no way to mislead it."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.bitstream import (
    IMAGE_CODECS,
    MAX_FILE_BYTES,
    MODES,
    TEXT_CODERS,
    Bitstream,
    bits_per_pixel,
    compression_ratio,
    rate_words,
    read_file,
    unpack,
)
from evaluator.pixels import payload_bytes
from protocol.errors import BitstreamError
from protocol.rules import MAX_SIDE, Mode


def make_stream(mode: Mode, **changes: Any) -> Bitstream:
    fields: dict[str, Any] = {"width": 501, "height": 333, "mode": mode}
    if mode.has_caption:
        fields |= {"text_coder": "zlib", "text": b"a caption as its coder wrote it"}
    if mode is Mode.PIXEL:
        fields |= {"pixels": bytes(payload_bytes(501, 333))}
    if mode in (Mode.IMAGE, Mode.FULL):
        fields |= {"image_codec": "vvc", "image": bytes(range(256)) * 5}
    return Bitstream(**{**fields, **changes})


@pytest.mark.parametrize("mode", list(Mode))
def test_a_file_is_read_back_as_it_was_written(mode: Mode) -> None:
    stream = make_stream(mode)
    assert unpack(stream.pack()) == stream


def test_a_file_of_today_is_read_in_every_version_to_come() -> None:
    stream = make_stream(
        Mode.FULL, text_coder="brotli", text=b"ab", image_codec="av1", image=b"xyz"
    )
    # 001 11 010 0011, 500 and 332 in fourteen bits each, the checksum, 2 bytes of text.
    data = bytes.fromhex("434d 3a307d014c 5e0443 02 6162 78797a")
    assert stream.pack() == data
    assert unpack(data) == stream
    assert MODES == (Mode.TEXT, Mode.PIXEL, Mode.IMAGE, Mode.FULL)
    # Behind these come those that are added.
    first_coders = {"raw": 0, "zlib": 1, "brotli": 2, "ppmd": 4}
    assert TEXT_CODERS.items() >= first_coders.items()
    assert all(number > 4 for name, number in TEXT_CODERS.items() if name not in first_coders)
    assert IMAGE_CODECS[:7] == ("vvc", "hevc", "avc", "av1", "jpeg", "jxl", "webp")


@pytest.mark.parametrize(("width", "height"), [(16384, 2048), (2048, 16384), (1, 1)])
def test_the_largest_and_the_smallest_picture_have_a_file(width: int, height: int) -> None:
    stream = make_stream(Mode.TEXT, width=width, height=height)
    assert unpack(stream.pack()) == stream


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("text_length", [0, 1, 127, 128, 2565, 16383])
def test_overhead_is_at_most_twelve_bytes(mode: Mode, text_length: int) -> None:
    text = bytes(text_length) if mode.has_caption else None
    stream = make_stream(mode, text=text)
    data = stream.pack()
    assert len(data) - sum(section.bytes for section in stream.sections) <= 12
    assert unpack(data).text == text


@given(
    st.sampled_from(list(Mode)),
    st.integers(1, 2000),
    st.integers(1, 2000),
    st.binary(max_size=300),
    st.sampled_from(["raw", "zlib", "brotli"]),
)
def test_every_size_and_text_comes_back(
    mode: Mode, width: int, height: int, text: bytes, coder: str
) -> None:
    stream = make_stream(
        mode,
        width=width,
        height=height,
        text=text if mode.has_caption else None,
        text_coder=coder if mode.has_caption else None,
        pixels=bytes(payload_bytes(width, height)) if mode is Mode.PIXEL else None,
    )
    assert unpack(stream.pack()) == stream


def flip_bit(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def truncate(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def append(data: bytearray, rng: random.Random) -> None:
    data += rng.randbytes(rng.randrange(1, 64))


def overwrite(data: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(data))
    replaced = bytes(~byte & 0xFF for byte in data[start : start + rng.randrange(1, 9)])
    data[start : start + len(replaced)] = replaced


def shuffle_bytes(data: bytearray, rng: random.Random) -> None:
    data[:] = rng.randbytes(len(data))


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    flip_bit,
    truncate,
    append,
    overwrite,
    shuffle_bytes,
]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)
@pytest.mark.parametrize("mode", list(Mode))
def test_150_mutations_of_each_kind_and_mode_are_refused(
    mode: Mode, mutate: Callable[[bytearray, random.Random], None]
) -> None:
    original = make_stream(mode).pack()
    rng = random.Random(f"{mode}{mutate.__name__}")
    for _ in range(150):
        data = bytearray(original)
        mutate(data, rng)
        assert bytes(data) != original
        with pytest.raises(BitstreamError):
            unpack(bytes(data))


@pytest.mark.parametrize("mode", list(Mode))
def test_every_single_bit_flip_is_refused(mode: Mode) -> None:
    original = make_stream(mode).pack()
    for position in range(8 * len(original)):
        data = bytearray(original)
        data[position // 8] ^= 1 << position % 8
        with pytest.raises(BitstreamError):
            unpack(bytes(data))


def forge(stream: bytes, **fields: int) -> bytes:
    """Return a file with other header fields and a checksum that is right."""
    from evaluator.bitstream import _checksum

    layout = {"version": 3, "mode": 2, "coder": 3, "codec": 4, "width": 14, "height": 14}
    packed, number = int.from_bytes(stream[2:7], "big"), 0
    shift = 40
    for name, bits in layout.items():
        shift -= bits
        value = fields.get(name, packed >> shift & ((1 << bits) - 1))
        number |= value << shift
    head, body = stream[:2] + number.to_bytes(5, "big"), stream[10:]
    return head + _checksum(head, body) + body


@pytest.mark.parametrize(
    ("mode", "fields", "message"),
    [
        (Mode.IMAGE, {"version": 3}, "version 3 of the container"),
        (Mode.IMAGE, {"width": 16383, "height": 16383}, "at most 33,554,432 pixels"),
        (Mode.IMAGE, {"codec": 15}, "image codec number 15 is unknown"),
        (Mode.TEXT, {"coder": 3}, "text coder number 3 is unknown"),
        (Mode.TEXT, {"coder": 7}, "text coder number 7 is unknown"),
        (Mode.TEXT, {"codec": 1}, "image codec is named where the mode has none"),
        (Mode.IMAGE, {"coder": 1}, "text coder is named where the mode has none"),
        (Mode.PIXEL, {"width": 5000}, "pixels section has 54 bytes"),
    ],
)
def test_a_forged_header_with_a_right_checksum_is_refused(
    mode: Mode, fields: dict[str, int], message: str
) -> None:
    with pytest.raises(BitstreamError, match=message):
        unpack(forge(make_stream(mode).pack(), **fields))


def test_a_forged_text_length_is_refused() -> None:
    from evaluator.bitstream import _checksum

    data = make_stream(Mode.FULL, text=b"", image=b"x").pack()
    for body, message in (
        (b"", "ends before the length"),
        (b"\x85", "malformed"),
        (b"\x85\x00abcdef", "malformed"),
        (b"\x85\x80abcdef", "malformed"),
        (b"\xff\x7fabc", "claims 16383 bytes, the file has 3"),
        (b"\x03ab", "claims 3 bytes, the file has 2"),
        (b"\x03abc", "image section is empty"),
    ):
        forged = data[:7] + _checksum(data[:7], body) + body
        with pytest.raises(BitstreamError, match=message):
            unpack(forged)


def test_foreign_files_are_named_for_what_they_are() -> None:
    with pytest.raises(BitstreamError, match=r"not a \.cmc file: it begins with b'.x89PNG'"):
        unpack(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(BitstreamError, match=r"not a \.cmc file"):
        unpack(b"")
    with pytest.raises(BitstreamError, match="truncated: 5 bytes"):
        unpack(b"CM\x20\x00\x00")
    with pytest.raises(BitstreamError, match="at most 67,108,864"):
        unpack(b"CM" + bytes(MAX_FILE_BYTES))


@pytest.mark.parametrize(
    ("mode", "changes", "message"),
    [
        (Mode.TEXT, {"text": None}, "text mode needs a text section"),
        (Mode.IMAGE, {"text": b"x"}, "image mode has no text section"),
        (Mode.TEXT, {"text_coder": None}, "names its text coder, one of raw, zlib"),
        (Mode.IMAGE, {"image_codec": "jp2"}, "names its image codec, .* found 'jp2'"),
        (Mode.IMAGE, {"text_coder": "zlib"}, "image mode has no text coder; found 'zlib'"),
        (Mode.FULL, {"image": None}, "full mode needs a image section"),
        (Mode.IMAGE, {"image": b""}, "image section is empty"),
        (Mode.PIXEL, {"pixels": b"xx"}, "pixels section has 2 bytes"),
        (Mode.TEXT, {"width": 0}, "sides go from 1"),
        (Mode.TEXT, {"width": MAX_SIDE + 1}, "sides go from 1"),
        (Mode.TEXT, {"height": MAX_SIDE + 1}, "sides go from 1"),
        (Mode.TEXT, {"width": 16384, "height": 2049}, "at most 33,554,432 pixels"),
        (Mode.TEXT, {"text": bytes(16384)}, "at most 16,383 bytes"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(
    mode: Mode, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BitstreamError, match=message):
        make_stream(mode, **changes).pack()


def test_rates_count_every_byte_and_no_channels() -> None:
    assert bits_per_pixel(1572, 1024, 512) == 8 * 1572 / (1024 * 512)
    assert compression_ratio(100, 10, 10) == 3.0


def test_a_rate_has_four_digits_and_a_ratio_three_or_no_fraction() -> None:
    assert rate_words(1572, 1024, 512, "bpp") == "0.02399 bpp, ratio 1,001"
    assert rate_words(300, 100, 100, "bpp") == "0.24 bpp, ratio 100"
    assert rate_words(100, 10, 10, "bpp") == "8 bpp, ratio 3"
    assert rate_words(303, 100, 100, "bpp") == "0.2424 bpp, ratio 99"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.cmc"):
        with pytest.raises(BitstreamError, match="is missing or a folder"):
            read_file(path)
    (tmp_path / "large.cmc").write_bytes(bytes(MAX_FILE_BYTES + 9))
    with pytest.raises(BitstreamError, match="at most 67,108,864"):
        unpack(read_file(tmp_path / "large.cmc"))
