"""WebP by libwebp in Pillow: the lossy coder's one chunk, and no metadata."""

import io
from typing import TYPE_CHECKING

from evaluator.codecs._pillow import pillow_version, read_still
from protocol.errors import CodecError

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = range(101)
HIGHER_IS_BETTER = True
_LONGEST_SIDE = 16383


def description() -> str:
    """Return encoder, preset, pixel format and version."""
    return f"libwebp {pillow_version('webp')} lossy, method 6, yuv420p"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the file of a picture at a quality."""
    if max(picture.size) > _LONGEST_SIDE:
        raise CodecError(f"WebP takes sides up to {_LONGEST_SIDE}, not {max(picture.size)}")
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=6, exif=b"", icc_profile=None, xmp=b"")
    return file.getvalue()


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a file."""
    # Pillow's reader makes room for the whole canvas before anyone can ask for its size.
    if stream[:4] != b"RIFF" or stream[8:16] != b"WEBPVP8 " or stream[23:26] != b"\x9d\x01\x2a":
        raise CodecError("the stream is no lossy WEBP picture")
    found = tuple(int.from_bytes(stream[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    if found != (width, height):
        raise CodecError(f"the WEBP stream holds {found[0]}x{found[1]}, wanted {width}x{height}")
    return read_still(stream, "WEBP", width, height)
