"""Pictures that look alike: a perceptual hash finds candidates, small copies decide."""

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Look:
    """What is seen of a picture from far away."""

    bits: int
    """64 bits of its low frequencies."""
    small: "NDArray[np.float64]"
    """A grey copy, `(SIDE, SIDE)`, in levels of 255."""


class Looks:
    """What pictures look like, by name."""

    def __init__(self) -> None:
        """Start with none."""
        self._looks: dict[str, Look] = {}

    def add(self, name: str, picture: "Image") -> None:
        """Remember a picture."""
        self._looks[name] = look_at(picture)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the pairs of names whose pictures look alike, by name."""
        import numpy as np

        names = sorted(self._looks)
        hashes = np.array([self._looks[name].bits for name in names], np.uint64)
        found = []
        for at, one in enumerate(names):
            # All others at once: a set of 10,000 pictures has 50 million pairs.
            distances = np.bitwise_count(hashes[at + 1 :] ^ hashes[at])
            near = (names[at + 1 + place] for place in np.flatnonzero(distances <= MAX_DISTANCE))
            found += [(one, two) for two in near if look_alike(self._looks[one], self._looks[two])]
        return found


def look_at(picture: "Image") -> Look:
    """Return what a picture looks like; its size and shape do not count."""
    import numpy as np
    from PIL import Image

    small = np.asarray(
        picture.convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float64
    )
    basis = _cosines()
    low = (basis @ small @ basis.T)[:HASH_SIDE, :HASH_SIDE].ravel()
    # The first coefficient is the mean brightness, which says nothing of what is seen.
    bits = low > np.median(low[1:])
    return Look(int("".join("1" if bit else "0" for bit in bits), 2), small)


def look_alike(one: Look, two: Look) -> bool:
    """Say whether two pictures are near-duplicates."""
    import numpy as np

    near = (one.bits ^ two.bits).bit_count() <= MAX_DISTANCE
    return near and bool(np.abs(one.small - two.small).mean() <= MAX_LEVELS)


def _cosines() -> "NDArray[np.float64]":
    """Return the matrix of the discrete cosine transform, unscaled, `(SIDE, SIDE)`."""
    import numpy as np

    positions = np.arange(SIDE)
    return np.cos(np.pi * (positions[None, :] + 0.5) * positions[:, None] / SIDE)
