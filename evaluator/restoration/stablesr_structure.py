"""StableSR's structure encoder: features of the clean latent, for a given time step.

Half a UNet: levels of two ResNets with self-attention above the deepest, a middle, and a ResNet on
the last features of each level that brings them to one width. Its shape follows from its tensors.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluator.restoration.stablesr_keys import ATTENTION_HEADS, convert_encoder
from evaluator.restoration.state_dicts import build_filled
from protocol.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

_GROUPS = 32
_EPSILON = 1e-5


class StructureEncoder:
    """Gives the UNet what its SPADE layers read."""

    def __init__(self, state: "Mapping[str, Tensor]") -> None:
        """Build the network that `state`, tensors by the original's keys, belongs to.

        Raises:
            ModelError: the tensors are not those of a structure encoder.
        """
        converted = convert_encoder(state)
        try:
            self.network = build_filled(lambda: _build(converted), converted, "structure encoder")
            self.channels: int = converted["fea_tran.0.conv1.weight"].shape[0]
        except KeyError as error:
            raise ModelError(f"the structure encoder has no tensor {error}") from error

    def __call__(self, latents: "Tensor", timesteps: "Tensor") -> "dict[int, Tensor]":
        """Return the features by their width.

        Args:
            latents: `(N, 4, H, W)`, scaled, without noise.
            timesteps: `(N,)`, of the 1,000 of training.
        """
        from diffusers.models.embeddings import get_timestep_embedding

        net: Any = self.network
        embedding = get_timestep_embedding(
            timesteps,
            net["time_embed"][0].in_features,
            flip_sin_to_cos=True,
            downscale_freq_shift=0,
        )
        time = net["time_embed"](embedding.to(latents.dtype))
        hidden, levels = latents, []
        for block in net["input_blocks"]:
            last = hidden
            hidden = _run(block, hidden, time)
            if hidden.shape[-1] != last.shape[-1]:
                levels.append(last)
        levels.append(_run(net["middle_block"], hidden, time))
        return {
            level.shape[-1]: resnet(level, time)
            for level, resnet in zip(levels, net["fea_tran"], strict=True)
        }


def _run(block: Any, hidden: "Tensor", time: "Tensor") -> "Tensor":
    from diffusers.models.resnet import ResnetBlock2D

    for part in block:
        hidden = part(hidden, time) if isinstance(part, ResnetBlock2D) else part(hidden)
    return hidden


def _build(state: "Mapping[str, Tensor]") -> "nn.Module":
    from torch import nn

    embed = state["time_embed.0.weight"].shape
    return nn.ModuleDict(
        {
            "time_embed": nn.Sequential(
                nn.Linear(embed[1], embed[0]), nn.SiLU(), nn.Linear(embed[0], embed[0])
            ),
            "input_blocks": nn.ModuleList(
                _block(state, f"input_blocks.{number}") for number in range(_count(state, 0))
            ),
            "middle_block": _block(state, "middle_block"),
            "fea_tran": _block(state, "fea_tran"),
        }
    )


def _count(state: "Mapping[str, Tensor]", start: int) -> int:
    """Return how many input blocks there are."""
    while any(key.startswith(f"input_blocks.{start}.") for key in state):
        start += 1
    return start


def _block(state: "Mapping[str, Tensor]", prefix: str) -> "nn.Module":
    """Return the parts `prefix.0`, `prefix.1`, … in their order."""
    from torch import nn

    parts: list[nn.Module] = []
    while (part := _part(state, f"{prefix}.{len(parts)}")) is not None:
        parts.append(part)
    return nn.ModuleList(parts)


def _part(state: "Mapping[str, Tensor]", prefix: str) -> "nn.Module | None":
    """Return the layer whose tensors begin with `prefix`; None where there are none."""
    from diffusers.models.attention_processor import Attention
    from diffusers.models.resnet import ResnetBlock2D
    from torch import nn

    if f"{prefix}.conv1.weight" in state:
        channels = state[f"{prefix}.conv1.weight"].shape
        return ResnetBlock2D(  # type: ignore[no-any-return]
            in_channels=channels[1],
            out_channels=channels[0],
            temb_channels=state[f"{prefix}.time_emb_proj.weight"].shape[1],
            groups=_GROUPS,
            eps=_EPSILON,
        )
    if f"{prefix}.to_q.weight" in state:
        width = state[f"{prefix}.to_q.weight"].shape[0]
        return Attention(  # type: ignore[no-any-return]
            width,
            heads=ATTENTION_HEADS,
            dim_head=width // ATTENTION_HEADS,
            bias=True,
            norm_num_groups=_GROUPS,
            eps=_EPSILON,
            residual_connection=True,
        )
    if f"{prefix}.weight" in state:
        channels = state[f"{prefix}.weight"].shape
        # The first layer keeps the size, the others halve it.
        stride = 1 if prefix == "input_blocks.0.0" else 2
        return nn.Conv2d(channels[1], channels[0], 3, stride=stride, padding=1)
    return None
