"""A residual block that writes over what nobody else reads, and does not divide by one.

The same operations on the same values, so the very bits; what is spared is memory, which large
pictures wait for on a CPU.
"""

from functools import partial
from typing import Any


def write_residuals_in_place(network: Any) -> None:
    """Let all plain `ResnetBlock2D` of diffusers in a network do so, in place.

    For CPUs (`benchmarks/spared.py`), and for inference: nothing is left to take a gradient of.
    """
    from diffusers.models.resnet import ResnetBlock2D

    for module in network.modules():
        if type(module) is ResnetBlock2D and _is_plain(module):
            module.forward = partial(_run, module.forward, module)


def _is_plain(module: Any) -> bool:
    from torch import nn

    return (
        isinstance(module.nonlinearity, nn.SiLU)
        and (module.upsample, module.downsample) == (None, None)
        and (module.time_embedding_norm, module.skip_time_act) == ("default", False)
        and module.output_scale_factor == 1
        and not module.dropout.training
    )


def _run(run: Any, block: Any, values: Any, temb: Any, *args: Any, **options: Any) -> Any:
    from torch.nn import functional

    # On the meta device operations are counted, as many as the network is published with.
    if values.is_meta:
        return run(values, temb, *args, **options)
    inside = block.conv1(functional.silu(block.norm1(values), inplace=True))
    if temb is not None:
        if block.time_emb_proj is not None:
            temb = block.time_emb_proj(functional.silu(temb))[:, :, None, None]
        inside.add_(temb)
    inside = block.conv2(functional.silu(block.norm2(inside), inplace=True))
    if block.conv_shortcut is not None:
        values = block.conv_shortcut(values)
    return inside.add_(values)
