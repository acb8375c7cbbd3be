"""Ground-truth images and the rule that their names carry their content."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import PictureError
from protocol.rules import Content

_NAME = re.compile(r"(NSI|SCI|AIGI)_([A-Za-z0-9]+)_([0-9]{3,})\.png")

_NO_PNG = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"),
        *(".avif", ".heic", ".heif", ".jxl", ".jp2", ".ppm"),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One ground-truth image, known by its name: `NSI_pgc_000.png`."""

    name: str
    content: Content
    source: str
    """Where the image is from: `pgc`, `screen`, `SDXL` and so on."""


def parse_name(name: str) -> Sample:
    """Return the sample that a file name stands for.

    Raises:
        PictureError: the name does not have the benchmark's form.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise PictureError(
            f"{name!r} is no benchmark name; wanted CONTENT_source_000.png "
            f"with CONTENT one of {', '.join(Content)}, for example NSI_pgc_000.png"
        )
    return Sample(name=name, content=Content(match[1]), source=match[2])


def png_files(paths: Iterable[Path]) -> list[Path]:
    """Return the PNG files among paths, in order; what is no picture is passed over.

    Raises:
        PictureError: there is a picture in another format, which would be missed by nobody.
    """
    found = sorted(path for path in paths if not path.name.startswith("."))
    other = [path for path in found if path.suffix.lower() in _NO_PNG and path.is_file()]
    if other:
        raise PictureError(
            f"{len(other)} pictures are no PNG files and would be left out, {other[0]} for "
            "example; save them as PNG, or move them elsewhere"
        )
    return [path for path in found if path.suffix.lower() == ".png"]


def list_samples(folder: Path) -> list[Sample]:
    """Return the samples of a folder of PNG files, by name.

    Raises:
        PictureError: the folder is missing, holds no PNG, or holds one with a foreign name or a
            picture that is no PNG.
    """
    if not folder.is_dir():
        raise PictureError(f"{folder} is not a folder; wanted a folder of ground-truth PNG files")
    names = sorted(path.name for path in png_files(folder.iterdir()))
    if not names:
        raise PictureError(f"{folder} holds no PNG file; wanted names like NSI_pgc_000.png")
    return [parse_name(name) for name in names]
