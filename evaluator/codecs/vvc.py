"""VVC (H.266), one intra picture by VVenC: the reference of image and full mode at QP 53.

Perceptual QP adaptation is on by default in VVenC and doubles the rate at the same QP; `-qpa 0`
turns it off.
"""

from typing import TYPE_CHECKING

from evaluator.ffmpeg import decode_intra, encode_intra, yuv_by_ffmpeg
from protocol.errors import CodecError

if TYPE_CHECKING:
    from PIL.Image import Image

QUALITIES = range(64)
HIGHER_IS_BETTER = False


def description() -> str:
    """Return encoder, preset, pixel format, version and the way back to RGB."""
    return f"libvvenc intra, preset medium, qpa 0, {yuv_by_ffmpeg('yuv420p10le')}"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the stream of a picture at a QP."""
    options = ["-c:v", "libvvenc", "-preset", "medium", "-qp", str(quality), "-qpa", "0"]
    try:
        return encode_intra(picture, [*options, "-pix_fmt", "yuv420p10le"], "vvc")
    except CodecError as error:
        raise CodecError(
            f"{error} (ffmpeg gives VVenC room for one byte a pixel of what it codes; where noise "
            "needs more, take a higher QP)"
        ) from error


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a stream."""
    return decode_intra(stream, "vvc", width, height)
