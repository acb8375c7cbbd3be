"""Every picture at the door is 8-bit RGB, or is refused with a reason."""

import io

import numpy as np
import pytest
from conftest import paint
from PIL import Image

from evaluator.pictures import open_picture
from protocol.errors import PictureError


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def test_sixteen_bits_of_grey_are_the_same_grey_in_eight() -> None:
    grey = np.asarray(paint(33, 21).convert("L"))
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert deep.mode == "I;16"
    read = open_picture(saved(deep), "deep.png")
    assert np.array_equal(np.asarray(read), np.stack([grey] * 3, axis=2))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_thirty_two_bits_a_pixel_are_refused(mode: str) -> None:
    picture = paint(33, 21).convert("L").convert(mode)
    with pytest.raises(PictureError, match=r"deep\.tif has 32 bits a pixel; save it with 8 bits"):
        open_picture(saved(picture, "TIFF"), "deep.tif")


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK"])
def test_other_ways_to_hold_a_picture_are_read_as_pillow_reads_them(mode: str) -> None:
    picture = paint(33, 21).convert(mode)
    read = open_picture(saved(picture, "TIFF"), "plain.tif")
    assert read.mode == "RGB"
    assert np.array_equal(np.asarray(read), np.asarray(picture.convert("RGB")))
