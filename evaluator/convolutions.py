"""What a network's convolutions do not need to compute, or compute faster another way."""

from functools import partial
from itertools import pairwise
from typing import Any

_DILATION = (2, 2)
"""Means nothing to a single weight, and rules the matrix product out."""

_FEW = 1024
"""Rows below which a convolution's own preparation takes longer than it saves."""


def fold_batch_norms(network: Any) -> None:
    """Put every batch normalisation behind a convolution into that convolution's weights, in place.

    The same function to within rounding, without a pass over the features for each.

    Args:
        network: in evaluation mode; modules stand in the order in which they are called, as in
            timm's ResNets.
    """
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for module in network.modules():
        children = list(module.named_children())
        for (name, first), (next_name, second) in pairwise(children):
            # Exactly this class: timm's others have the activation in them.
            if isinstance(first, nn.Conv2d) and type(second) is nn.BatchNorm2d:
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, next_name, nn.Identity())


def compute_pointwise_by_onednn(network: Any) -> None:
    """Let a CPU compute 1x1 convolutions and linear layers as it does other convolutions, in place.

    On one thread torch gives both to a plain matrix product, which is a tenth to a quarter slower
    on features whose channels lie together.
    """
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            module.dilation = _DILATION
        elif type(module) is nn.Linear:
            layer: Any = module
            layer.forward = partial(_convolve, module)


def _convolve(layer: Any, features: Any) -> Any:
    """Return what a linear layer returns, by a 1x1 convolution over a column of pixels."""
    from torch.nn import functional

    if features.numel() < _FEW * layer.in_features:
        return functional.linear(features, layer.weight, layer.bias)
    column = features.reshape(1, -1, 1, layer.in_features).permute(0, 3, 1, 2)
    weight = layer.weight[:, :, None, None]
    convolved = functional.conv2d(column, weight, layer.bias, dilation=_DILATION)
    return convolved.permute(0, 2, 3, 1).reshape(*features.shape[:-1], layer.out_features)
