"""What all decoders on diffusers share: sizes, generators, and from values to a picture."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Received
from protocol.errors import DecodeError, ModelError

if TYPE_CHECKING:
    from PIL.Image import Image


def start_size(item: Received, longest: int | None, unit: int) -> tuple[int, int]:
    """Return the size that a start picture is brought to: scaled, then cut to multiples, as in S.

    Args:
        item: what was received.
        longest: the longest side of the scaled picture; None keeps the received size.
        unit: what both sides must be a multiple of.
    """
    scale = longest / max(item.width, item.height) if longest else 1.0
    floor = [round(side * scale) // unit * unit for side in (item.width, item.height)]
    return max(unit, floor[0]), max(unit, floor[1])


def text_size(item: Received, longest: int | None, unit: int) -> tuple[int, int]:
    """Return the size nearest to the received one, scaled the same, that a model can paint."""
    scale = longest / max(item.width, item.height) if longest else 1.0
    return _nearest(item.width * scale, item.height * scale, unit)


def native_size(item: Received, side: int, unit: int) -> tuple[int, int]:
    """Return a size of the received shape with about `side` x `side` pixels."""
    stretch = math.sqrt(item.width / item.height)
    return _nearest(side * stretch, side / stretch, unit)


def generators_of(batch: Sequence[Received]) -> list[Any]:
    """Return each picture's own noise source, on the CPU: the same on every device."""
    import torch

    return [torch.Generator("cpu").manual_seed(item.seed) for item in batch]


def start_at(item: Received, size: tuple[int, int]) -> "Image":
    """Return the start picture at a working size.

    Raises:
        ModelError: the mode sends none.
    """
    from PIL import Image

    if item.start is None:
        raise ModelError("a mode with a start picture was given none")
    return item.start.resize(size, Image.Resampling.BICUBIC)


def finish(values: Any, item: Received, *, filtered: bool = False) -> "Image | DecodeError":
    """Return a picture of the exact size.

    Args:
        values: `(H, W, 3)`, in [0, 1].
        item: whose picture it is.
        filtered: the model's safety checker has blacked the picture out.
    """
    import numpy as np
    from PIL import Image

    if filtered:
        return DecodeError("NSFW_FILTERED", "the model's safety checker blacked the picture out")
    if not np.isfinite(values).all():
        return DecodeError(
            "NAN_OUTPUT",
            "the model's output holds values that are no numbers; "
            "in half precision, dtype=bfloat16 or dtype=float32 may help",
        )
    picture = Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))
    return picture.resize((item.width, item.height), Image.Resampling.BICUBIC)


def _nearest(width: float, height: float, unit: int) -> tuple[int, int]:
    return max(unit, round(width / unit) * unit), max(unit, round(height / unit) * unit)
