"""PPMd's decoder, in a process of its own.

pyppmd's decoder writes to freed memory when its input ends before it is done, and a `.cmc` file
comes from strangers. So the input is followed by more zeros than the most costly caption can
use up; and as it is C that nobody proved, it runs where it can harm nothing: started for one
caption, with bounds on time and memory, without this process's environment.
"""

import struct
import subprocess
import sys
from typing import BinaryIO

from evaluator.bounded import bound, last_line, run_apart
from protocol.errors import BitstreamError

ORDER = 8
"""Longest context, in bytes."""
MEMORY_BYTES = 1 << 26
"""Of the model, of which only what is used is taken: ten times what a thousand captions need."""
_PROCESS_BYTES = 1 << 30
_HEAD = struct.Struct(">II")
_SYMBOL_BYTES = 2 * (ORDER + 1)
"""At most two bytes of a stream are used up by an escape or a symbol, in each context's length."""
_SECONDS = 60
"""A caption of 16 kB takes two."""


def decode_apart(captions: bytes, stream: bytes, limit: int) -> bytes:
    """Return the text that follows a prior's captions in a stream, up to its zero byte.

    At most `limit + 1` bytes come back, and that many only where the text is longer than `limit`.

    Raises:
        BitstreamError: there is none, or the decoder failed.
    """
    given = _HEAD.pack(len(captions), limit) + captions + stream
    try:
        done = run_apart(__name__, given=given, seconds=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise BitstreamError(f"the caption was not decoded within {_SECONDS} seconds") from error
    if done.returncode:
        said = last_line(done) or f"its decoder ended with {done.returncode}"
        raise BitstreamError(f"the text section is damaged: {said}")
    return done.stdout


def decode(source: BinaryIO, out: BinaryIO) -> None:
    """Decode what `decode_apart` gives.

    Raises:
        ValueError: the stream holds no text.
    """
    from pyppmd import Ppmd7Decoder

    size, limit = _HEAD.unpack(source.read(_HEAD.size))
    captions, stream = source.read(size), source.read()
    decoder = Ppmd7Decoder(ORDER, MEMORY_BYTES)
    if decoder.decode(stream + bytes(_SYMBOL_BYTES * (limit + 2)), size) != captions:
        raise ValueError("its stream does not begin with the prior's")
    text = bytearray()
    # One by one: what follows the zero byte may be an error.
    while (byte := decoder.decode(b"", 1)) != b"\0":
        if not byte:
            raise ValueError("it ends before the caption does")
        text += byte
        if len(text) > limit:
            break
    out.write(text)


if __name__ == "__main__":
    bound(memory_bytes=_PROCESS_BYTES, seconds=_SECONDS)
    decode(sys.stdin.buffer, sys.stdout.buffer)
