"""Pictures to tensors and back, and the noise that belongs to each picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Received
from protocol.errors import DecodeError, ModelError

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Generator, Tensor


def enlarged_size(
    width: int, height: int, *, longest_side: int | None, shortest_side: int
) -> tuple[int, int]:
    """Return the size that a restorative model works at, width and height.

    Args:
        width: the picture's.
        height: the picture's.
        longest_side: the protocol's; None keeps the picture's size.
        shortest_side: what the model needs at least; where the two disagree it wins.
    """
    scale = longest_side / max(width, height) if longest_side else 1.0
    scale = max(scale, shortest_side / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def stack_starts(batch: Sequence[Received], size: tuple[int, int]) -> "Tensor":
    """Return the start pictures at `size`, `(N, 3, H, W)`, float32 in [0, 1]."""
    import numpy as np
    import torch
    from PIL import Image

    pictures = []
    for item in batch:
        if item.start is None:
            raise ModelError("a mode with a start picture was given none")
        pictures.append(np.asarray(item.start.resize(size, Image.Resampling.BICUBIC)))
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def finish(values: "Tensor", item: Received) -> "Image | DecodeError":
    """Return one picture of the exact size, or why there is none.

    Args:
        values: `(3, H, W)`, in [0, 1] where they are numbers.
        item: whose picture it is.
    """
    import torch
    from PIL import Image

    if not torch.isfinite(values).all():
        return DecodeError("NAN_OUTPUT", "the model's output holds values that are no numbers")
    pixels = (values.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels).resize((item.width, item.height), Image.Resampling.BICUBIC)


def own_generators(batch: Sequence[Received]) -> "list[Generator]":
    """Return a generator for each picture, on the CPU: every device draws the same noise."""
    import torch

    return [torch.Generator("cpu").manual_seed(item.seed) for item in batch]


def draw(like: "Tensor", generators: "Sequence[Generator]") -> "Tensor":
    """Return normal noise of the shape of `like`, each picture's from its own generator."""
    from diffusers.utils.torch_utils import randn_tensor

    noise: Tensor = randn_tensor(
        tuple(like.shape), generator=list(generators), device=like.device, dtype=like.dtype
    )
    return noise


def encode(vae: Any, pictures: "Tensor", generators: "Sequence[Generator]") -> "Tensor":
    """Return a sample of the pictures' scaled latents, float32.

    Args:
        vae: an `AutoencoderKL`.
        pictures: `(N, 3, H, W)`, in [0, 1].
        generators: one for each picture.
    """
    posterior = vae.encode(pictures.to(vae.device, vae.dtype) * 2 - 1).latent_dist
    mean = posterior.mean.float()
    sample = mean + posterior.std.float() * draw(mean, generators)
    latents: Tensor = sample * vae.config.scaling_factor
    return latents
