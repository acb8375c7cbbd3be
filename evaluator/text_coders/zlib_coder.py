"""zlib at level 9: the protocol's text coder, as in the GPT-4o paper and Text+Sketch."""

import zlib

from protocol.errors import BitstreamError


def encode(text: bytes) -> bytes:
    """Return the zlib stream of a caption."""
    return zlib.compress(text, 9)


def decode(payload: bytes, limit: int) -> bytes:
    """Return the caption of one complete zlib stream."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(payload, limit + 1)
    except zlib.error as error:
        raise BitstreamError(f"the text section is no zlib stream: {error}") from error
    if len(text) > limit:
        raise BitstreamError(f"the caption unpacks to more than {limit:,} bytes")
    if not stream.eof or stream.unused_data:
        raise BitstreamError("the text section is not exactly one zlib stream")
    return text
