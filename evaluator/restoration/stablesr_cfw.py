"""StableSR's controllable feature wrapping: a decoder that sees the encoder's features.

On each level of the decoder between the deepest and the finest, a fusion layer reads the encoder's
and the decoder's features of that level, and what it answers is added to the decoder's, times a
weight: 0 is the plain decoder, and more is more faithful to the encoded picture.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluator.restoration.pictures import encode

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

_GROUPS = 32
_RESIDUAL = 0.2
"""What the residual blocks of ESRGAN (Wang et al. 2018) multiply their answers by."""

_SLOPE = 0.2
"""Of ESRGAN's leaky ReLU."""


class FusingAutoencoder:
    """Encodes a picture, and decodes latents with that picture's features."""

    def __init__(self, vae: Any, features: "dict[int, Tensor]", weight: float) -> None:
        """Keep an `AutoencoderKL` that `add_fusion` prepared.

        Args:
            vae: the autoencoder.
            features: where its layers keep the features of what was encoded last.
            weight: of the fusion layers.
        """
        self.vae = vae
        self._features = features
        self.weight = weight

    def encode(
        self, pictures: "Tensor", generators: "Sequence[Generator]"
    ) -> "tuple[Tensor, dict[int, Tensor]]":
        """Return scaled latents of `(N, 3, H, W)` in [0, 1], and the features by their level."""
        latents = encode(self.vae, pictures, generators)
        return latents, dict(self._features)

    def decode(self, latents: "Tensor", features: "Mapping[int, Tensor]") -> "Tensor":
        """Return pictures, `(N, 3, H, W)`, float32, about [0, 1].

        Args:
            latents: scaled.
            features: of the picture that is restored.
        """
        latents = latents.to(self.vae.dtype) / self.vae.config.scaling_factor
        decoder = self.vae.decoder
        hooks = [
            decoder.up_blocks[len(decoder.up_blocks) - 1 - level]
            .resnets[-1]
            .register_forward_hook(self._fuse(level, features[level]))
            for level in features
        ]
        try:
            decoded: Tensor = self.vae.decode(latents, return_dict=False)[0]
        finally:
            for hook in hooks:
                hook.remove()
        return decoded.float() / 2 + 0.5

    def _fuse(self, level: int, encoded: "Tensor") -> Any:
        layer = getattr(self.vae.decoder, f"fusion_layer_{level}")

        def hook(module: Any, inputs: tuple[Any, ...], decoded: "Tensor") -> "Tensor":
            del module, inputs
            return decoded + self.weight * fuse(layer, encoded, decoded)

        return hook


def add_fusion(vae: Any, state: "Mapping[str, Tensor]") -> "dict[int, Tensor]":
    """Give an `AutoencoderKL` its fusion layers, and let its encoder keep what they read.

    Args:
        vae: gets `decoder.fusion_layer_1` and so on; level 0 is the finest and has none.
        state: tensors that say how many dense blocks the layers have, and how wide.

    Returns:
        Where the encoder leaves its features, by level; empty.
    """
    features: dict[int, Tensor] = {}
    for level in range(1, len(vae.encoder.down_blocks) - 1):
        name = f"fusion_layer_{level}"
        resnet = vae.encoder.down_blocks[level].resnets[-1]
        blocks = _dense_layout(state, f"decoder.{name}.encode_enc_2")
        setattr(vae.decoder, name, _fusion_layer(resnet.out_channels, blocks))
        resnet.register_forward_hook(_keep(features, level))
    return features


def fuse(layer: Any, encoded: "Tensor", decoded: "Tensor") -> "Tensor":
    """Return what a fusion layer adds to the decoder's features of its level."""
    import torch

    hidden: Tensor = _resnet(layer["encode_enc_1"], torch.cat([encoded, decoded], dim=1))
    for dense in layer["encode_enc_2"]:
        hidden = hidden + _RESIDUAL * _dense_blocks(dense, hidden)
    return _resnet(layer["encode_enc_3"], hidden)


def _keep(features: "dict[int, Tensor]", level: int) -> Any:
    def hook(module: Any, inputs: tuple[Any, ...], output: "Tensor") -> None:
        del module, inputs
        features[level] = output

    return hook


def _resnet(parts: Any, hidden: "Tensor") -> "Tensor":
    from torch.nn.functional import silu

    middle = parts["conv1"](silu(parts["norm1"](hidden)))
    added: Tensor = parts["conv2"](silu(parts["norm2"](middle)))
    return added + (parts["conv_out"](hidden) if "conv_out" in parts else hidden)


def _dense_blocks(blocks: Any, hidden: "Tensor") -> "Tensor":
    """Return three dense blocks' answer: in each, every convolution reads all before it."""
    import torch
    from torch.nn.functional import leaky_relu

    for block in blocks.values():
        seen = [hidden]
        *inner, last = block.values()
        for convolution in inner:
            seen.append(leaky_relu(convolution(torch.cat(seen, dim=1)), _SLOPE))
        hidden = hidden + _RESIDUAL * last(torch.cat(seen, dim=1))
    return hidden


def _dense_layout(state: "Mapping[str, Tensor]", prefix: str) -> list[int]:
    """Return the growth, in channels a convolution, of each residual dense block."""
    growths: list[int] = []
    while (first := state.get(f"{prefix}.{len(growths)}.rdb1.conv1.weight")) is not None:
        growths.append(first.shape[0])
    return growths


def _fusion_layer(width: int, growths: Sequence[int]) -> "nn.Module":
    from torch import nn

    return nn.ModuleDict(
        {
            "encode_enc_1": _resnet_parts(2 * width, width),
            "encode_enc_2": nn.ModuleList(_dense_parts(width, growth) for growth in growths),
            "encode_enc_3": _resnet_parts(width, width),
        }
    )


def _resnet_parts(width_in: int, width: int) -> "nn.Module":
    from torch import nn

    parts: dict[str, nn.Module] = {
        "norm1": nn.GroupNorm(_GROUPS, width_in, eps=1e-6),
        "conv1": nn.Conv2d(width_in, width, 3, padding=1),
        "norm2": nn.GroupNorm(_GROUPS, width, eps=1e-6),
        "conv2": nn.Conv2d(width, width, 3, padding=1),
    }
    if width_in != width:
        parts["conv_out"] = nn.Conv2d(width_in, width, 1)
    return nn.ModuleDict(parts)


def _dense_parts(width: int, growth: int) -> "nn.Module":
    from torch import nn

    def block() -> nn.Module:
        return nn.ModuleDict(
            {
                f"conv{number}": nn.Conv2d(
                    width + (number - 1) * growth, growth if number < 5 else width, 3, padding=1
                )
                for number in range(1, 6)
            }
        )

    return nn.ModuleDict({f"rdb{number}": block() for number in range(1, 4)})
