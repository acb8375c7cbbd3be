"""From diffusers' keys back to those of latent diffusion, in which checkpoints are published."""

import re
from collections.abc import Mapping

import torch

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def unet_to_ldm(state: Mapping[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """Return a UNet's tensors by the original keys; `layers` is `layers_per_block`."""
    attended = {key.split(".")[1] for key in state if re.match(r"up_blocks\.\d+\.attentions", key)}
    return {_unet_key(key, layers, attended): value for key, value in state.items()}


def _unet_key(key: str, layers: int, attended: set[str]) -> str:
    for end, name in _ENDS.items():
        if key.startswith(f"{end}."):
            return key.replace(end, name)
    side, *rest = key.split(".")
    if side == "mid_block":
        kind, number, *rest = rest
        place = f"middle_block.{2 * int(number) if kind == 'resnets' else 1}"
    else:
        block, kind, number, *rest = rest
        first = int(block) * (layers + 1)
        up = side == "up_blocks"
        if kind in ("downsamplers", "upsamplers"):
            last = f"{1 + (block in attended)}.conv" if up else "0.op"
            return (
                f"{'output' if up else 'input'}_blocks.{first + layers + (not up)}.{last}."
                + (rest[-1])
            )
        position = first + int(number) + (not up)
        place = f"{'output' if up else 'input'}_blocks.{position}.{int(kind == 'attentions')}"
    if kind == "resnets":
        rest[0] = _RESNET.get(rest[0], rest[0])
    return ".".join([place, *rest])


def vae_to_ldm(state: Mapping[str, torch.Tensor], blocks: int) -> dict[str, torch.Tensor]:
    """Return an autoencoder's tensors by the original keys; `blocks` counts its levels."""
    renamed = {}
    for key, value in state.items():
        key = re.sub(  # noqa: PLW2901 - one name, renamed step by step
            r"up_blocks\.(\d+)", lambda found: f"up.{blocks - 1 - int(found[1])}", key
        )
        for old, new in (
            (r"down_blocks\.", "down."),
            (r"mid_block\.resnets\.0", "mid.block_1"),
            (r"mid_block\.resnets\.1", "mid.block_2"),
            (r"mid_block\.attentions\.0\.group_norm", "mid.attn_1.norm"),
            (r"mid_block\.attentions\.0\.to_([qkv])\.", r"mid.attn_1.\1."),
            (r"mid_block\.attentions\.0\.to_out\.0", "mid.attn_1.proj_out"),
            (r"resnets", "block"),
            (r"(down|up)samplers\.0", r"\1sample"),
            (r"conv_shortcut", "nin_shortcut"),
            (r"conv_norm_out", "norm_out"),
        ):
            key = re.sub(old, new, key)  # noqa: PLW2901
        is_attention = ".attn_1." in key and value.ndim == 2
        renamed[key] = value[:, :, None, None] if is_attention else value
    return renamed


def encoder_layout(width: int, factors: tuple[int, ...], semb: int) -> dict[str, tuple[int, ...]]:
    """Return key → shape of StableSR's structure encoder, two ResNets a level."""
    time = 4 * width
    layout = _layer("time_embed.0", (time, width)) | _layer("time_embed.2", (time, time))
    layout |= _layer("input_blocks.0.0", (width, 4, 3, 3))
    channels, number = width, 1
    for level, factor in enumerate(factors):
        deepest = level == len(factors) - 1
        for _ in range(2):
            layout |= _resnet(f"input_blocks.{number}.0", channels, width * factor, time)
            channels = width * factor
            if not deepest:
                layout |= _attention(f"input_blocks.{number}.1", channels)
            number += 1
        if not deepest:
            layout |= _layer(f"input_blocks.{number}.0.op", (channels, channels, 3, 3))
            number += 1
        layout |= _resnet(f"fea_tran.{level}", channels, semb, time)
    for place in (0, 2):
        layout |= _resnet(f"middle_block.{place}", channels, channels, time)
    return layout | _attention("middle_block.1", channels)


def fusion_layout(name: str, width: int, blocks: int, growth: int) -> dict[str, tuple[int, ...]]:
    """Return key → shape of one CFW fusion layer."""
    layout: dict[str, tuple[int, ...]] = {}
    for part, inner in (("encode_enc_1", 2 * width), ("encode_enc_3", width)):
        layout |= _layer(f"{name}.{part}.norm1", (inner,))
        layout |= _layer(f"{name}.{part}.conv1", (width, inner, 3, 3))
        layout |= _layer(f"{name}.{part}.norm2", (width,))
        layout |= _layer(f"{name}.{part}.conv2", (width, width, 3, 3))
        if inner != width:
            layout |= _layer(f"{name}.{part}.conv_out", (width, inner, 1, 1))
    for block in range(blocks):
        for dense in (1, 2, 3):
            for number in range(1, 6):
                answer = growth if number < 5 else width
                layout |= _layer(
                    f"{name}.encode_enc_2.{block}.rdb{dense}.conv{number}",
                    (answer, width + (number - 1) * growth, 3, 3),
                )
    return layout


def _layer(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def _resnet(name: str, inner: int, outer: int, time: int) -> dict[str, tuple[int, ...]]:
    layout = _layer(f"{name}.in_layers.0", (inner,))
    layout |= _layer(f"{name}.in_layers.2", (outer, inner, 3, 3))
    layout |= _layer(f"{name}.emb_layers.1", (outer, time))
    layout |= _layer(f"{name}.out_layers.0", (outer,))
    layout |= _layer(f"{name}.out_layers.3", (outer, outer, 3, 3))
    if inner != outer:
        layout |= _layer(f"{name}.skip_connection", (outer, inner, 1, 1))
    return layout


def _attention(name: str, width: int) -> dict[str, tuple[int, ...]]:
    layout = _layer(f"{name}.norm", (width,))
    layout |= _layer(f"{name}.qkv", (3 * width, width, 1))
    return layout | _layer(f"{name}.proj_out", (width, width, 1))
