"""Pictures to and from bytes: 8-bit RGB, checked at the door."""

import hashlib
import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import OtherPictures, PictureError
from protocol.rules import MAX_PIXELS, MAX_SIDE
from protocol.samples import list_samples

if TYPE_CHECKING:
    from PIL.Image import Image


_STILLS = ("MPO", "PSD")
"""Formats whose further pictures are previews of the first, or its layers."""
_ROOM = f"sides go to {MAX_SIDE}, with at most {MAX_PIXELS:,} pixels"
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    RuntimeError,
    AssertionError,
    struct.error,
)
"""What Pillow's formats end with at a damaged file, each in its own way."""
_ORIENTATION = 0x0112
"""The number of Exif's tag; from 5 on a picture lies on its side."""


def read_picture(path: Path) -> "Image":
    """Return a picture as RGB, whole and checked.

    Raises:
        PictureError: the file is missing, damaged or too large, holds several pictures, or has
            transparent pixels.
    """
    if not path.exists() or path.is_dir():
        raise PictureError(f"{path} is missing or a folder; wanted a picture")
    return open_picture(path.read_bytes(), str(path))


def read_known(path: Path, sha256: str) -> "Image":
    """Return a picture as `read_picture` does, if its file is still the one of this sha256.

    Raises:
        OtherPictures: it was replaced; what is made of it would be kept under the wrong key.
        PictureError: as for `read_picture`.
    """
    data = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise OtherPictures(f"{path} was changed while a run needed it; start again")
    return open_picture(data, str(path))


def picture_size(path: Path) -> tuple[int, int]:
    """Return the width and height that `read_picture` will find, from a picture's header.

    Raises:
        PictureError: the file is missing or is no picture.
    """
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            return (height, width) if _orientation(picture) > 4 else (width, height)
    except Image.DecompressionBombError as error:
        raise PictureError(f"{path} has too many pixels; {_ROOM}") from error
    except _UNREADABLE as error:
        raise PictureError(f"{path} is no picture: {error}") from error


def open_picture(data: bytes, where: str, backdrop: str | None = None) -> "Image":
    """Return the picture in `data` as RGB.

    Args:
        data: a file's bytes.
        where: what messages call it.
        backdrop: the colour that shows through transparent pixels; None refuses these.

    Raises:
        PictureError: as for `read_picture`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(data))
        width, height = picture.size
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise PictureError(f"{where} has {width}x{height} pixels; {_ROOM}")
        frames = getattr(picture, "n_frames", 1)
        if frames > 1 and picture.format not in _STILLS:
            raise PictureError(
                f"{where} holds {frames} pictures; save the one that is meant as a PNG of its own"
            )
        has_exif = "exif" in picture.info
        picture.load()
        if not has_exif:
            # It stands behind a PNG's pixels, where `picture_size` does not go.
            picture.info.pop("exif", None)
        if picture.mode == "P" and picture.palette is None:
            raise PictureError(f"{where} is no whole picture: its palette is missing")
    except UnidentifiedImageError as error:
        raise PictureError(f"{where} is no picture of a format that is known here") from error
    except Image.DecompressionBombError as error:
        raise PictureError(f"{where} has too many pixels; {_ROOM}") from error
    except _UNREADABLE as error:
        raise PictureError(f"{where} is no whole picture: {error}") from error
    return to_rgb(picture, where, backdrop)


def to_rgb(picture: "Image", where: str, backdrop: str | None = None) -> "Image":
    """Return a picture that is open as 8-bit RGB, the way up that its camera wrote beside it.

    Raises:
        PictureError: it has transparent pixels, or more than 16 bits a channel.
    """
    from PIL import Image, ImageOps

    if picture.has_transparency_data:
        opaque_pixels = picture.convert("RGBA").getchannel("A").histogram()[255]
        if opaque_pixels < picture.width * picture.height:
            if backdrop is None:
                raise PictureError(f"{where} has transparent pixels; put it on a background first")
            below = Image.new("RGBA", picture.size, backdrop)
            picture = Image.alpha_composite(below, picture.convert("RGBA"))
    rgb, orientation = _in_eight_bits(picture, where).convert("RGB"), _orientation(picture)
    if orientation == 1:
        return rgb
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    rgb.info = {"exif": exif.tobytes()}
    return ImageOps.exif_transpose(rgb)


def _orientation(picture: "Image") -> int:
    """Return what Exif says, from 1 to 8; 1 where it says nothing that can be read."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(picture.info.get("exif", b""))
        found = exif.get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def _in_eight_bits(picture: "Image", where: str) -> "Image":
    """Return a grey picture of 16 bits as Pillow reads a coloured one; left alone it would clip."""
    if picture.mode in ("I", "F"):
        raise PictureError(f"{where} has 32 bits a pixel; save it with 8 bits a channel")
    if not picture.mode.startswith("I;16"):
        return picture
    import numpy as np
    from PIL import Image

    return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))


def png_bytes(picture: "Image") -> bytes:
    """Return a picture as PNG, lossless."""
    file = io.BytesIO()
    # Level 1: these are intermediate files, and level 6 takes three times as long.
    picture.save(file, "PNG", compress_level=1)
    return file.getvalue()


def fingerprint_images(folder: Path) -> str:
    """Return 64 hex digits over the names and contents of a folder of ground truth.

    Raises:
        PictureError: the folder is missing or empty, or a name is not the benchmark's.
    """
    names = [sample.name for sample in list_samples(folder)]
    return fingerprint(
        {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    )


def fingerprint(sha256s: Mapping[str, str]) -> str:
    """Return 64 hex digits over pictures' names and the sha256 of their files."""
    lines = (f"{name}\0{sha256}\n" for name, sha256 in sorted(sha256s.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
