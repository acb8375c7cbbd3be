"""Key layouts: what each tensor of a diffusers UNet or ControlNet is called in LDM checkpoints.

One rule a key, from the diffusers name to the LDM name; conversion and its inverse both follow
from it. LDM numbers its blocks through: with L resnets a level, level b has the input blocks
1 + b (L + 1) to (b + 1)(L + 1), the last of them the downsampler, and the output blocks
b (L + 1) to b (L + 1) + L, the last of them with the upsampler behind it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from protocol.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

_TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "controlnet_mid_block": "middle_block_out.0",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_BLOCK = re.compile(
    r"(?P<side>down|up|mid)_block(?:s\.(?P<level>\d+))?"
    r"\.(?P<part>resnets|attentions|downsamplers|upsamplers)\.(?P<index>\d+)\.(?P<rest>.+)"
)
_SHOWN = 5


def ldm_names(model: Any) -> dict[str, str]:
    """Return the LDM name of each tensor of a model, by its diffusers name.

    Args:
        model: a UNet2DConditionModel or a ControlNetModel. Of a ControlNet's
            `controlnet_cond_embedding` nothing is returned: there is no one name for it.
    """
    names = [name for name in model.state_dict() if not name.startswith("controlnet_cond")]
    layers = model.config.layers_per_block
    with_attention = {name.split(".attentions.")[0] for name in names if ".attentions." in name}
    return {name: _ldm_name(name, layers, with_attention) for name in names}


def convert(
    found: "Mapping[str, Tensor]",
    wanted: "Mapping[str, Tensor]",
    names: Mapping[str, str],
    *,
    source: str,
    dropped: Sequence[str] = (),
) -> "dict[str, Tensor]":
    """Return the tensors of a checkpoint under the names of a model: each one, and no others.

    Args:
        found: the checkpoint.
        wanted: the model's own tensors, for their shapes.
        names: the checkpoint's name of each wanted tensor.
        source: what to call the checkpoint in an error.
        dropped: prefixes of what the checkpoint may hold beside them.

    Raises:
        ModelError: tensors are missing, of another shape, or neither wanted nor dropped.
    """
    missing = [names[name] for name in wanted if names[name] not in found]
    taken = set(names.values())
    foreign = [name for name in found if name not in taken and not name.startswith(tuple(dropped))]
    shapes = [
        f"{names[name]} {tuple(found[names[name]].shape)} for {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if names[name] in found and found[names[name]].shape != tensor.shape
    ]
    faults = {"missing": missing, "unknown": foreign, "of another shape": shapes}
    if any(faults.values()):
        listed = "; ".join(f"{_list(names)} {kind}" for kind, names in faults.items() if names)
        raise ModelError(f"{source} does not fit the model: {listed}")
    return {name: found[names[name]] for name in wanted}


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _ldm_name(name: str, layers: int, with_attention: set[str]) -> str:
    for ours, theirs in _TOP.items():
        if name.startswith(f"{ours}."):
            return theirs + name.removeprefix(ours)
    if name.startswith("controlnet_down_blocks."):
        _, index, kind = name.split(".")
        return f"zero_convs.{index}.0.{kind}"
    match = _BLOCK.fullmatch(name)
    if match is None:
        raise ModelError(f"{name} has no place in an LDM checkpoint; this model is of another kind")
    rest = match["rest"]
    if match["part"] == "resnets":
        module, _, kind = rest.partition(".")
        rest = f"{_RESNET[module]}.{kind}"
    if match["part"] == "downsamplers":
        rest = rest.removeprefix("conv.")
    return f"{_ldm_place(match, layers, with_attention)}.{rest}"


def _ldm_place(match: re.Match[str], layers: int, with_attention: set[str]) -> str:
    """Return the block and the position in it: `input_blocks.3.0.op`, `middle_block.1`."""
    side, part, level = match["side"], match["part"], int(match["level"] or 0)
    index = int(match["index"])
    first = level * (layers + 1)
    if side == "mid":
        # Resnet, attention, resnet.
        return f"middle_block.{2 * index + int(part == 'attentions')}"
    if part == "downsamplers":
        return f"input_blocks.{first + 1 + layers}.0.op"
    if part == "upsamplers":
        return f"output_blocks.{first + layers}.{1 + int(f'up_blocks.{level}' in with_attention)}"
    block = (
        f"input_blocks.{first + 1 + index}" if side == "down" else f"output_blocks.{first + index}"
    )
    return f"{block}.{int(part == 'attentions')}"
