"""What the next byte of a caption may be: prediction by partial matching, in whole numbers.

Each context of 0 to 8 bytes that the prior, or the caption so far, has seen gives counts of what
followed. From the shortest context to the longest they are interpolated with three discounts
(modified Kneser-Ney; Chen and Goodman 1999, section 3.3). Shorter contexts count in how many
different ones a byte followed, not how often. All of it is integer arithmetic: both sides compute
the same on any machine.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from evaluator.text_prior import TextPrior

if TYPE_CHECKING:
    from numpy.typing import NDArray

Counts: TypeAlias = "NDArray[np.int64]"

ORDER = 8
"""Longest context, in bytes."""
OWN_WEIGHT = 2
"""What the caption itself has shown counts twice."""
_SCALE = 30
_UNIT = 6
# Discounts of counts 1, 2, and 3 or more, in 64ths, by the context's length; as Chen and Goodman's
# formula gives them for the benchmark's GPT-4o captions. Qwen's give the same within a tenth.
_DISCOUNTS = np.array(
    [
        (0, 43, 64, 83),
        (0, 35, 72, 77),
        (0, 37, 68, 95),
        (0, 43, 79, 100),
        (0, 50, 82, 104),
        (0, 54, 85, 97),
        (0, 57, 83, 89),
        (0, 58, 84, 96),
        (0, 51, 78, 105),
    ],
    np.int64,
)


class PriorCounts:
    """What followed which context in a prior; found when asked for, by narrowing positions."""

    def __init__(self, captions: bytes) -> None:
        """Take captions that each end with a zero byte."""
        # The zero before the first caption is the context that every caption begins in.
        self._text = np.frombuffer(b"\0" + captions, np.uint8).astype(np.int64)
        pairs = np.unique(self._text[:-1] << 8 | self._text[1:])
        self._anything = np.bincount(pairs & 0xFF, minlength=256)
        self._after: dict[int, tuple[Counts, Counts]] = {}

    def after(self, history: bytes) -> list[Counts]:
        """Return `(256,)` counts for the last 0, 1, … bytes of `history`, while there are any.

        Args:
            history: a zero byte and the caption so far.
        """
        levels = [self._anything]
        places, counts = self._after_byte(history[-1])
        longest = min(len(history), ORDER)
        for length in range(1, longest + 1):
            if not len(places):
                break
            if length > 1:
                counts = self._count(places, length, whole=length == longest)
            levels.append(counts)
            if length < longest:
                places = places[self._text[places - length - 1] == history[-length - 1]]
        return levels

    def _after_byte(self, byte: int) -> tuple[Counts, Counts]:
        if byte not in self._after:
            places = np.flatnonzero(self._text[:-1] == byte) + 1
            self._after[byte] = places, self._count(places, 1, whole=byte == 0)
        return self._after[byte]

    def _count(self, places: Counts, length: int, *, whole: bool) -> Counts:
        follows = self._text[places]
        if not whole:
            follows = np.unique(self._text[places - length - 1] << 8 | follows) & 0xFF
        return np.bincount(follows, minlength=256)


class Predictor:
    """Follows one caption."""

    def __init__(self, prior: PriorCounts) -> None:
        """Begin a caption."""
        self._prior = prior
        self._history = b"\0"
        self._own: dict[bytes, dict[int, int]] = {}
        self._levels: list[Counts] = []

    def frequencies(self) -> Counts:
        """Return `(256,)` numbers of at least 1, together less than 2^25: shares of the range."""
        levels = self._prior.after(self._history)
        for length in range(min(len(self._history), ORDER) + 1):
            own = self._own.get(self._context(length))
            if length == len(levels):
                levels.append(np.zeros(256, np.int64))
            if own:
                levels[length] = levels[length].copy()
                for byte, count in own.items():
                    levels[length][byte] += count
        self._levels = levels
        share = np.full(256, (1 << _SCALE) // 256, np.int64)
        for counts, discounts in zip(levels, _DISCOUNTS, strict=False):
            total = int(counts.sum())
            if total:
                taken = discounts[np.minimum(counts, 3)]
                kept = (counts << _UNIT) - taken
                share = ((kept << _SCALE) + int(taken.sum()) * share) // (total << _UNIT)
        return (share >> 6) + 1

    def follow(self, byte: int) -> None:
        """Go on by one byte, after `frequencies`."""
        # A shorter context learns only what was new to the longer one, as in its counts above.
        for length in range(len(self._levels) - 1, -1, -1):
            context = self._context(length)
            own = self._own.setdefault(context, {})
            own[byte] = own.get(byte, 0) + OWN_WEIGHT
            if self._levels[length][byte]:
                break
        self._history = self._history[-ORDER:] + bytes([byte])

    def _context(self, length: int) -> bytes:
        return self._history[len(self._history) - length :]


@lru_cache(maxsize=4)
def counts_of(prior: TextPrior) -> PriorCounts:
    """Return the counts of a prior, made once."""
    return PriorCounts(prior.captions)
