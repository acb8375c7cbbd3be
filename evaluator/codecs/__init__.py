"""Picture codecs, one a file: QUALITIES, HIGHER_IS_BETTER, `description`, `encode`, `decode`."""

from typing import TYPE_CHECKING, Protocol, cast

from protocol.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image


class ImageCodec(Protocol):
    """Both directions of a picture codec."""

    QUALITIES: range
    """The qualities it takes; the unit is the codec's own."""
    HIGHER_IS_BETTER: bool
    """Whether a higher number is a better picture; a QP is the other way round."""

    def description(self) -> str:
        """Return encoder, preset, pixel format and version: all that decides the bytes."""
        ...

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
    codec = load_codec(name)
    allowed = codec.QUALITIES
    # Other scripts' digits are digits to Python, and a row's name is not written in them.
    is_number = quality.isascii() and quality.isdecimal() and len(quality) < 10
    if not is_number or int(quality) not in allowed:
        what = "a quality" if codec.HIGHER_IS_BETTER else "a QP"
        example = allowed[10] if codec.HIGHER_IS_BETTER else allowed[-11]
        raise ModelError(
            f"{name}:{quality} names no quality; wanted {what} from {allowed[0]} to "
            f"{allowed[-1]}, for example {name}:{example}"
        )
    return int(quality)
