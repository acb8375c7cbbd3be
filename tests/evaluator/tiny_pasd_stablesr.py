"""PASD and StableSR as an operator lays them out, tiny and with random weights."""

import shutil
from pathlib import Path
from typing import Any

import torch
from golden_recipe import make_weights
from ldm_layout import encoder_layout, fusion_layout, unet_to_ldm, vae_to_ldm
from safetensors.torch import load_file, save_file

from evaluator.demo.models import T2I_NAME
from evaluator.restoration.pasd_unet import add_pixel_attentions
from evaluator.restoration.stablesr_unet import add_spade

WIDTHS = (32, 32, 64, 64)
NETWORK: dict[str, Any] = {
    "block_out_channels": WIDTHS,
    "cross_attention_dim": 32,
    "norm_num_groups": 32,
    "attention_head_dim": 2,
    "layers_per_block": 2,
}


def build_pasd(models: Path) -> Path:
    """Return the tiny base model with PASD's checkpoint inside; made once in a folder."""
    folder = models / "tiny-pasd-random-weights"
    if folder.is_dir():
        return folder
    from diffusers import ControlNetModel, UNet2DConditionModel

    shutil.copytree(models / T2I_NAME, folder)
    checkpoint = folder / "pasd" / "checkpoint-100000"
    unet = UNet2DConditionModel(**NETWORK)
    add_pixel_attentions(unet)
    control = ControlNetModel(**NETWORK, conditioning_embedding_out_channels=(16,) * 4)
    for name, network, training in (
        ("unet", unet, {}),
        ("controlnet", control, {"controlnet_cond_embedding.to_rgbs.0.weight": (3, 16, 3, 3)}),
    ):
        network.save_config(checkpoint / name)
        layout = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        save_file(
            make_weights(layout | training, name, seed=5),
            checkpoint / name / "diffusion_pytorch_model.safetensors",
        )
    return folder


def build_stablesr(models: Path) -> Path:
    """Return the tiny base model with StableSR's two files inside; made once in a folder."""
    folder = models / "tiny-stablesr-random-weights"
    if folder.is_dir():
        return folder
    from diffusers import UNet2DConditionModel

    shutil.copytree(models / T2I_NAME, folder)
    unet = UNet2DConditionModel(**NETWORK, use_linear_projection=True)
    unet.save_config(folder / "unet")
    torch.save(
        {"state_dict": stablesr_state(unet), "global_step": 117}, folder / "stablesr_000117.ckpt"
    )
    torch.save({"state_dict": cfw_state(folder)}, folder / "vqgan_cfw_00011.ckpt")
    return folder


def stablesr_state(unet: Any) -> dict[str, torch.Tensor]:
    """Return what `stablesr_000117.ckpt` holds, for a UNet of this shape."""
    add_spade(unet, channels=32)
    layout = {
        f"model.diffusion_model.{key}": tuple(value.shape)
        for key, value in unet_to_ldm(unet.state_dict(), layers=2).items()
    }
    layout |= {
        f"structcond_stage_model.{key}": shape
        for key, shape in encoder_layout(32, (1, 1, 2, 2), 32).items()
    }
    layout |= {
        "betas": (1000,),
        "posterior_mean_coef1": (1000,),
        "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
        "cond_stage_model.model.ln_final.weight": (32,),
    }
    return make_weights(layout, "stablesr", seed=5)


def cfw_state(folder: Path) -> dict[str, torch.Tensor]:
    """Return what `vqgan_cfw_00011.ckpt` holds: the base's autoencoder and fusion layers."""
    vae = load_file(folder / "vae" / "diffusion_pytorch_model.safetensors")
    layout: dict[str, tuple[int, ...]] = {"loss.logvar": ()}
    for level in (1, 2):
        layout |= fusion_layout(f"decoder.fusion_layer_{level}", width=32, blocks=2, growth=8)
    return vae_to_ldm(vae, blocks=4) | make_weights(layout, "cfw", seed=5)
