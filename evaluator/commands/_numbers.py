"""Types of options that are numbers: what cannot be meant is refused before anything starts."""

import argparse
import math
import re
import sys
from collections.abc import Callable

from protocol.statistics import FEWEST_RESAMPLES

LARGEST = sys.float_info.max


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return the type of an option that is a whole number from `least`, up to `most`."""
    wanted = f"a whole number from {least}" + (f" to {most}" if most is not None else "")

    def read(text: str) -> int:
        # `int` alone would take other scripts' digits, and underscores.
        if re.fullmatch("-?[0-9]{1,18}", text):
            found = int(text)
            if found >= least and (most is None or found <= most):
                return found
        raise argparse.ArgumentTypeError(f"wanted {wanted}, found {text[:40]!r}")

    return read


def number(
    *, least: float | None = None, above: float | None = None, most: float = LARGEST
) -> Callable[[str], float]:
    """Return the type of an option that is a number from `least`, or above `above`, to `most`.

    Without `most` it is any finite one.
    """
    lowest = f"from {least:g}" if least is not None else f"above {above:g}"
    wanted = f"a finite number {lowest}" + (f" to {most:g}" if most < LARGEST else "")

    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        # Nothing compares with what is no number, so it is in no range.
        is_enough = (least is not None and found >= least) or (above is not None and found > above)
        if is_enough and found <= most:
            return found
        raise argparse.ArgumentTypeError(f"wanted {wanted}, found {text[:40]!r}")

    return read


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def size_in_bytes(text: str) -> int:
    """Return the bytes of `20G`; units are powers of 1000."""
    count, unit = text.rstrip("KMGTkmgt"), text[len(text.rstrip("KMGTkmgt")) :].upper()
    try:
        size = int(float(count) * _UNITS[unit])
    except (KeyError, ValueError, OverflowError):
        size = -1
    if size < 0:
        raise argparse.ArgumentTypeError(f"wanted a size like 500M or 20G, found {text!r}")
    return size


PORT = whole(0, 65535)
SEED = whole(0)
"""numpy's generators take no negative one."""
RESAMPLES = whole(FEWEST_RESAMPLES, 100_000)
LARGEST_BPP = 1000
"""Bits per pixel; a picture of 8 bits a channel has 24."""
