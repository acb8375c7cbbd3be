"""What a caption adds to the PPMd stream of a prior, and the stream that it stands for.

A range coder's stream is a number, and every text owns an interval of numbers. The stream of prior
and caption lies in the prior's interval, so the distance from the interval's beginning is all that
is sent: as a fraction of the interval's width, in the fewest bytes that stay in the caption's own.

The model sees a space before every punctuation mark, so that a word is followed by the same byte
wherever it stands.
"""

import re
from bisect import bisect_left
from functools import lru_cache

from evaluator.text_coders._ppmd_child import MEMORY_BYTES, ORDER
from evaluator.text_prior import TextPrior

_CHUNK = 1024
"""Bytes that the encoder is given at once: it loses what one symbol writes across the end of its
first 32 KiB of output, and this many symbols never write so much."""
_MARK = re.compile(rb"(?=[,.;:!?])")
_SPACED_MARK = re.compile(rb" (?=[,.;:!?])")


class PrimedStream:
    """The interval of a prior's captions."""

    def __init__(self, captions: bytes) -> None:
        """Take captions that each end with a zero byte."""
        self.captions = spaced(captions)
        self._settled, low = self._encode(b"", end_mark=False)
        _, high = self._encode(b"", end_mark=True)
        size = max(len(low), len(high))
        self._bits = 8 * size
        self._low = _number(low, size)
        self._width = _number(high, size) - self._low

    def addition(self, text: bytes) -> bytes:
        """Return what is sent of a caption, which holds no zero byte."""
        symbols = spaced(text) + b"\0"
        _, low = self._encode(symbols, end_mark=False)
        # An end mark takes the topmost part of an interval: whatever lies below is the text's.
        _, high = self._encode(symbols, end_mark=True)
        size = max(len(low), len(high), self._bits // 8)
        more = 8 * size - self._bits
        first, last = (_number(end, size) - (self._low << more) for end in (low, high))
        width = self._width << more

        def in_bytes(length: int) -> int:
            """Return the least number of so many bytes that does not lie below the text's."""
            return -(-(first << 8 * length) // width)

        # What fits into some bytes fits into more; each length's division takes milliseconds.
        fits = range(size)
        length = bisect_left(fits, True, key=lambda n: in_bytes(n) * width <= last << 8 * n)
        return in_bytes(length).to_bytes(length, "big")

    def with_addition(self, addition: bytes) -> bytes:
        """Return the stream of the prior and a caption."""
        more = 8 * len(addition)
        value = (self._low << more) + int.from_bytes(addition, "big") * self._width
        return self._settled + value.to_bytes((self._bits + more) // 8, "big")

    def _encode(self, text: bytes, *, end_mark: bool) -> tuple[bytes, bytes]:
        """Return what is written before the text, whatever follows, and the rest."""
        from pyppmd import Ppmd7Encoder

        encoder = Ppmd7Encoder(ORDER, MEMORY_BYTES)
        before, after = (
            b"".join(encoder.encode(part[i : i + _CHUNK]) for i in range(0, len(part), _CHUNK))
            for part in (self.captions, text)
        )
        return before, after + encoder.flush(endmark=end_mark)


def spaced(text: bytes) -> bytes:
    """Return a text with a space before each punctuation mark."""
    return _MARK.sub(b" ", text)


def joined(text: bytes) -> bytes:
    """Return the text that `spaced` was given."""
    return _SPACED_MARK.sub(b"", text)


@lru_cache(maxsize=4)
def stream_of(prior: TextPrior) -> PrimedStream:
    """Return the stream of a prior, made once."""
    return PrimedStream(prior.captions)


def _number(data: bytes, size: int) -> int:
    return int.from_bytes(data, "big") << 8 * (size - len(data))
