"""How a caption becomes bytes: one coder a file, named as the container names it."""

from typing import Protocol, cast

from evaluator.text_prior import TextPrior
from protocol.errors import BitstreamError, CaptionError, InputError
from protocol.rules import MAX_CAPTION_BYTES


class TextCoder(Protocol):
    """Both directions of one coder."""

    def encode(self, text: bytes) -> bytes:
        """Return the section for a UTF-8 caption."""
        ...

    def decode(self, payload: bytes, limit: int) -> bytes:
        """Return the caption, never allocating more than about `limit` bytes for it.

        Raises:
            BitstreamError: the payload is damaged, or holds more than `limit` bytes.
        """
        ...


def load_text_coder(name: str, prior: TextPrior | None = None) -> TextCoder:
    """Return the coder of this name.

    A coder is its module, or what the module's `load(prior)` makes where it has one.

    Raises:
        InputError: there is none.
    """
    from importlib import import_module

    from evaluator.bitstream import TEXT_CODERS

    if name not in TEXT_CODERS:
        raise InputError(f"no text coder {name!r}; there are {', '.join(TEXT_CODERS)}")
    module = import_module(f"evaluator.text_coders.{name}_coder")
    return cast("TextCoder", module.load(prior) if hasattr(module, "load") else module)


def encode_caption(caption: str, coder: str, prior: TextPrior | None = None) -> bytes:
    """Return the text section of a caption.

    Raises:
        CaptionError: the caption is longer than a file can carry or is no text, or the coder lacks
            its prior.
    """
    try:
        text = caption.encode("utf-8")
    except UnicodeEncodeError as error:
        raise CaptionError(f"the caption is no valid Unicode text: {error}") from error
    if len(text) >= MAX_CAPTION_BYTES:
        raise CaptionError(
            f"a caption of {len(text):,} bytes; at most {MAX_CAPTION_BYTES - 1:,} can be sent"
        )
    return load_text_coder(coder, prior).encode(text)


def decode_caption(payload: bytes, coder: str, prior: TextPrior | None = None) -> str:
    """Return the caption of a text section.

    Raises:
        BitstreamError: it is damaged, too long, or no UTF-8, or needs another prior.
    """
    text = load_text_coder(coder, prior).decode(payload, MAX_CAPTION_BYTES)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BitstreamError(f"the caption is no UTF-8: {error.reason}") from error
