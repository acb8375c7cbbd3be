"""Where the name of a point goes, so that names cover neither points nor each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

# Width of a character and height of a line, as shares of a figure about 1,100 x 380 pixels large.
_CHARACTER, _LINE, _GAP = 0.0066, 0.045, 0.012
_LINE_WIDTH = 0.002

_SHIFTS = {
    "middle right": (1.0, 0.0),
    "middle left": (-1.0, 0.0),
    "top center": (0.0, 1.0),
    "bottom center": (0.0, -1.0),
    "top right": (1.0, 1.0),
    "top left": (-1.0, 1.0),
    "bottom right": (1.0, -1.0),
    "bottom left": (-1.0, -1.0),
}
"""Plotly's positions by the side of the point, most readable first."""
_ABOVE = {"top right": _SHIFTS["top right"]}

MOST_NAMED = 60
"""Names that a figure has room for; the pointer and the table have the rest."""


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: "_Box") -> float:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return max(0.0, width) * max(0.0, height)


def place_labels(
    places: Sequence[tuple[float, float]], lengths: Sequence[int], *, joined: int = 0
) -> list[str]:
    """Return a Plotly text position for each point, chosen in turn for the least overlap.

    Of more than `MOST_NAMED` the first are placed; the others should have no name.

    Args:
        places: the points, in any unit.
        lengths: characters of each point's name.
        joined: how many of the first a line joins that goes right and then up or down; no name is
            struck through by it.
    """
    points = _scaled(places)
    taken = [_Box(x - _GAP / 2, y - _GAP, x + _GAP / 2, y + _GAP) for x, y in points]
    for (x, y), (next_x, next_y) in pairwise(points[:joined]):
        taken.append(_Box(x, y - _LINE_WIDTH, next_x, y + _LINE_WIDTH))
        low, high = sorted((y, next_y))
        taken.append(_Box(next_x - _LINE_WIDTH, low, next_x + _LINE_WIDTH, high))
    chosen = []
    named = list(zip(points, lengths, strict=True))[:MOST_NAMED]
    for number, ((x, y), length) in enumerate(named):
        # Above its line a name stands where it would without one: beginning at its point.
        shifts = _ABOVE | _SHIFTS if number < joined - 1 else _SHIFTS
        boxes = {position: _label_box(x, y, length, shift) for position, shift in shifts.items()}
        # Of hundreds of boxes a few are near enough to be covered.
        around = _around([*boxes.values()])
        near = [box for box in taken if around.overlap(box)]
        best = min(boxes, key=lambda position: _cost(boxes[position], near))
        taken.append(boxes[best])
        chosen.append(best)
    return chosen + ["middle right"] * (len(points) - len(named))


def _around(boxes: Sequence[_Box]) -> _Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return _Box(min(lefts), min(bottoms), max(rights), max(tops))


def _scaled(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    scaled_axes = []
    for axis in (0, 1):
        values = [place[axis] for place in places]
        span = 1.24 * (max(values) - min(values)) or 1.0
        scaled_axes.append([(value - min(values)) / span + 0.1 for value in values])
    return list(zip(*scaled_axes, strict=True))


def _label_box(x: float, y: float, length: int, shift: tuple[float, float]) -> _Box:
    half_width, half_height = length * _CHARACTER / 2, _LINE / 2
    centre_x = x + shift[0] * (half_width + _GAP)
    centre_y = y + shift[1] * (half_height + _GAP)
    return _Box(
        centre_x - half_width,
        centre_y - half_height,
        centre_x + half_width,
        centre_y + half_height,
    )


def _cost(box: _Box, taken: Sequence[_Box]) -> float:
    outside = max(0.0, -box.left) + max(0.0, box.right - 1.0)
    return sum(box.overlap(other) for other in taken) + outside
