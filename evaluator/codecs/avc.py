"""AVC (H.264), one intra picture by x264.

The filter takes out the message with the encoder's options (NAL unit type 6), which no decoder
needs and which can be as large as the picture.
"""

from typing import TYPE_CHECKING

from evaluator.ffmpeg import decode_intra, encode_intra, yuv_by_ffmpeg

if TYPE_CHECKING:
    from PIL.Image import Image

# At 0 x264 is lossless, which takes fewer bits than 1 and is another codec in all but name.
QUALITIES = range(1, 52)
HIGHER_IS_BETTER = False


def description() -> str:
    """Return encoder, preset, pixel format, version and the way back to RGB."""
    return f"libx264 intra, preset slower, {yuv_by_ffmpeg('yuv420p')}"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the stream of a picture at a QP."""
    options = ["-c:v", "libx264", "-preset", "slower", "-qp", str(quality)]
    options += ["-pix_fmt", "yuv420p", "-bsf:v", "filter_units=remove_types=6"]
    return encode_intra(picture, options, "h264")


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a stream."""
    return decode_intra(stream, "h264", width, height)
