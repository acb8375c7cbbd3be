"""What a T2I adapter is given in tests, and what it gives back."""

from typing import Any

import numpy as np
from conftest import paint
from PIL import Image

from evaluator.decoders import Received
from protocol.errors import DecodeError
from protocol.rules import Mode

SHORT = "a blue house"
LONG = "a much longer caption than that of the other picture, of a blue house beside a lake"


def received(
    mode: Mode, seed: int = 1, caption: str = SHORT, size: tuple[int, int] = (101, 75)
) -> Received:
    """Return what is in a file of a mode; another seed is another start picture too."""
    return Received(
        mode=mode,
        width=size[0],
        height=size[1],
        caption=caption if mode.has_caption else None,
        start=paint(*size, seed) if mode.has_start else None,
        seed=seed,
    )


def values(outcome: Image.Image | DecodeError) -> Any:
    """Return a picture's values."""
    assert isinstance(outcome, Image.Image), outcome
    return np.asarray(outcome, int)
