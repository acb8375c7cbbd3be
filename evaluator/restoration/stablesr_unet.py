"""StableSR's denoiser: Stable Diffusion's UNet with a SPADE layer inside each ResNet.

SPADE (Park et al. 2019) normalises what a ResNet is about to add, and scales and shifts it
position by position as the structure encoder's features of the same width say.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

_HIDDEN = 128
"""Channels between the structure and the scales."""

_GROUPS = 32


class StructuredUNet:
    """A UNet that is told the structure beside the text."""

    def __init__(self, unet: Any, structure: "dict[int, Tensor]") -> None:
        """Keep a UNet that `add_spade` prepared, and the features that its layers look at."""
        self.unet = unet
        self._structure = structure

    def __call__(
        self,
        latents: "Tensor",
        timesteps: "Tensor",
        text: "Tensor",
        structure: "Mapping[int, Tensor]",
    ) -> "Tensor":
        """Return the UNet's prediction, `(N, 4, H, W)`.

        Args:
            latents: `(N, 4, H, W)`, H and W multiples of 8: widths tell the levels apart.
            timesteps: `(N,)`.
            text: `(N, tokens, channels)`.
            structure: the encoder's features by their width.
        """
        self._structure.clear()
        self._structure.update(structure)
        prediction: Tensor = self.unet(
            latents, timesteps, encoder_hidden_states=text, return_dict=False
        )[0]
        return prediction


def add_spade(unet: Any, channels: int) -> "dict[int, Tensor]":
    """Give each ResNet of a `UNet2DConditionModel` its `spade`.

    Args:
        unet: gets the layers and the hooks that use them.
        channels: of the structure's features.

    Returns:
        Where the layers look for the features, by width; empty.
    """
    structure: dict[int, Tensor] = {}
    for block in (*unet.down_blocks, unet.mid_block, *unet.up_blocks):
        for resnet in block.resnets:
            resnet.spade = _spade(resnet.out_channels, channels)
            resnet.conv2.register_forward_hook(_modulate(resnet.spade, structure))
    return structure


def _spade(width: int, channels: int) -> "nn.Module":
    from torch import nn

    return nn.ModuleDict(
        {
            "param_free_norm": nn.GroupNorm(_GROUPS, width),
            "mlp_shared": nn.Sequential(nn.Conv2d(channels, _HIDDEN, 3, padding=1), nn.ReLU()),
            "mlp_gamma": nn.Conv2d(_HIDDEN, width, 3, padding=1),
            "mlp_beta": nn.Conv2d(_HIDDEN, width, 3, padding=1),
        }
    )


def _modulate(spade: Any, structure: "Mapping[int, Tensor]") -> Any:
    def hook(module: Any, inputs: tuple[Any, ...], hidden: "Tensor") -> "Tensor":
        del module, inputs
        shared = spade["mlp_shared"](structure[hidden.shape[-1]])
        scaled = spade["param_free_norm"](hidden) * (1 + spade["mlp_gamma"](shared))
        modulated: Tensor = scaled + spade["mlp_beta"](shared)
        return modulated

    return hook
