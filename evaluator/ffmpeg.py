"""The ffmpeg that `imageio-ffmpeg` carries: pictures in, streams out, and back."""

import re
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from protocol.errors import CodecError
from protocol.rules import MAX_PIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

CONVERSION = "bicubic+accurate_rnd+full_chroma_int+bitexact"
"""swscale's flags on the way from YUV to RGB. Without them it is quick, rounds down and makes every
picture darker (`benchmarks/colour.py`); a codec would be blamed for what its decoder lost."""
_TIMEOUT_SECONDS = 600
_PIXELS_A_SECOND = 10_000
"""That the slowest encoder codes at least: the largest picture may take an hour."""
_SPEAKER = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\] *")
_NO_ERROR = re.compile(r"Svt\[(info|warn)\]")
"""SVT-AV1 says what it is whenever it refuses something."""


@cache
def ffmpeg_program() -> str:
    """Return the path of the program."""
    import imageio_ffmpeg

    program: str = imageio_ffmpeg.get_ffmpeg_exe()
    return program


@cache
def ffmpeg_version() -> str:
    """Return the version as the program names it."""
    return _run(["-version"], b"").decode().split(" ", 3)[2]


def yuv_by_ffmpeg(pixel_format: str) -> str:
    """Return what decides, beside the encoder, which picture a codec gives back."""
    return f"{pixel_format}, ffmpeg {ffmpeg_version()}, to RGB by {CONVERSION}"


def encode_intra(
    picture: "Image", options: Sequence[str], stream_format: str, *, even: bool = True
) -> bytes:
    """Return one intra picture as a bare stream.

    4:2:0 wants even sides and some encoders at least 16 pixels: a picture is padded by repeating
    its last column and row, and the decoder cuts it again.

    Args:
        picture: RGB, any size.
        options: the encoder's own options.
        stream_format: ffmpeg's name of the bare stream, for example `vvc`.
        even: whether the codec wants even sides of at least 16.

    Raises:
        CodecError: ffmpeg refused.
    """
    padded = _pad(picture) if even else picture
    size = f"{padded.width}x{padded.height}"
    try:
        return _run(
            [
                *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size),
                *("-i", "-", "-frames:v", "1", "-threads", "1"),
                *options,
                *("-f", stream_format, "-"),
            ],
            padded.tobytes(),
            seconds=_TIMEOUT_SECONDS + padded.width * padded.height // _PIXELS_A_SECOND,
        )
    except CodecError as error:
        raise CodecError(f"no {stream_format} stream of {size} pixels: {error}") from error


def decode_intra(
    stream: bytes, stream_format: str, width: int, height: int, *, even: bool = True
) -> "Image":
    """Return the picture of a bare stream, cut to `width` x `height`.

    Args:
        stream: the bare stream.
        stream_format: ffmpeg's name of it.
        width: wanted.
        height: wanted.
        even: whether the stream holds the picture at such sides.

    Raises:
        CodecError: ffmpeg refused, or the stream holds a picture of another size.
    """
    from PIL import Image

    coded_width, coded_height = map(_coded_side, (width, height)) if even else (width, height)
    data = _run(
        [
            # A stream that was cut ends in an error, and JPEG XL's reader does not wait for more.
            "-xerror",
            *("-threads", "1", "-max_pixels", str(MAX_PIXELS + 4 * (width + height))),
            *("-f", stream_format, "-i", "-", "-frames:v", "1"),
            *("-sws_flags", CONVERSION, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
        ],
        stream,
    )
    if len(data) != coded_width * coded_height * 3:
        raise CodecError(
            f"the {stream_format} stream holds {len(data):,} bytes of picture; "
            f"{coded_width}x{coded_height} needs {coded_width * coded_height * 3:,}"
        )
    picture = Image.frombytes("RGB", (coded_width, coded_height), data)
    return picture.crop((0, 0, width, height))


def _coded_side(side: int) -> int:
    return max(16, side + side % 2)


def _pad(picture: "Image") -> "Image":
    import numpy as np
    from PIL import Image

    right, below = (_coded_side(side) - side for side in picture.size)
    if not right and not below:
        return picture
    margins = ((0, below), (0, right), (0, 0))
    return Image.fromarray(np.pad(np.asarray(picture), margins, mode="edge"))


def _run(arguments: Sequence[str], data: bytes, *, seconds: int | None = None) -> bytes:
    seconds = seconds or _TIMEOUT_SECONDS
    command = [ffmpeg_program(), "-hide_banner", "-loglevel", "error", *arguments]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CodecError(f"ffmpeg did not end within {seconds} s") from error
    if done.returncode != 0 or not done.stdout:
        raise CodecError(f"ffmpeg ended with {done.returncode}: {_reason(done.stderr)}")
    return done.stdout


def _reason(said: bytes) -> str:
    """Return the first error, from which the others follow, without the addresses in it."""
    lines = _SPEAKER.sub("", said.decode(errors="replace")).splitlines()
    return next((line[:200] for line in lines if line and not _NO_ERROR.match(line)), "no output")
