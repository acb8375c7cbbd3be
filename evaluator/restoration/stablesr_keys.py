"""StableSR's checkpoint layout, that of latent diffusion, to the layout of diffusers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluator.restoration.state_dicts import list_keys
from protocol.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

UNET = "model.diffusion_model."
ENCODER = "structcond_stage_model."
ATTENTION_HEADS = 4
"""Of the structure encoder; its widths follow from the tensors, this does not."""

UNUSED_PARTS = (
    # The base folder has the text encoder, the other file the autoencoder.
    "cond_stage_model.",
    "first_stage_model.",
    "model_ema.",
    # The training's losses and image degradations.
    "loss.",
    "usm_sharpener.",
    "jpeger.",
    "queue_",
    # What follows from the noise schedule.
    "posterior_",
)
UNUSED_TENSORS = frozenset(
    {
        "betas",
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
        "lvlb_weights",
        "logvar",
        "scale_factor",
        "ori_timesteps",
    }
)
"""What the two files hold and decoding does not use, by prefix and by name."""

_RESNET = (
    ("in_layers.0", "norm1"),
    ("in_layers.2", "conv1"),
    ("emb_layers.1", "time_emb_proj"),
    ("out_layers.0", "norm2"),
    ("out_layers.3", "conv2"),
    ("skip_connection", "conv_shortcut"),
)


def split_checkpoint(
    state: "Mapping[str, Tensor]", prefixes: tuple[str, ...]
) -> "tuple[dict[str, dict[str, Tensor]], list[str]]":
    """Return the tensors of each part, without the part's prefix, and the names of unused ones.

    Args:
        state: the file's tensors.
        prefixes: of the parts that are used; "" takes what no other and no unused part has.

    Raises:
        ModelError: a key belongs to no part, or a part has no key.
    """
    parts: dict[str, dict[str, Tensor]] = {prefix: {} for prefix in prefixes}
    unused, unknown = [], []
    for key, value in state.items():
        prefix = next((p for p in prefixes if p and key.startswith(p)), None)
        if prefix is not None:
            parts[prefix][key.removeprefix(prefix)] = value
        elif key.startswith(UNUSED_PARTS) or key in UNUSED_TENSORS:
            unused.append(key)
        elif "" in parts:
            parts[""][key] = value
        else:
            unknown.append(key)
    empty = [prefix for prefix, tensors in parts.items() if not tensors]
    if unknown or empty:
        raise ModelError(
            f"this is no StableSR checkpoint: no tensors under {', '.join(empty) or 'nothing'}; "
            f"of no known part: {list_keys(unknown) or 'none'}"
        )
    return parts, unused


def convert_unet(state: "Mapping[str, Tensor]", config: Mapping[str, Any]) -> "dict[str, Tensor]":
    """Return the UNet's tensors by diffusers' keys, `spade.*` under their ResNet.

    Raises:
        ModelError: a tensor has no place there.
    """
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

    prefixed = {f"{UNET}{key}": value for key, value in state.items()}
    converted = convert_ldm_unet_checkpoint(prefixed, dict(config))
    _require_all(state, converted, "UNet")
    return dict(converted)


def convert_vae(state: "Mapping[str, Tensor]", config: Mapping[str, Any]) -> "dict[str, Tensor]":
    """Return the autoencoder's tensors by diffusers' keys; the fusion layers keep theirs.

    Raises:
        ModelError: a tensor has no place there.
    """
    from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint

    fusion = {key: value for key, value in state.items() if ".fusion_layer_" in key}
    plain = {key: value for key, value in state.items() if key not in fusion}
    converted = convert_ldm_vae_checkpoint(plain, dict(config))
    _require_all(plain, converted, "autoencoder")
    return {**converted, **fusion}


def convert_encoder(state: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Return the structure encoder's tensors by the keys of `stablesr_structure`."""
    converted: dict[str, Tensor] = {}
    for key, value in state.items():
        for old, new in _RESNET:
            key = key.replace(f".{old}.", f".{new}.")  # noqa: PLW2901 - six renames of one name
        stem, _, kind = key.rpartition(".")
        if stem.endswith(".qkv"):
            for name, part in zip("qkv", _split_heads(value), strict=True):
                converted[f"{stem.removesuffix('qkv')}to_{name}.{kind}"] = part
        elif stem.endswith(".proj_out"):
            converted[f"{stem.removesuffix('proj_out')}to_out.0.{kind}"] = _drop_length(value)
        elif stem.endswith(".1.norm"):
            converted[f"{stem.removesuffix('norm')}group_norm.{kind}"] = value
        else:
            converted[key.replace(".op.", ".")] = value
    return converted


def _split_heads(value: "Tensor") -> "tuple[Tensor, ...]":
    """Return q, k and v of a projection that holds q, k and v of one head after another."""
    matrix = _drop_length(value)
    rows = matrix.reshape(ATTENTION_HEADS, 3, -1, *matrix.shape[1:])
    return tuple(part.flatten(0, 1).contiguous() for part in rows.unbind(1))


def _drop_length(value: "Tensor") -> "Tensor":
    """Return the matrix of a convolution over positions with one tap."""
    return value[..., 0] if value.ndim == 3 else value


def _require_all(
    state: "Mapping[str, Tensor]", converted: "Mapping[str, Tensor]", name: str
) -> None:
    """Refuse a conversion that lost a tensor; one that it kept lies where it lay."""
    kept = {value.data_ptr() for value in converted.values()}
    lost = [key for key, value in state.items() if value.data_ptr() not in kept]
    if lost:
        raise ModelError(f"the {name} has no place for {list_keys(lost)}")
