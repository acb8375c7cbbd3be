"""Natural scenes: photographs that ship inside the scikit-image wheel, free of copyright."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files

from PIL import Image

from protocol.errors import PictureError


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part of a photograph and the size it is brought to, in pixels."""

    file: str
    box: tuple[int, int, int, int]
    """Left, top, right, bottom."""
    size: tuple[int, int]


# Coffee and Chelsea are CC0 by their photographers; the other two, by NASA and SpaceX, are in the
# public domain. Most sides are odd, as codecs and decoders have to cope with.
_CUTS = (
    _Cut("coffee.png", (0, 0, 600, 400), (511, 341)),
    _Cut("chelsea.png", (82, 0, 382, 300), (256, 256)),
    _Cut("astronaut.png", (60, 0, 401, 512), (333, 500)),
    _Cut("rocket.jpg", (0, 0, 640, 427), (383, 256)),
)


def paint_photographs() -> Iterator[tuple[str, Image.Image]]:
    """Yield file names and photographs.

    Raises:
        PictureError: the installed scikit-image no longer carries one of them.
    """
    for number, cut in enumerate(_CUTS):
        # Not through skimage.data: it downloads what it does not find.
        source = files("skimage") / "data" / cut.file
        if not source.is_file():
            raise PictureError(f"scikit-image ships no data/{cut.file}; scikit-image 0.26 does")
        with as_file(source) as path, Image.open(path) as photograph:
            part = photograph.convert("RGB").crop(cut.box)
        name = f"NSI_skimage_{number:03}.png"
        yield name, part.resize(cut.size, Image.Resampling.LANCZOS)
