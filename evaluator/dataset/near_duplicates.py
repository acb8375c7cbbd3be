"""Pictures that look alike: a perceptual hash finds candidates, small copies decide."""

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

SIDE = 32
HASH_SIDE = 8
MAX_DISTANCE = 8
"""Bits of 64 in which the hashes of candidates may differ."""
MAX_LEVELS = 8.0
"""Mean difference of the small grey copies, in levels of 255; screens share hashes by chance."""


class Looks:
    """What pictures look like, by name."""

    def __init__(self) -> None:
        """Start with none."""
        self._names: list[str] = []
        self._hashes: list[int] = []
        self._small: list[NDArray[np.float64]] = []

    def add(self, name: str, picture: "Image") -> None:
        """Remember a picture: 64 bits of its low frequencies, and a small grey copy."""
        import numpy as np
        from PIL import Image

        small = np.asarray(
            picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64
        )
        basis = _cosines()
        low = (basis @ small @ basis.T)[:HASH_SIDE, :HASH_SIDE].ravel()
        # The first coefficient is the mean brightness, which says nothing of what is seen.
        bits = low > np.median(low[1:])
        self._names.append(name)
        self._hashes.append(int("".join("1" if bit else "0" for bit in bits), 2))
        self._small.append(small)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of names whose pictures look alike, by name."""
        import numpy as np

        return sorted(
            (min(self._names[i], self._names[j]), max(self._names[i], self._names[j]))
            for i, j in combinations(range(len(self._names)), 2)
            if (self._hashes[i] ^ self._hashes[j]).bit_count() <= MAX_DISTANCE
            and np.abs(self._small[i] - self._small[j]).mean() <= MAX_LEVELS
        )


def _cosines() -> "NDArray[np.float64]":
    """Return the matrix of the discrete cosine transform, unscaled, `(SIDE, SIDE)`."""
    import numpy as np

    positions = np.arange(SIDE)
    return np.cos(np.pi * (positions[None, :] + 0.5) * positions[:, None] / SIDE)
