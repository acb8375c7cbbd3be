"""Between pictures and tensors; as tensors pictures are `(N, 3, H, W)` float32 in [0, 1]."""

from typing import TYPE_CHECKING

from protocol.errors import DecodeError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor


def to_tensor(picture: "Image") -> "Tensor":
    """Return an RGB picture as `(1, 3, H, W)`."""
    import numpy as np
    import torch

    values = torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.uint8).copy())
    return values.permute(2, 0, 1).unsqueeze(0).to(torch.float32) / 255


def to_picture(values: "Tensor") -> "Image | DecodeError":
    """Return `(3, H, W)` as a picture, rounded; or why it is none: values that are no numbers."""
    import torch
    from PIL import Image

    if not torch.isfinite(values).all():
        return DecodeError("NAN_OUTPUT", "the model's output holds values that are no numbers")
    levels = (values.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).cpu().numpy())


def resize(values: "Tensor", height: int, width: int) -> "Tensor":
    """Return pictures at another size: bicubic, averaging where it shrinks.

    Bicubic like every other resize of a decoder here; Lanczos rings more at the edges of text and
    windows, which the screens are full of.
    """
    from torch.nn.functional import interpolate

    if values.shape[-2:] == (height, width):
        return values
    return interpolate(values, size=(height, width), mode="bicubic", antialias=True)


def pad_to(values: "Tensor", multiple: int) -> "Tensor":
    """Return pictures with black added on the right and below up to multiples of `multiple`."""
    from torch.nn.functional import pad

    height, width = values.shape[-2:]
    return pad(values, (0, -width % multiple, 0, -height % multiple))
