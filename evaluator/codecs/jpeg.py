"""JPEG by libjpeg-turbo in Pillow, with Huffman tables made for the picture and no metadata.

Of a baseline and a progressive file the shorter is sent: at the lowest rates the progressive one's
ten scan headers cost more than they save.
"""

import io
from typing import TYPE_CHECKING

from evaluator.codecs._pillow import pillow_version, read_still
from protocol.errors import CodecError

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = range(1, 101)
HIGHER_IS_BETTER = True
_SCAN = b"\xff\xda"
_MOST_SCANS = 30
"""The encoder writes ten. Each takes its reader through the whole picture, and a file few bytes."""


def description() -> str:
    """Return encoder, preset, pixel format and version."""
    return (
        f"libjpeg-turbo {pillow_version('libjpeg_turbo')}, optimised Huffman, "
        "the shorter of baseline and progressive, yuv420p"
    )


def encode(picture: "Image", quality: int) -> bytes:
    """Return the file of a picture at a quality."""
    files = []
    for progressive in (False, True):
        file = io.BytesIO()
        picture.save(
            file,
            "JPEG",
            quality=quality,
            optimize=True,
            progressive=progressive,
            subsampling="4:2:0",
            exif=b"",
            icc_profile=None,
            comment=b"",
        )
        files.append(file.getvalue())
    return min(files, key=len)


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a file."""
    scans = stream.count(_SCAN)
    if scans > _MOST_SCANS:
        raise CodecError(f"the JPEG stream has {scans} scans; wanted {_MOST_SCANS} at most")
    return read_still(stream, "JPEG", width, height)
