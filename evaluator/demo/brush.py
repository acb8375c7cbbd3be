"""Flat shapes with smooth edges and crisp text: what screens are drawn with."""

import math
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""
Point: TypeAlias = tuple[float, float]
_Font: TypeAlias = ImageFont.ImageFont | ImageFont.FreeTypeFont

_SMOOTHING = 4


@cache
def _font(size: int) -> _Font:
    return ImageFont.load_default(size=size)


def write(
    image: Image.Image,
    at: Point,
    text: str,
    size: int,
    colour: str,
    *,
    bold: float = 0,
    anchor: str = "ls",
) -> float:
    """Write one line of text and return where it ends, in pixels from the left."""
    ImageDraw.Draw(image).text(
        at, text, colour, _font(size), anchor=anchor, stroke_width=bold, stroke_fill=colour
    )
    return at[0] + _font(size).getlength(text)


def smooth(
    image: Image.Image, colour: str, box: Box, paint: Callable[[ImageDraw.ImageDraw], None]
) -> None:
    """Fill what `paint` draws in white, with smooth edges.

    Args:
        image: what is drawn on.
        colour: the fill.
        box: nothing outside it changes.
        paint: draws with the box's corner as origin, all lengths times `_SMOOTHING`.
    """
    left, top, right, bottom = (round(side) for side in box)
    size = (right - left, bottom - top)
    mask = Image.new("L", (size[0] * _SMOOTHING, size[1] * _SMOOTHING))
    paint(ImageDraw.Draw(mask))
    image.paste(colour, (left, top, right, bottom), mask.resize(size, Image.Resampling.BOX))


def panel(image: Image.Image, box: Box, colour: str, radius: float = 0) -> None:
    """Fill a rectangle with round corners."""
    far = ((box[2] - box[0]) * _SMOOTHING - 1, (box[3] - box[1]) * _SMOOTHING - 1)
    smooth(
        image,
        colour,
        box,
        lambda brush: brush.rounded_rectangle((0, 0, *far), radius * _SMOOTHING, fill=255),
    )


def disc(image: Image.Image, centre: Point, radius: float, colour: str) -> None:
    """Fill a circle."""
    x, y = centre
    panel(image, (x - radius, y - radius, x + radius, y + radius), colour, radius)


def curve(image: Image.Image, points: list[Point], colour: str, width: float) -> None:
    """Draw a polyline, its points in pixels of the whole image."""
    scaled = [(x * _SMOOTHING, y * _SMOOTHING) for x, y in points]
    smooth(
        image,
        colour,
        (0, 0, *image.size),
        lambda brush: brush.line(scaled, 255, round(width * _SMOOTHING), joint="curve"),
    )


def shape(image: Image.Image, points: list[Point], colour: str) -> None:
    """Fill a polygon, its corners in pixels of the whole image."""
    scaled = [(x * _SMOOTHING, y * _SMOOTHING) for x, y in points]
    smooth(image, colour, (0, 0, *image.size), lambda brush: brush.polygon(scaled, 255))


def gradient(size: tuple[int, int], top: str, bottom: str) -> Image.Image:
    """Return a picture that fades from its top colour to its bottom colour."""
    ramp = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), ramp)


def landscape(size: tuple[int, int], sky: tuple[str, str], hills: tuple[str, ...]) -> Image.Image:
    """Return a small flat picture of hills under a sun, as web pages and desktops show."""
    width, height = size
    image = gradient(size, *sky)
    disc(image, (round(width * 0.72), round(height * 0.36)), round(height * 0.13), "#fff3c4")
    for layer, colour in enumerate(hills):
        base, swing = height * (0.55 + 0.16 * layer), height * 0.1
        ridge = [
            (float(x), base + swing * math.sin(x / width * (5 + 2 * layer) + 2.3 * layer))
            for x in range(0, width + 8, 4)
        ]
        shape(image, [(0, height), *ridge, (width + 8, height)], colour)
    return image
