"""The `.cmc` container: all that a decoder is told, and not a byte more.

    offset  size  field
    0       2     magic, "CM"
    2       5     big-endian: version 3 bits | mode 2 | text coder 3 | image codec 4
                  | width - 1 14 | height - 1 14
    7       3     low 24 bits of the CRC-32 of all other bytes
    10      0-2   length of the text section, LEB128; only where another section follows
    …             text section, then pixels section or image section

The last section ends with the file, and the length of a pixels section follows from the size. So
the overhead is 10 bytes for text and image mode and 11 or 12 for pixel and full mode. Each file has
one meaning and each meaning one file: fields that a mode does not use must be 0.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from evaluator.pixels import payload_bytes
from protocol.errors import BitstreamError
from protocol.rules import MAX_CAPTION_BYTES, MAX_PIXELS, MAX_SIDE, Mode

MAGIC = b"CM"
VERSION = 1
FIXED_BYTES = 10
MAX_FILE_BYTES = 1 << 26
"""A file for the largest picture is far below this; a larger one is not looked into."""

MODES: Sequence[Mode] = (Mode.TEXT, Mode.PIXEL, Mode.IMAGE, Mode.FULL)
TEXT_CODERS: Mapping[str, int] = {"raw": 0, "zlib": 1, "brotli": 2, "ppmd": 4}
"""Names and the numbers that stand for them; 3 was a coder that no published file has."""
IMAGE_CODECS: Sequence[str] = ("vvc", "hevc", "avc", "av1", "jpeg", "jxl", "webp")
"""Positions here and in `MODES` are what the file holds. All three: append only."""

_TEXT_CODERS = {number: name for name, number in TEXT_CODERS.items()}
_IMAGE_CODECS = dict(enumerate(IMAGE_CODECS))


class Section(NamedTuple):
    """One part of a file, as the inspector shows it."""

    kind: str
    """`text`, `pixels` or `image`."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitstream:
    """The contents of one `.cmc` file; sections that the mode does not have are None."""

    width: int
    height: int
    mode: Mode
    text_coder: str | None = None
    text: bytes | None = None
    """The caption as its coder wrote it."""
    pixels: bytes | None = None
    image_codec: str | None = None
    image: bytes | None = None
    """A complete stream of the image codec, which its own decoder reads as it is."""

    def pack(self) -> bytes:
        """Return the file.

        Raises:
            BitstreamError: the sections are not those of the mode, or something is too large.
        """
        check_size(self.width, self.height)
        _check_sections(self)
        text = self.text or b""
        if len(text) > MAX_CAPTION_BYTES - 1:
            raise BitstreamError(f"a text section holds at most 16,383 bytes, not {len(text):,}")
        fields = VERSION
        for value, bits in (
            (MODES.index(self.mode), 2),
            (TEXT_CODERS[self.text_coder] if self.text_coder else 0, 3),
            (IMAGE_CODECS.index(self.image_codec) if self.image_codec else 0, 4),
            (self.width - 1, 14),
            (self.height - 1, 14),
        ):
            fields = fields << bits | value
        head = MAGIC + fields.to_bytes(5, "big")
        length = _leb128(len(text)) if self.mode in (Mode.PIXEL, Mode.FULL) else b""
        body = length + text + (self.pixels or b"") + (self.image or b"")
        return head + _checksum(head, body) + body

    @property
    def sections(self) -> list[Section]:
        """The sections that are there, in the file's order."""
        parts = (("text", self.text), ("pixels", self.pixels), ("image", self.image))
        return [Section(kind, len(part)) for kind, part in parts if part is not None]


def unpack(data: bytes) -> Bitstream:
    """Read a file.

    Raises:
        BitstreamError: it is truncated, damaged, of another kind or version, or claims a size
            that no picture here may have. Nothing is allocated before that is known.
    """
    if len(data) > MAX_FILE_BYTES:
        raise BitstreamError(f"{len(data):,} bytes; a .cmc file has at most {MAX_FILE_BYTES:,}")
    if data[:2] != MAGIC:
        raise BitstreamError(f"not a .cmc file: it begins with {data[:4]!r}, wanted {MAGIC!r}")
    if len(data) < FIXED_BYTES:
        raise BitstreamError(f"truncated: {len(data)} bytes, the header alone has {FIXED_BYTES}")
    fields = int.from_bytes(data[2:7], "big")
    version = fields >> 37
    if version != VERSION:
        raise BitstreamError(f"version {version} of the container; this program reads {VERSION}")
    body = data[FIXED_BYTES:]
    if data[7:10] != _checksum(data[:7], body):
        raise BitstreamError("damaged or truncated: the checksum does not match the bytes")
    mode = MODES[fields >> 35 & 0x3]
    width, height = (fields >> 14 & 0x3FFF) + 1, (fields & 0x3FFF) + 1
    check_size(width, height)
    text, rest = _split_text(mode, body)
    stream = Bitstream(
        width=width,
        height=height,
        mode=mode,
        text_coder=_name(_TEXT_CODERS, fields >> 32 & 0x7, "text coder", used=mode.has_caption),
        text=text,
        pixels=rest if mode is Mode.PIXEL else None,
        image_codec=_name(_IMAGE_CODECS, fields >> 28 & 0xF, "image codec", used=mode.has_image),
        image=rest if mode.has_image else None,
    )
    _check_sections(stream)
    return stream


