"""Crops of labelled pictures as tensors, the same for the same seed and epoch."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.pictures import picture_size, read_picture
from evaluator.training.labels import Labelled
from protocol.errors import PictureError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def check_sizes(labelled: Sequence[Labelled], *, has_reference: bool, crop: int = 1) -> None:
    """Look at every picture's size before the first of them costs anything.

    Raises:
        PictureError: one is smaller than a crop, or of another size than its reference.
    """
    for item in labelled:
        width, height = picture_size(item.picture)
        if min(height, width) < crop:
            raise PictureError(
                f"{item.picture} has {width}x{height} pixels; a crop is {crop} a side"
            )
        if has_reference and picture_size(item.reference) != (width, height):
            raise PictureError(f"{item.picture} and {item.reference} are of different sizes")


def epoch_batches(
    labelled: Sequence[Labelled],
    *,
    has_reference: bool,
    crop: int,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[tuple[list[Any], Any]]:
    """Yield `([pictures, references], opinions)` in an order of the epoch's own.

    Each picture is cut at a place of its own and mirrored at random, its reference likewise. A
    last batch of one picture joins the one before: batch normalisation needs two.

    Yields:
        Pictures, and references for a full-reference one, `(N, 3, crop, crop)` in [0, 1]; and
        opinions, `(N,)`.
    """
    import numpy as np
    import torch

    rng = np.random.default_rng((seed, epoch))
    order = rng.permutation(len(labelled))
    starts = list(range(0, len(order), batch_size))
    if len(starts) > 1 and len(order) - starts[-1] == 1:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        batch = [labelled[place] for place in order[start:end]]
        crops = [_crops(item, has_reference, crop, rng) for item in batch]
        inputs = [torch.stack(values) for values in zip(*crops, strict=True)]
        yield inputs, torch.tensor([item.mos for item in batch], dtype=torch.float32)


def whole(item: Labelled, *, has_reference: bool) -> list[Any]:
    """Return a picture, and its reference for a full-reference one, `(1, 3, H, W)` in [0, 1]."""
    return [_tensor(values).unsqueeze(0) for values in _pictures(item, has_reference)]


def _crops(item: Labelled, has_reference: bool, crop: int, rng: "np.random.Generator") -> list[Any]:
    pictures = _pictures(item, has_reference)
    height, width = pictures[0].shape[:2]
    top, left = rng.integers(0, height - crop + 1), rng.integers(0, width - crop + 1)
    step = -1 if rng.random() < 0.5 else 1
    return [_tensor(values[top : top + crop, left : left + crop][:, ::step]) for values in pictures]


def _pictures(item: Labelled, has_reference: bool) -> "list[NDArray[np.uint8]]":
    pictures = [_read(item.picture)]
    if has_reference:
        pictures.append(_read(item.reference))
    return pictures


@lru_cache(maxsize=1024)
def _read(path: Path) -> "NDArray[np.uint8]":
    """Return `(H, W, 3)`; the last thousand stay in memory, 2 GB at a megapixel each at most."""
    import numpy as np

    return np.asarray(read_picture(path), dtype=np.uint8)


def _tensor(values: Any) -> Any:
    import torch

    return torch.from_numpy(values.copy()).permute(2, 0, 1).to(torch.float32) / 255
