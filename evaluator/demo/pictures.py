"""The demo's ground truth: four pictures of each content, and a caption for every one."""

import io
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from evaluator.demo.paintings import paint_paintings
from evaluator.demo.photographs import paint_photographs
from evaluator.demo.screens import paint_screens
from protocol.files import write_whole


def build_pictures(folder: Path, advance: Callable[[int], None] = lambda _: None) -> list[Path]:
    """Write the pictures as PNG and return their paths, always in the same order.

    `advance` is told of every picture. A file that already holds the same bytes is left alone,
    with its time stamp.

    Raises:
        PictureError: the installed scikit-image lacks a photograph.
        OSError: the folder cannot be written.
    """
    paths = []
    for name, picture in chain(paint_photographs(), paint_screens(), paint_paintings()):
        png = io.BytesIO()
        picture.save(png, "PNG")
        path = folder / name
        if not path.is_file() or path.read_bytes() != png.getvalue():
            write_whole(path, png.getvalue())
        paths.append(path)
        advance(1)
    return paths


def captions_file() -> Path:
    """Return the CSV file (name, text) of captions that a person wrote for these pictures."""
    return Path(__file__).with_name("hand-written.csv")
