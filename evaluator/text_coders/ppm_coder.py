"""Prediction by partial matching, primed with captions that both sides have.

    0x00, the caption's bytes                        where that is shorter, or a byte is zero
    1 bit 1, 15 bits of the prior's sha256, range-coded bytes; a zero byte ends the caption

pyppmd would do the same in C; its decoder was seen to corrupt the heap on a damaged stream.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.text_prior import TextPrior, name_of_tag
from protocol.errors import BitstreamError, CaptionError

if TYPE_CHECKING:
    from evaluator.text_coders._prediction import Predictor

_RAW = b"\0"
_PRIMED = 0x8000


@dataclass(frozen=True, slots=True)
class PrimedCoder:
    """The coder with its prior."""

    prior: TextPrior | None

    def encode(self, text: bytes) -> bytes:
        """Return the section of a caption.

        Raises:
            CaptionError: there is no prior.
        """
        if self.prior is None:
            raise CaptionError(
                "the ppm text coder needs a prior; give --text-prior FILE, "
                "made by `cmc text-prior build CAPTIONS`"
            )
        raw = _RAW + text
        if b"\0" in text:
            return raw
        primed = (_PRIMED | self.prior.tag).to_bytes(2, "big") + _encode(text, self.prior)
        return min(primed, raw, key=len)

    def decode(self, payload: bytes, limit: int) -> bytes:
        """Return the caption of a section."""
        if payload[:1] == _RAW:
            if len(payload) - 1 > limit:
                raise BitstreamError(f"a caption of {len(payload) - 1:,} bytes; at most {limit:,}")
            return payload[1:]
        if len(payload) < 2 or payload[0] < 0x80:
            raise BitstreamError(
                f"the text section begins with {payload[:2]!r}, which means nothing"
            )
        tag = int.from_bytes(payload[:2], "big") & ~_PRIMED
        if self.prior is None or self.prior.tag != tag:
            given = f"that is {self.prior.name}" if self.prior else "none was given"
            raise BitstreamError(
                f"the caption needs the text prior whose sha256 begins with {name_of_tag(tag)}, "
                f"and {given}; give it with --text-prior FILE"
            )
        return _decode(payload[2:], self.prior, limit)


def load(prior: TextPrior | None) -> PrimedCoder:
    """Return the coder; without a prior it reads what was sent raw."""
    return PrimedCoder(prior)


def _predictor(prior: TextPrior) -> "Predictor":
    from evaluator.text_coders._prediction import Predictor, counts_of

    return Predictor(counts_of(prior))


def _encode(text: bytes, prior: TextPrior) -> bytes:
    import numpy as np

    from evaluator.text_coders._range_coder import RangeEncoder

    predictor, coder = _predictor(prior), RangeEncoder()
    for byte in text + b"\0":
        ends = np.cumsum(predictor.frequencies())
        start = int(ends[byte - 1]) if byte else 0
        coder.encode(start, int(ends[byte]) - start, int(ends[-1]))
        predictor.follow(byte)
    return coder.finish()


def _decode(payload: bytes, prior: TextPrior, limit: int) -> bytes:
    import numpy as np

    from evaluator.text_coders._range_coder import RangeDecoder

    predictor, coder, text = _predictor(prior), RangeDecoder(payload), bytearray()
    while True:
        ends = np.cumsum(predictor.frequencies())
        total = int(ends[-1])
        byte = int(np.searchsorted(ends, coder.find(total), side="right"))
        start = int(ends[byte - 1]) if byte else 0
        coder.take(start, int(ends[byte]) - start, total)
        if not byte:
            coder.finish()
            return bytes(text)
        if len(text) == limit:
            raise BitstreamError(f"the caption unpacks to more than {limit:,} bytes")
        text.append(byte)
        predictor.follow(byte)
