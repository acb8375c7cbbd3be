"""DiffBIR's IRControlNet on diffusers parts (Lin et al. 2024, Sec. 3.3).

A copy of the UNet's encoder whose first convolution sees the noisy latent and the latent of the
cleaned picture side by side. A convolution of a concatenation is the sum of two convolutions, so
it is a ControlNetModel whose conditioning embedding is one 3x3 convolution without a bias.
"""

from collections.abc import Mapping
from typing import Any

from evaluator.restoration.ldm_keys import convert, ldm_names
from protocol.errors import ModelError

_FIRST = "input_blocks.0.0.weight"
_HINT = "controlnet_cond_embedding.weight"
_HINT_PART = f"{_FIRST} (hint)"
_PREFIX = "control_model."

DROPPED = (
    # A whole training checkpoint of version 1 (general_swinir_v1.ckpt) has Stable Diffusion and the
    # cleaner beside its control; here they come from the folder, and the cleaner is a file of its
    # own. Its condition encoder is a frozen copy of the VAE's.
    "model.diffusion_model.",
    "model_ema.",
    "first_stage_model.",
    "cond_stage_model.",
    "cond_encoder.",
    "preprocess_model.",
    # The noise schedule, which the scheduler computes.
    "betas",
    "alphas_cumprod",
    "sqrt_",
    "log_one_minus_alphas_cumprod",
    "posterior_",
    "logvar",
)


def new_control(unet: Any) -> Any:
    """Return a ControlNetModel for a UNet with a conditioning embedding of latents; not loaded."""
    from diffusers import ControlNetModel
    from torch import nn

    control = ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    channels, width = unet.config.in_channels, unet.config.block_out_channels[0]
    control.controlnet_cond_embedding = nn.Conv2d(channels, width, 3, padding=1, bias=False)
    return control


def load_control(found: Mapping[str, Any], unet: Any, source: str) -> Any:
    """Return the control of a checkpoint in the original layout, bare or under `control_model.`.

    Args:
        found: what the file holds; a training checkpoint has its tensors under `state_dict`.
        unet: the UNet that it steers, which decides its architecture.
        source: what to call the file in an error.

    Raises:
        ModelError: tensors are missing, unknown or of another shape.
    """
    control = new_control(unet)
    names = {**ldm_names(control), _HINT: _HINT_PART}
    tensors = _split_hint(_bare(found), unet.config.in_channels, source)
    converted = convert(tensors, control.state_dict(), names, source=source, dropped=DROPPED)
    control.load_state_dict(converted)
    return control.eval()


def _bare(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checkpoint without its wrapping and without the prefix of the control."""
    held = found.get("state_dict", found)
    return {name.removeprefix("module.").removeprefix(_PREFIX): held[name] for name in held}


def _split_hint(found: Mapping[str, Any], channels: int, source: str) -> dict[str, Any]:
    first = found.get(_FIRST)
    if first is None or first.shape[1] != 2 * channels:
        shape = None if first is None else tuple(first.shape)
        raise ModelError(
            f"{source} is no DiffBIR control: its {_FIRST} is {shape}; wanted {2 * channels} input "
            "channels, of the noisy latent and of the cleaned picture's"
        )
    return {**found, _FIRST: first[:, :channels], _HINT_PART: first[:, channels:]}
