"""What the codecs that Pillow carries share."""

import io
from typing import TYPE_CHECKING

from protocol.errors import CodecError

if TYPE_CHECKING:
    from PIL.Image import Image


def pillow_version(library: str) -> str:
    """Return the version of a library in Pillow, and Pillow's own."""
    import PIL
    from PIL import features

    return f"{features.version(library)} in Pillow {PIL.__version__}"


def read_still(stream: bytes, kind: str, width: int, height: int) -> "Image":
    """Return the picture of a file, whose size is checked before anything is decoded.

    Args:
        stream: the file.
        kind: Pillow's name of the format, the only one that is tried.
        width: wanted.
        height: wanted.

    Raises:
        CodecError: the file cannot be read or holds a picture of another size.
    """
    from PIL import Image

    refusals = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
    try:
        with Image.open(io.BytesIO(stream), formats=[kind]) as file:
            if file.size != (width, height):
                raise CodecError(
                    f"the {kind} stream holds {file.width}x{file.height}, wanted {width}x{height}"
                )
            return file.convert("RGB")
    except refusals as error:
        raise CodecError(f"Pillow cannot read the {kind} stream: {error}") from error
