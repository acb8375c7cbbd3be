"""AV1, one intra picture by SVT-AV1, as bare OBUs without a container.

`avif=1` writes the short header of a still picture. libaom gives about the same picture for
the bits and takes several times as long.
"""

from typing import TYPE_CHECKING

from evaluator.ffmpeg import decode_intra, encode_intra, yuv_by_ffmpeg

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = range(1, 64)
HIGHER_IS_BETTER = False


def description() -> str:
    """Return encoder, preset, pixel format, version and the way back to RGB."""
    return f"libsvtav1 still picture, preset 2, {yuv_by_ffmpeg('yuv420p10le')}"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the stream of a picture at a QP."""
    options = ["-c:v", "libsvtav1", "-preset", "2", "-qp", str(quality)]
    options += ["-pix_fmt", "yuv420p10le", "-svtav1-params", "avif=1"]
    return encode_intra(picture, options, "obu")


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a stream."""
    return decode_intra(stream, "obu", width, height)
