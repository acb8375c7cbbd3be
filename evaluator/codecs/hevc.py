"""HEVC (H.265), one intra picture by x265.

`info=0` leaves out the message with the encoder's options, which is larger than the picture.
"""

from typing import TYPE_CHECKING

from evaluator.ffmpeg import decode_intra, encode_intra, yuv_by_ffmpeg

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = range(52)
HIGHER_IS_BETTER = False


def description() -> str:
    """Return encoder, preset, pixel format, version and the way back to RGB."""
    return f"libx265 intra, preset slower, {yuv_by_ffmpeg('yuv420p')}"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the stream of a picture at a QP."""
    options = ["-c:v", "libx265", "-preset", "slower", "-pix_fmt", "yuv420p"]
    parameters = f"qp={quality}:info=0:log-level=none"
    return encode_intra(picture, [*options, "-x265-params", parameters], "hevc")


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a stream."""
    return decode_intra(stream, "hevc", width, height)
