"""PASD's denoiser: Stable Diffusion's UNet that also attends to the control network's features.

After each layer of each up block stands a transformer whose text is the control residual of the
skip connection that the layer reads, one token for each position. Layer and attention are stock
diffusers parts, so the checkpoint's keys are the modules' own.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

UNUSED = (".to_rgbs.",)
"""Parts of the control network's keys that only its training used."""


def add_pixel_attentions(unet: Any) -> None:
    """Give a `UNet2DConditionModel` its `up_blocks.i.pixel_attentions.j`, and let them be used.

    From then on the UNet needs `down_block_additional_residuals`, as a ControlNet returns them.
    """
    from torch import nn

    control: list[Tensor] = []
    channels = unet.config.block_out_channels[-1]
    layer = 0
    for block, heads in zip(unet.up_blocks, _heads(unet), strict=True):
        attentions = nn.ModuleList()
        texts = getattr(block, "attentions", None)
        for position, resnet in enumerate(block.resnets):
            skip = resnet.in_channels - channels
            channels = resnet.out_channels
            attentions.append(_attention(unet, heads, channels, skip))
            last = texts[position] if texts else resnet
            last.register_forward_hook(_attend(attentions[-1], control, layer))
            layer += 1
        block.pixel_attentions = attentions
    unet.register_forward_pre_hook(_remember(control), with_kwargs=True)


def drop_unused(state: "Mapping[str, Tensor]") -> "tuple[dict[str, Tensor], list[str]]":
    """Return a control network's tensors that inference uses, and the names of the others."""
    dropped = [key for key in state if any(part in f".{key}" for part in UNUSED)]
    return {key: value for key, value in state.items() if key not in dropped}, dropped


def _heads(unet: Any) -> Sequence[int]:
    """Return the number of heads for each up block; diffusers' name for it is historical."""
    heads = unet.config.num_attention_heads or unet.config.attention_head_dim
    count = len(unet.up_blocks)
    return [heads] * count if isinstance(heads, int) else list(heads)[::-1]


def _attention(unet: Any, heads: int, channels: int, skip: int) -> "nn.Module":
    from diffusers import Transformer2DModel

    return Transformer2DModel(  # type: ignore[no-any-return]
        heads,
        channels // heads,
        in_channels=channels,
        cross_attention_dim=skip,
        norm_num_groups=unet.config.norm_num_groups,
    )


def _remember(control: "list[Tensor]") -> Any:
    def hook(unet: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> None:
        del unet, inputs
        control[:] = named["down_block_additional_residuals"]

    return hook


def _attend(attention: "nn.Module", control: "list[Tensor]", layer: int) -> Any:
    def hook(module: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        del module, inputs
        wrapped = isinstance(output, tuple)
        # Up blocks read the skips from the last to the first.
        tokens = control[-1 - layer].flatten(2).transpose(1, 2)
        hidden = attention(
            output[0] if wrapped else output, encoder_hidden_states=tokens, return_dict=False
        )[0]
        return (hidden,) if wrapped else hidden

    return hook
