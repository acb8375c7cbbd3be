"""Picture codecs, one a file: each has QUALITIES, `encode(picture, quality)` and `decode`."""

from typing import TYPE_CHECKING, Protocol, cast

from protocol.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageCodec(Protocol):
    """Both directions of a picture codec."""

    QUALITIES: range
    """The qualities it takes; the unit is the codec's own (QP: lower is better)."""

    def encode(self, picture: "Image", quality: int) -> bytes:
        """Return a complete stream for an RGB picture of any size."""
        ...

    def decode(self, stream: bytes, width: int, height: int) -> "Image":
        """Return the picture of a stream, exactly `width` x `height`.

        Raises:
            CodecError: the stream cannot be read or holds a picture of another size.
        """
        ...


def load_codec(name: str) -> ImageCodec:
    """Return the codec of this name.

    Raises:
        ModelError: there is none.
    """
    from importlib import import_module

    from evaluator.bitstream import IMAGE_CODECS

    if name not in IMAGE_CODECS:
        raise ModelError(f"no codec {name!r}; there are {', '.join(IMAGE_CODECS)}")
    return cast("ImageCodec", import_module(f"evaluator.codecs.{name}"))


def check_quality(name: str, quality: str) -> int:
    """Return a quality as a number that the codec takes.

    Raises:
        ModelError: it is none.
    """
    allowed = load_codec(name).QUALITIES
    if not quality.isdigit() or int(quality) not in allowed:
        raise ModelError(
            f"{name}:{quality} names no quality; wanted a QP from {allowed[0]} to {allowed[-1]}, "
            f"for example {name}:{allowed[-1] - 10}"
        )
    return int(quality)
