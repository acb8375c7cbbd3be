"""A restored picture keeps its detail and takes its colours from the picture it was made of."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

_LEVELS = 5
"""Blurs of the à-trous decomposition; the last one reaches 2**5 - 1 pixels to each side."""


def wavelet_fix(sample: "Tensor", reference: "Tensor") -> "Tensor":
    """Return the high frequencies of `sample` on the low frequencies of `reference`.

    Args:
        sample: `(N, 3, H, W)`, in [0, 1].
        reference: the same shape and range.

    Returns:
        The same shape, clipped to [0, 1].
    """
    return (sample - _blur(sample) + _blur(reference)).clamp(0, 1)


def adain_fix(sample: "Tensor", reference: "Tensor") -> "Tensor":
    """Return `sample` with each channel's mean and deviation set to those of `reference`.

    Args:
        sample: `(N, 3, H, W)`, in [0, 1].
        reference: the same shape and range.

    Returns:
        The same shape, clipped to [0, 1].
    """
    mean, deviation = _moments(sample)
    wanted_mean, wanted_deviation = _moments(reference)
    return ((sample - mean) / deviation * wanted_deviation + wanted_mean).clamp(0, 1)


def _blur(picture: "Tensor") -> "Tensor":
    """Apply the binomial kernel once for each level, with holes of 2**level between its taps."""
    from torch.nn.functional import conv2d, pad

    taps = picture.new_tensor([0.25, 0.5, 0.25])
    channels = picture.shape[1]
    kernel = (taps[:, None] * taps).expand(channels, 1, 3, 3)
    for level in range(_LEVELS):
        hole = 2**level
        padded = pad(picture, (hole,) * 4, mode="replicate")
        picture = conv2d(padded, kernel, groups=channels, dilation=hole)
    return picture


def _moments(picture: "Tensor") -> "tuple[Tensor, Tensor]":
    # A flat channel has no deviation to divide by.
    variance, mean = _variance_and_mean(picture)
    return mean, (variance + 1e-5).sqrt()


def _variance_and_mean(picture: "Tensor") -> "tuple[Tensor, Tensor]":
    import torch

    variance, mean = torch.var_mean(picture, dim=(2, 3), keepdim=True)
    return variance, mean
