"""Doubling a picture's sides and convolving it, as one transposed convolution of the small picture.

Of the nine pixels that a 3x3 convolution sees after nearest-neighbour doubling, some are copies of
one pixel. With the weights of equal pixels summed beforehand, four products a pixel are left.
"""

from collections.abc import Callable
from functools import partial
from typing import Any


def double_by_transposed_convolution(network: Any) -> None:
    """Let all of a network's `Upsample2D` of diffusers that double and convolve do so, in place.

    The same function to within rounding. For CPUs, where it is faster (`benchmarks/spared.py`); on
    a GPU it was not measured.
    """
    from diffusers.models.upsampling import Upsample2D

    for module in network.modules():
        if type(module) is Upsample2D and _is_plain(module):
            module.forward = partial(_run, module.forward, module.conv, _summed(module.conv.weight))


def _is_plain(module: Any) -> bool:
    from torch import nn

    conv = getattr(module, "conv", None)
    return (
        type(conv) is nn.Conv2d
        and (conv.kernel_size, conv.stride, conv.padding) == ((3, 3), (1, 1), (1, 1))
        and (conv.groups, conv.padding_mode) == (1, "zeros")
        and module.interpolate
        and module.norm is None
    )


def _summed(weight: Any) -> Any:
    """Return the transposed convolution's weights, (in, out, 4, 4), of a convolution's."""
    import torch

    by_channel = weight.is_contiguous(memory_format=torch.channels_last)
    layout = torch.channels_last if by_channel else torch.contiguous_format
    with torch.no_grad():
        summed = weight.double()
        for axis in (2, 3):
            first, second, third = summed.unbind(axis)
            # The first copy of a pixel sees the one before and twice its own; the second, the next.
            parts = [third, second + third, first + second, first]
            summed = torch.stack(parts, axis)
        return summed.transpose(0, 1).to(weight.dtype, memory_format=layout)


def _run(
    run: Callable[..., Any],
    conv: Any,
    weight: Any,
    values: Any,
    output_size: Any = None,
    **options: Any,
) -> Any:
    from torch.nn import functional

    height, width = values.shape[2:]
    doubled = (2 * height, 2 * width)
    # On the meta device operations are counted, as many as the network is published with.
    if values.is_meta or tuple(output_size or doubled) != doubled:
        return run(values, output_size, **options)
    return functional.conv_transpose2d(values, weight, conv.bias, stride=2, padding=1)