def read_file(path: Path) -> bytes:
    """Return the bytes of a `.cmc` file, or of as much of it as shows that it is too large.

    Raises:
        BitstreamError: the file is missing, or a folder.
    """
    if not path.exists() or path.is_dir():
        raise BitstreamError(f"{path} is missing or a folder; wanted a .cmc file")
    with path.open("rb") as file:
        return file.read(MAX_FILE_BYTES + 1)


def bits_per_pixel(file_bytes: int, width: int, height: int) -> float:
    """Return 8 x bytes / pixels of the ground truth; never divided by the channels."""
    return 8 * file_bytes / (width * height)


def compression_ratio(file_bytes: int, width: int, height: int) -> float:
    """Return 24 bits a pixel over the file's bits a pixel."""
    return 24 / bits_per_pixel(file_bytes, width, height)


def rate_words(file_bytes: int, width: int, height: int, unit: str) -> str:
    """Return a file's rate and ratio as people read them: four digits, wherever the point is."""
    ratio = compression_ratio(file_bytes, width, height)
    rate = f"{bits_per_pixel(file_bytes, width, height):.4g} {unit}"
    return f"{rate}, ratio {ratio:,.0f}" if ratio >= 100 else f"{rate}, ratio {ratio:.3g}"


def check_size(width: int, height: int) -> None:
    """Refuse a picture size that no file may have.

    Raises:
        BitstreamError: a side is not in 1..16384, or there are more than 2^25 pixels.
    """
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE) or width * height > MAX_PIXELS:
        raise BitstreamError(
            f"a picture of {width}x{height}; sides go from 1 to {MAX_SIDE}, "
            f"with at most {MAX_PIXELS:,} pixels"
        )


def _check_sections(stream: Bitstream) -> None:
    mode = stream.mode
    for kind, part, wanted in (
        ("text", stream.text, mode.has_caption),
        ("pixels", stream.pixels, mode is Mode.PIXEL),
        ("image", stream.image, mode.has_image),
    ):
        if (part is not None) != wanted:
            raise BitstreamError(f"{mode} mode {'needs a' if wanted else 'has no'} {kind} section")
    _check_names(stream)
    if stream.image == b"":
        raise BitstreamError("the image section is empty")
    if stream.pixels is not None:
        needed = payload_bytes(stream.width, stream.height)
        if len(stream.pixels) != needed:
            raise BitstreamError(
                f"the pixels section has {len(stream.pixels)} bytes; "
                f"{stream.width}x{stream.height} needs {needed}"
            )


def _check_names(stream: Bitstream) -> None:
    mode = stream.mode
    for kind, name, names, wanted in (
        ("text coder", stream.text_coder, [*TEXT_CODERS], mode.has_caption),
        ("image codec", stream.image_codec, [*IMAGE_CODECS], mode.has_image),
    ):
        if wanted and name not in names:
            there = ", ".join(names)
            raise BitstreamError(f"{mode} mode names its {kind}, one of {there}; found {name!r}")
        if name and not wanted:
            raise BitstreamError(f"{mode} mode has no {kind}; found {name!r}")


def _checksum(head: bytes, body: bytes) -> bytes:
    return (zlib.crc32(body, zlib.crc32(head)) & 0xFFFFFF).to_bytes(3, "big")


def _leb128(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 0x7F | 0x80, value >> 7])


def _split_text(mode: Mode, body: bytes) -> tuple[bytes | None, bytes]:
    if not mode.has_caption:
        return None, body
    if mode is Mode.TEXT:
        return body, b""
    if not body:
        raise BitstreamError("the file ends before the length of its text section")
    length, used = body[0], 1
    if length >= 128:
        if len(body) < 2 or not 0 < body[1] < 128:
            raise BitstreamError("the length of the text section is malformed")
        length, used = length & 0x7F | body[1] << 7, 2
    if length > len(body) - used:
        raise BitstreamError(
            f"the text section claims {length} bytes, the file has {len(body) - used} left"
        )
    return body[used : used + length], body[used + length :]


def _name(names: Mapping[int, str], number: int, what: str, *, used: bool) -> str | None:
    if not used:
        if number:
            raise BitstreamError(f"a {what} is named where the mode has none")
        return None
    if number not in names:
        there = ", ".join(names.values())
        raise BitstreamError(f"{what} number {number} is unknown; there are {there}")
    return names[number]
