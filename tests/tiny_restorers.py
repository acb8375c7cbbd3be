"""Tiny restorative systems with random weights, in the layout of the released checkpoints."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from evaluator.restoration.control import new_control
from evaluator.restoration.ldm_keys import ldm_names

NETWORK = "compact-x2-random-weights.safetensors"


def tiny_network(folder: Path) -> Path:
    """Return a network that enlarges twice, made once a folder."""
    from spandrel.architectures.Compact import Compact

    path = folder / NETWORK
    if not path.exists():
        torch.manual_seed(3)
        network = Compact(num_feat=8, num_conv=2, upscale=2)
        save_file(network.state_dict(), path)
    return path


def tiny_diffbir(models: Path) -> Path:
    """Return a folder with Stable Diffusion, a control and a cleaner, made once a folder."""
    folder = models / "tiny-diffbir-random-weights"
    if not folder.exists():
        shutil.copytree(models / "tiny-sd-random-weights", folder)
        torch.save(original_layout(tiny_control(folder)), folder / "control.pth")
        shutil.copy(tiny_network(models), folder / NETWORK)
    return folder


def tiny_control(folder: Path) -> Any:
    """Return a control for a folder's UNet whose every part is heard."""
    from diffusers import UNet2DConditionModel

    torch.manual_seed(4)
    control = new_control(UNet2DConditionModel.from_pretrained(folder / "unet"))
    for name, weight in control.named_parameters():
        if name.startswith(("controlnet_down_blocks", "controlnet_mid_block")):
            # Zero in a new one.
            torch.nn.init.normal_(weight, std=0.3)
    return control


def original_layout(control: Any) -> dict[str, torch.Tensor]:
    """Return a control's tensors as the original checkpoints hold them."""
    state = control.state_dict()
    tensors = {theirs: state[ours] for ours, theirs in ldm_names(control).items()}
    first = torch.cat([state["conv_in.weight"], state["controlnet_cond_embedding.weight"]], dim=1)
    return {**tensors, "input_blocks.0.0.weight": first}


def swinir_weights() -> dict[str, torch.Tensor]:
    """Return a tiny SwinIR in the layout of DiffBIR's cleaner: unshuffled by 8, enlarged by 8."""
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network = SwinIR(
            img_size=16,
            embed_dim=8,
            depths=[2],
            num_heads=[2],
            window_size=8,
            mlp_ratio=2,
            upscale=8,
            upsampler="nearest+conv",
            start_unshuffle=8,
        )
    renamed = {"conv_first.weight": "conv_first.1.weight", "conv_first.bias": "conv_first.1.bias"}
    return {renamed.get(name, name): tensor for name, tensor in network.state_dict().items()}
