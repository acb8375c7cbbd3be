"""Brotli at quality 11, whose built-in dictionary knows English words."""

import brotli

from protocol.errors import BitstreamError


def encode(text: bytes) -> bytes:
    """Return the brotli stream of a caption."""
    stream: bytes = brotli.compress(text, mode=brotli.MODE_TEXT, quality=11)
    return stream


def decode(payload: bytes, limit: int) -> bytes:
    """Return the caption of one complete brotli stream."""
    stream = brotli.Decompressor()
    try:
        text: bytes = stream.process(payload, output_buffer_limit=limit + 1)
    except brotli.error as error:
        raise BitstreamError(f"the text section is no brotli stream: {error}") from error
    if len(text) > limit:
        raise BitstreamError(f"the caption unpacks to more than {limit:,} bytes")
    if not stream.is_finished():
        raise BitstreamError("the text section is not exactly one brotli stream")
    return text
