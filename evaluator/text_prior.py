"""A text prior: captions that encoder and decoder both have, and that new ones resemble.

    the line "CMC text prior 1", then each caption's UTF-8 bytes and a zero byte

The file's sha256 names it; its first byte that is not zero stands in every text section that needs
the prior.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from protocol.errors import CaptionError

MAGIC = b"CMC text prior 1\n"
PRIOR_DIGITS = 16
"""Digits of the sha256 by which a protocol names its prior."""
MAX_PRIOR_BYTES = 1 << 20
"""Coding a caption takes time in proportion to the prior; a thousand captions have 128 kB."""


@dataclass(frozen=True)
class TextPrior:
    """A prior file's contents."""

    data: bytes
    """The whole file."""

    @cached_property
    def sha256(self) -> str:
        """Return the file's hash, 64 hex digits."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def tag(self) -> int:
        """Return the hash's first byte that is not zero: what a text section says of it."""
        return next(filter(None, hashlib.sha256(self.data).digest()))

    @property
    def name(self) -> str:
        """Return what people are shown."""
        return name_of_tag(self.tag)

    @property
    def captions(self) -> bytes:
        """Return the captions, each with its zero byte."""
        return self.data[len(MAGIC) :]


def name_of_tag(tag: int) -> str:
    """Return what is known of a prior by its tag."""
    return f"whose sha256 begins with {tag:02x}"


def build_prior(captions: Iterable[str]) -> TextPrior:
    """Return the prior of some captions, in their order.

    Raises:
        CaptionError: there are none, they are too many, or one holds a zero byte.
    """
    texts = [caption.encode() for caption in captions if caption]
    if any(b"\0" in text for text in texts):
        raise CaptionError("a caption holds a zero byte, which separates the captions of a prior")
    data = MAGIC + b"".join(text + b"\0" for text in texts)
    return _checked(data, "the prior")


def read_prior(path: Path) -> TextPrior:
    """Return the prior of a file.

    Raises:
        CaptionError: the file is missing or is none.
    """
    if not path.is_file():
        raise CaptionError(f"{path} is missing; make a prior with `cmc text-prior build CAPTIONS`")
    with path.open("rb") as file:
        return _checked(file.read(MAX_PRIOR_BYTES + 1), str(path))


def _checked(data: bytes, what: str) -> TextPrior:
    if not data.startswith(MAGIC):
        raise CaptionError(f"{what} is no text prior: it begins with {data[:12]!r}")
    if len(data) > MAX_PRIOR_BYTES:
        raise CaptionError(f"{what} has more than {MAX_PRIOR_BYTES:,} bytes; take fewer captions")
    if len(data) == len(MAGIC) or data[-1]:
        raise CaptionError(f"{what} holds no captions, or ends within one")
    return TextPrior(data)
