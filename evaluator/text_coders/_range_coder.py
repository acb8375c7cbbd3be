"""A range coder (Martin 1979) whose carries Python's long integers take care of."""

from protocol.errors import BitstreamError

_TOP_BITS = 48
_BOTTOM = 1 << 40
# Totals of up to 24 bits leave each step 16 bits of precision.


class RangeEncoder:
    """Steps to the shortest bytes that lead a decoder through them."""

    def __init__(self) -> None:
        """Start with the whole range."""
        self._low = 0
        self._range = 1 << _TOP_BITS
        self._bits = _TOP_BITS

    def encode(self, start: int, size: int, total: int) -> None:
        """Narrow the range to `start` to `start + size` of `total`."""
        step = self._range // total
        self._low += start * step
        self._range = size * step
        while self._range < _BOTTOM:
            self._low <<= 8
            self._range <<= 8
            self._bits += 8

    def finish(self) -> bytes:
        """Return the bytes; what a decoder reads after them are zeros."""
        for zeros in range(self._bits, -1, -8):
            value = -(-self._low >> zeros) << zeros
            if value < self._low + self._range and value < 1 << self._bits:
                break
        settled, open_end = divmod(value, 1 << _TOP_BITS)
        return settled.to_bytes((self._bits - _TOP_BITS) // 8, "big") + open_end.to_bytes(
            _TOP_BITS // 8, "big"
        ).rstrip(b"\0")


class RangeDecoder:
    """Bytes to steps."""

    def __init__(self, payload: bytes) -> None:
        """Start with the whole range."""
        self._payload = payload
        self._next = _TOP_BITS // 8
        self._code = int.from_bytes(payload[: self._next].ljust(self._next, b"\0"), "big")
        self._range = 1 << _TOP_BITS
        self._encoder = RangeEncoder()

    def find(self, total: int) -> int:
        """Return which of `total` the bytes point at.

        Raises:
            BitstreamError: at none, as no encoder does.
        """
        value = self._code // (self._range // total)
        if value >= total:
            raise BitstreamError("the text section is damaged: it points at no symbol")
        return value

    def take(self, start: int, size: int, total: int) -> None:
        """Go on behind the step that `find` pointed at.

        Raises:
            BitstreamError: the encoder would have written more bytes by now.
        """
        self._encoder.encode(start, size, total)
        step = self._range // total
        self._code -= start * step
        self._range = size * step
        while self._range < _BOTTOM:
            byte = self._payload[self._next] if self._next < len(self._payload) else 0
            self._code = self._code << 8 | byte
            self._range <<= 8
            self._next += 1
        if self._next > len(self._payload) + _TOP_BITS // 8:
            raise BitstreamError("the text section is damaged: it ends before the caption does")

    def finish(self) -> None:
        """Refuse bytes that are not those which the encoder writes for the same steps.

        Raises:
            BitstreamError: they are others.
        """
        if self._encoder.finish() != self._payload:
            raise BitstreamError("the text section is damaged: bytes are missing or left over")
