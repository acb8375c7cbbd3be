"""PPMd, primed with captions that both sides have.

    0x00, the caption's bytes                where that is shorter, or a byte is zero
    the prior's tag, 1 to 255; then what the caption adds to the prior's stream

A zero byte ends the caption. What it adds is told in `_ppmd_stream`.
"""

from dataclasses import dataclass

from evaluator.text_prior import TextPrior, name_of_tag
from protocol.errors import BitstreamError, CaptionError

_RAW = b"\0"


@dataclass(frozen=True, slots=True)
class PrimedCoder:
    """The coder with its prior."""

    prior: TextPrior | None

    def encode(self, text: bytes) -> bytes:
        """Return the section of a caption.

        Raises:
            CaptionError: there is no prior.
        """
        from evaluator.text_coders._ppmd_stream import stream_of

        if self.prior is None:
            raise CaptionError(
                "the ppmd text coder needs a prior; give --text-prior FILE, "
                "made by `cmc text-prior build CAPTIONS`"
            )
        raw = _RAW + text
        if b"\0" in text:
            return raw
        primed = bytes([self.prior.tag]) + stream_of(self.prior).addition(text)
        return min(primed, raw, key=len)

    def decode(self, payload: bytes, limit: int) -> bytes:
        """Return the caption of a section."""
        if not payload:
            raise BitstreamError("the text section is empty")
        if payload[:1] == _RAW:
            text = payload[1:]
        else:
            text = self._decode_primed(payload[0], payload[1:], limit)
        if len(text) > limit:
            raise BitstreamError(f"the caption unpacks to more than {limit:,} bytes")
        return text

    def _decode_primed(self, tag: int, addition: bytes, limit: int) -> bytes:
        from evaluator.text_coders._ppmd_child import decode_apart
        from evaluator.text_coders._ppmd_stream import joined, stream_of

        if self.prior is None or self.prior.tag != tag:
            given = f"one {self.prior.name} was given" if self.prior else "none was given"
            raise BitstreamError(
                f"the caption needs the text prior {name_of_tag(tag)}, and {given}; "
                "give it with --text-prior FILE"
            )
        stream = stream_of(self.prior)
        # With a space before every byte, were each a mark.
        symbols = decode_apart(stream.captions, stream.with_addition(addition), 2 * limit)
        text = joined(symbols)
        # Another prior of the same tag, or a changed byte, gives a text that is sent otherwise.
        if len(text) <= limit and stream.addition(text) != addition:
            raise BitstreamError(
                "the text section is damaged, or was made with another prior of the same tag: "
                "its caption would be sent in other bytes"
            )
        return text


def load(prior: TextPrior | None) -> PrimedCoder:
    """Return the coder; without a prior it reads what was sent raw."""
    return PrimedCoder(prior)
