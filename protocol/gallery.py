"""The pictures of a run that people may look at: written by the evaluator, shown by the Space."""

from collections.abc import Iterator
from dataclasses import dataclass

from protocol.rules import Content, Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPicture:
    """One image in one mode: what was sent, what came back, and how it was scored."""

    name: str
    """The ground truth's file name."""
    content: Content
    mode: Mode
    original: str
    """File name in the gallery's folder, as are the next three."""
    sent: str
    """What the decoder started from; empty in text mode."""
    decoded: str
    """Empty when nothing could be decoded."""
    error_map: str
    """Mean absolute difference over the channels, dark to bright; empty without a picture."""
    error_max: float
    """The difference that is drawn brightest, in grey levels of 0 to 255."""
    width: int
    height: int
    """Of the ground truth; the pictures here may be smaller."""
    caption: str
    bits: int
    """8 x bytes of the file."""
    bits_per_pixel: float
    text_bits: int
    pixels_bits: int
    image_bits: int
    consistency: float | None
    perception: float | None
    status: str
    """`scored`, or the code of the failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """A bounded choice of a run's pictures; scores of all images are in the per-image table."""

    schema_version: int
    request_id: str
    images_of_run: int
    """How many images the run had; those not here are in the per-image table alone."""
    longest_side: int
    """Pictures are no larger than this, in pixels."""
    pictures: tuple[GalleryPicture, ...]

    def files(self) -> Iterator[str]:
        """Yield the names of all picture files, some of them several times."""
        for picture in self.pictures:
            names = (picture.original, picture.sent, picture.decoded, picture.error_map)
            yield from filter(None, names)
