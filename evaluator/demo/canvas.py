"""Fields of numbers and colours: what paintings are made of."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field: TypeAlias = NDArray[np.float32]
"""`(H, W)`, or `(H, W, 3)` for colours in [0, 1]."""
Colour: TypeAlias = tuple[float, float, float]


def noise(
    random: np.random.Generator,
    size: tuple[int, int],
    cells: tuple[float, float],
    octaves: int,
    roughness: float = 0.5,
) -> Field:
    """Return smooth random hills, `(H, W)`, about 0 with a standard deviation of 1.

    Args:
        random: where the numbers come from.
        size: width x height.
        cells: how many hills the first octave has across and down.
        octaves: how often the hills are halved and added again.
        roughness: height of an octave relative to the one before.
    """
    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        across, down = (max(2, round(count * 2**octave)) + 3 for count in cells)
        grid = Image.fromarray(random.random((down, across), np.float32))
        # The box leaves out the rim, where resizing has no neighbours to look at.
        fine = grid.resize(size, Image.Resampling.BICUBIC, box=(1, 1, across - 1, down - 1))
        total += roughness**octave * (np.asarray(fine) - 0.5)
    flat: Field = (total - total.mean()) / total.std()
    return flat


def plane(size: tuple[int, int]) -> tuple[Field, Field]:
    """Return x and y of every pixel in units of the height, y downwards from 0 to 1."""
    y, x = np.mgrid[: size[1], : size[0]].astype(np.float32)
    return x / size[1], y / size[1]


def fade(value: Field, start: float, end: float) -> Field:
    """Return 0 before `start`, 1 after `end` and a smooth step between."""
    step = np.clip((value - start) / (end - start), 0, 1)
    smooth: Field = step * step * (3 - 2 * step)
    return smooth


def ramp(value: Field, stops: Sequence[tuple[float, Colour]]) -> Field:
    """Return the colour that a scale of colours has at each value."""
    places = [place for place, _ in stops]
    channels = [np.interp(value, places, [stop[1][i] for stop in stops]) for i in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def over(below: Field, colour: Field | Colour, alpha: Field) -> Field:
    """Lay a colour over a picture."""
    blend = alpha[..., None]
    mixed: Field = below * (1 - blend) + np.asarray(colour, np.float32) * blend
    return mixed


def triple(numbers: Sequence[float]) -> Field:
    """Return a colour or a point as an array, `(3,)`."""
    return np.asarray(numbers, np.float32)
