"""Colours of a reference on the details of a sample; diffusion models drift in colour.

Both take and return pictures as float tensors `(N, 3, H, W)` in [0, 1], of the same shape. The
result is not clamped and may leave the range a little.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

WAVELET_LEVELS = 5
_EPSILON = 1e-5
"""Added to variances, as in adaptive instance normalisation (Huang and Belongie 2017)."""


def wavelet_fix(sample: "Tensor", reference: "Tensor") -> "Tensor":
    """Return the high frequencies of `sample` on the low frequencies of `reference`.

    The transform a trous with the 3x3 binomial kernel, five levels: low frequencies are what is
    left after blurring with holes of 1, 2, 4, 8 and 16 pixels, edges repeated (StableSR, Wang et
    al. 2024, Sec. 3.4).
    """
    return sample - _low_frequencies(sample) + _low_frequencies(reference)


def adain_fix(sample: "Tensor", reference: "Tensor") -> "Tensor":
    """Return `sample` with each channel's mean and deviation of `reference`, picture by picture."""
    mean, deviation = _moments(sample)
    wanted_mean, wanted_deviation = _moments(reference)
    return (sample - mean) / deviation * wanted_deviation + wanted_mean


def _low_frequencies(values: "Tensor") -> "Tensor":
    import torch
    from torch.nn.functional import conv2d, pad

    channels = values.shape[1]
    line = torch.tensor([0.25, 0.5, 0.25], dtype=values.dtype, device=values.device)
    kernel = torch.outer(line, line).expand(channels, 1, 3, 3)
    for level in range(WAVELET_LEVELS):
        hole = 2**level
        padded = pad(values, (hole, hole, hole, hole), mode="replicate")
        values = conv2d(padded, kernel, groups=channels, dilation=hole)
    return values


def _moments(values: "Tensor") -> "tuple[Tensor, Tensor]":
    mean = values.mean(dim=(2, 3), keepdim=True)
    return mean, (values.var(dim=(2, 3), keepdim=True) + _EPSILON).sqrt()
