"""What a network's convolutions do not need to compute, or compute faster another way."""

from itertools import pairwise
from typing import Any


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
    """Let a CPU compute 1x1 convolutions as it does all others, in place.

    On one thread torch gives them to a plain matrix product, which is up to a quarter slower on
    features whose channels lie together. Dilation means nothing to a single weight, and rules the
    matrix product out.
    """
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1):
            module.dilation = (2, 2)
