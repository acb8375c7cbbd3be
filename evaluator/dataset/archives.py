"""Zip archives of pictures from strangers: looked through whole, then read one picture at a time.

Nothing is ever unpacked to disk, so a path that climbs out has nowhere to go; it is refused all the
same, because an archive with one was not made by who it says.
"""

import lzma
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from evaluator.dataset.faults import Faults
from evaluator.pictures import open_picture
from protocol.errors import DatasetError, PictureError

MAX_PICTURE_BYTES = 1 << 25
"""A 1024x1024 picture has 3 MB uncompressed; ten times that is no picture of the benchmark."""
MAX_RATIO = 50
"""PNG does not shrink in a zip; what shrinks further than a white page is a bomb."""
MAX_ENTRIES = 100_000
JUNK = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_END = b"IEND\xaeB`\x82"
_READ_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class PictureFile(NamedTuple):
    """A picture's file, whole and decodable."""

    data: bytes
    width: int
    height: int


class PictureArchive:
    """The pictures of a zip archive by file name; folders in it play no part."""

    def __init__(self, path: Path, faults: Faults) -> None:
        """Look through the directory; what cannot be used goes to `faults`."""
        self.path = path
        self._entries: dict[str, tuple[zipfile.ZipFile, zipfile.ZipInfo]] = {}
        self._zip: zipfile.ZipFile | None = None
        try:
            self._zip = archive = zipfile.ZipFile(path)
        except FileNotFoundError:
            faults.add(path.name, "the archive is missing")
            return
        except _READ_ERRORS as error:
            faults.add(path.name, f"no zip archive: {error}")
            return
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            faults.add(path.name, f"{len(entries):,} entries; at most {MAX_ENTRIES:,} are read")
            return
        for entry in entries:
            self._take(archive, entry, faults)

    @property
    def names(self) -> frozenset[str]:
        """The file names of the pictures."""
        return frozenset(self._entries)

    def mark(self, name: str) -> str:
        """Return what tells this picture's file from another without reading it."""
        _, entry = self._entries[name]
        return f"{name} {entry.file_size} {entry.CRC:08x}"

    def read(self, name: str) -> PictureFile:
        """Return a picture's file, decoded once to see that it is whole.

        Raises:
            DatasetError: the archive is damaged there.
            PictureError: it is no whole PNG.
        """
        archive, entry = self._entries[name]
        try:
            with archive.open(entry) as file:
                # One byte more than was said: the directory may lie.
                data = file.read(min(entry.file_size, MAX_PICTURE_BYTES) + 1)
        except _READ_ERRORS as error:
            raise DatasetError(f"damaged in the archive: {error}") from error
        if len(data) != entry.file_size:
            raise DatasetError(f"{len(data):,} bytes, the directory says {entry.file_size:,}")
        return check_png(data, name)

    def close(self) -> None:
        """Close the file."""
        if self._zip is not None:
            self._zip.close()

    def _take(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, faults: Faults) -> None:
        # `filename` is what zipfile made of it; the original may hold a zero byte or backslashes.
        path = PurePosixPath(entry.orig_filename)
        is_junk = path.name in JUNK or "__MACOSX" in path.parts
        if not is_unsafe(entry.orig_filename) and (entry.is_dir() or is_junk):
            return
        objection = _objection(entry)
        if not objection and path.name in self._entries:
            objection = "a duplicate: the name comes twice"
        if objection:
            faults.add(f"{self.path.name}, {entry.orig_filename!r}", objection)
        else:
            self._entries[path.name] = archive, entry


def _objection(entry: zipfile.ZipInfo) -> str:
    """Return why an entry cannot be a picture of a release; empty when it can."""
    size, packed = entry.file_size, entry.compress_size
    reasons = (
        (is_unsafe(entry.orig_filename), "the path leads out of the archive"),
        (stat.S_ISLNK(entry.external_attr >> 16), "a link; wanted a picture"),
        (bool(entry.flag_bits & 1), "encrypted"),
        (not entry.orig_filename.endswith(".png"), "no .png; nothing else belongs here"),
        (size > MAX_PICTURE_BYTES, f"{size:,} bytes; at most {MAX_PICTURE_BYTES:,} are read"),
        (size > MAX_RATIO * max(packed, 1 << 16), f"{packed:,} bytes claim to be {size:,}"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def is_unsafe(path: str) -> bool:
    """Return whether a path of an archive is absolute, climbs, or means another on Windows."""
    is_odd = any(sign in path for sign in ("\\", "\0", ":"))
    return is_odd or path.startswith("/") or ".." in PurePosixPath(path).parts


def check_png(data: bytes, where: str) -> PictureFile:
    """Return a PNG file with its size.

    Raises:
        PictureError: it is no PNG, is cut short or damaged, or has transparent pixels.
    """
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        raise PictureError(f"{where} is no PNG: it begins with {data[:8]!r}")
    if _END not in data:
        raise PictureError(f"{where} is cut short: a PNG ends with an IEND chunk")
    picture = open_picture(data, where)
    return PictureFile(data, picture.width, picture.height)
