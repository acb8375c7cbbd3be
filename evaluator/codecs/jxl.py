"""JPEG XL, a bare codestream by libjxl.

ffmpeg goes no further than distance 15, which takes several times the bits of VVC at QP 53.
"""

from typing import TYPE_CHECKING

from evaluator.ffmpeg import decode_intra, encode_intra, ffmpeg_version

if TYPE_CHECKING:
    from PIL.Image import Image

# 100 would be lossless, another codec in all but name.
QUALITIES = range(100)
HIGHER_IS_BETTER = True


def description() -> str:
    """Return encoder, preset, pixel format and version."""
    return f"libjxl VarDCT, effort 9, rgb24, ffmpeg {ffmpeg_version()}"


def encode(picture: "Image", quality: int) -> bytes:
    """Return the stream of a picture at a quality, which ffmpeg turns into libjxl's distance."""
    options = ["-c:v", "libjxl", "-effort", "9", "-q:v", str(quality), "-pix_fmt", "rgb24"]
    return encode_intra(picture, options, "image2pipe", even=False)


def decode(stream: bytes, width: int, height: int) -> "Image":
    """Return the picture of a stream."""
    return decode_intra(stream, "jpegxl_pipe", width, height, even=False)
