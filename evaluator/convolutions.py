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


def keep_laid_out_weights(network: Any) -> None:
    """Let a CPU's convolutions lay their weights out once for pictures of one size, in place.

    oneDNN computes with weights in an order that depends on the size of what comes, and torch has
    them put into it at each call: for one picture of 256x256 a fifth of a ResNet-50's time. Each
    convolution keeps them in the order of the last size, which is a second copy of the weights.
    Nothing changes where torch has no oneDNN.

    Args:
        network: in single precision, on a CPU, with weights that stay and no gradients asked for.
    """
    import torch
    from torch import nn

    has_onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    # What torch's own compiler calls for the same end; no documented name.
    if not (has_onednn and hasattr(torch.ops.mkldnn, "_reorder_convolution_weight")):
        return
    for module in network.modules():
        plain = isinstance(module, nn.Conv2d) and module.padding_mode == "zeros"
        if plain and not isinstance(module.padding, str):
            module._conv_forward = _LaidOut(module)


class _LaidOut:
    """Computes what a convolution computes, with its weights laid out for the size of before."""

    def __init__(self, convolution: Any) -> None:
        self._how = (
            convolution.padding,
            convolution.stride,
            convolution.dilation,
            convolution.groups,
        )
        # One value, so that threads with pictures of other sizes get in each other's way at most.
        self._held: tuple[tuple[int, ...], Any] | None = None

    def __call__(self, values: Any, weight: Any, bias: Any) -> Any:
        import torch

        size, held = tuple(values.shape), self._held
        if held is None or held[0] != size:
            laid_out = torch.ops.mkldnn._reorder_convolution_weight(weight, *self._how, size)
            self._held = held = (size, laid_out)
        return torch.ops.mkldnn._convolution_pointwise(
            values, held[1], bias, *self._how, "none", [], ""
        )
