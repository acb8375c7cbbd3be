"""Two pairs of pictures that every scorer scores beside its own: equal scorers answer alike.

Scores of other libraries, another card or another precision may be others. What a run's indicators
say of these pairs stands in its provenance, so that rows measured years apart can be compared, or
cannot. The pictures are integers from a hash: the same on every machine and with every library.
"""

import functools
import hashlib
import math
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from protocol.boards import bench_of
from protocol.records import Result

SIDE = 224
"""Of each picture, in pixels; every indicator can score that."""
TOLERANCE = 0.003
"""Mean absolute difference of a pair's score. The closest neighbours of the published boards are
0.0031 apart, so a scorer that is further off could swap two rows."""

Picture = NDArray[np.uint8]


class Pair(NamedTuple):
    """RGB pictures, SIDE x SIDE x 3."""

    reference: Picture
    distorted: Picture


@functools.cache
def pairs() -> tuple[Pair, Pair]:
    """Return something like a photograph, sent as blocks, and like a screen, blurred."""
    photo, screen = _photo(), _screen()
    blocks = photo.reshape(SIDE // 8, 8, SIDE // 8, 8, 3).sum((1, 3), dtype=np.int64) // 64
    return (
        Pair(photo, blocks.repeat(8, 0).repeat(8, 1).astype(np.uint8)),
        Pair(screen, _blurred(screen, 3)),
    )


def difference(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the mean absolute difference of two scorers' answers; NaN where one lacks a number."""
    if len(one) != len(other) or not one:
        return math.nan
    return fmean(abs(a - b) for a, b in zip(one, other, strict=True))


def is_off(one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether two scorers differ by what could swap two rows; one without a number does."""
    return not difference(one, other) <= TOLERANCE


def unlike(result: Result, rows: Iterable[Result]) -> str:
    """Return in words how a result's scorer differs from that of the first verified row beside it.

    Empty where it does not, and where one of the two was never asked about the pairs.
    """
    measures = (
        row
        for row in rows
        if row.source == "verified"
        and row.provenance.calibration
        and bench_of(row) == bench_of(result)
    )
    first = min(measures, key=lambda row: row.provenance.finished_at, default=None)
    if first is None:
        return ""
    known = first.provenance.calibration
    for name, scores in result.provenance.calibration.items():
        if name in known and is_off(scores, known[name]):
            return (
                f"{name} is {difference(scores, known[name]):.4f} off from request "
                f"{first.request.request_id} on the calibration pairs, wanted {TOLERANCE} at most; "
                f"that one was scored with {_libraries(first)}, this one with {_libraries(result)}"
            )
    return ""


def _libraries(result: Result) -> str:
    versions = result.provenance.libraries
    named = [f"{name} {versions[name]}" for name in ("torch", "pyiqa") if name in versions]
    return f"{', '.join(named) or 'unnamed libraries'} on {result.provenance.device}"


def _photo() -> Picture:
    """Return noise of all scales, the coarse ones strongest."""
    total = np.zeros((SIDE, SIDE, 3), np.int64)
    for step in (56, 28, 14, 7, 2, 1):
        noise = _noise(f"photo {step}", SIDE // step, SIDE // step, 3)
        total += (step + 8) * _blurred(noise.repeat(step, 0).repeat(step, 1), step).astype(np.int64)
    low, high = total.min(), total.max()
    photo: Picture = ((total - low) * 255 // (high - low)).astype(np.uint8)
    return photo


def _screen() -> Picture:
    """Return lines of dark marks on white, and a coloured bar."""
    marks = _noise("screen", SIDE // 8, SIDE // 2, 1).repeat(4, 0).repeat(2, 1)
    screen = np.full((SIDE, SIDE, 3), 255, np.uint8)
    lines = screen.reshape(SIDE // 8, 8, SIDE, 3)
    lines[:, 2:6] = np.where(marks.reshape(SIDE // 8, 4, SIDE, 1) < 110, 30, 255)
    screen[:24] = 20, 90, 160
    return screen


def _noise(name: str, *shape: int) -> Picture:
    count = int(np.prod(shape))
    data = hashlib.shake_256(f"cmc-bench calibration: {name}".encode()).digest(count)
    return np.frombuffer(data, np.uint8).reshape(shape)


def _blurred(picture: Picture, reach: int) -> Picture:
    """Return means over `reach` pixels down and across; what is beyond an edge is the edge."""
    blurred = picture.astype(np.int64)
    for axis in (0, 1):
        before, after = (reach - 1) // 2, reach // 2
        padded = np.pad(
            blurred, [(before, after) if a == axis else (0, 0) for a in range(3)], "edge"
        )
        windows = np.lib.stride_tricks.sliding_window_view(padded, reach, axis)
        blurred = windows.sum(-1) // reach
    return blurred.astype(np.uint8)
