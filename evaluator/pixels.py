"""Pixel mode: one quantised pixel for each 64x64 block, packed, and its enlargement.

The paper states neither bit depth nor padding nor enlargement (P 3.2). Here: the mean of the block
(of the part that is inside the picture), 3 bits a channel, black and white exact; enlarged
bicubically, as the released reference pictures are.
"""

from typing import TYPE_CHECKING

from protocol.errors import BitstreamError
from protocol.rules import PIXEL_BITS_PER_CHANNEL, PIXEL_BLOCK

if TYPE_CHECKING:
    from PIL.Image import Image

_LEVELS = (1 << PIXEL_BITS_PER_CHANNEL) - 1


def payload_bytes(width: int, height: int) -> int:
    """Return the length of the section for a picture of this size."""
    columns, rows = _grid(width, height)
    return -(-columns * rows * 3 * PIXEL_BITS_PER_CHANNEL // 8)


def encode_pixels(picture: "Image") -> bytes:
    """Return the packed block means of an RGB picture, row by row, red first."""
    import numpy as np

    values = np.asarray(picture, dtype=np.float64)
    height, width = values.shape[:2]
    row_starts = np.arange(0, height, PIXEL_BLOCK)
    column_starts = np.arange(0, width, PIXEL_BLOCK)
    sums = np.add.reduceat(np.add.reduceat(values, row_starts, axis=0), column_starts, axis=1)
    rows_in_block = np.diff(row_starts, append=height)[:, None, None]
    columns_in_block = np.diff(column_starts, append=width)[None, :, None]
    means = sums / (rows_in_block * columns_in_block)
    levels = np.floor(means / 255 * _LEVELS + 0.5).astype(np.uint8)
    bits = levels.reshape(-1, 1) >> np.arange(PIXEL_BITS_PER_CHANNEL - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def decode_pixels(payload: bytes, width: int, height: int) -> "Image":
    """Return the start picture: the blocks' pixels, enlarged to `width` x `height`.

    Raises:
        BitstreamError: the payload has another length, or its padding bits are not 0.
    """
    import numpy as np
    from PIL import Image

    if len(payload) != payload_bytes(width, height):
        raise BitstreamError(f"{len(payload)} bytes of pixels do not fit {width}x{height}")
    columns, rows = _grid(width, height)
    used = columns * rows * 3 * PIXEL_BITS_PER_CHANNEL
    bits = np.unpackbits(np.frombuffer(payload, np.uint8))
    if bits[used:].any():
        raise BitstreamError("the padding bits of the pixels section are not 0")
    weights = 1 << np.arange(PIXEL_BITS_PER_CHANNEL - 1, -1, -1)
    levels = bits[:used].reshape(-1, PIXEL_BITS_PER_CHANNEL) @ weights
    small = np.floor(levels / _LEVELS * 255 + 0.5).astype(np.uint8).reshape(rows, columns, 3)
    # The grid's cells stay where their blocks are: enlarge to whole blocks, then cut.
    whole = Image.fromarray(small).resize(
        (columns * PIXEL_BLOCK, rows * PIXEL_BLOCK), Image.Resampling.BICUBIC
    )
    return whole.crop((0, 0, width, height))


def _grid(width: int, height: int) -> tuple[int, int]:
    return -(-width // PIXEL_BLOCK), -(-height // PIXEL_BLOCK)
