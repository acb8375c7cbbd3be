"""Stable Diffusion 1.5 and SDXL in their real sizes with random weights, for `decode.py`.

The shapes are those of the released checkpoints' configuration files; weights are drawn on the
device. The vocabulary is the demo's: what a caption says plays no part in how long it takes.
"""

from pathlib import Path
from typing import Any

from evaluator.demo.vocabularies import clip_tokenizer

_NOISE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
_VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "latent_channels": 4,
}


def build(name: str, device: str, dtype: Any) -> tuple[Any, Any]:
    """Return text-to-image and image-to-image pipelines of `sdxl`, `sd15` or `tiny`."""
    import torch
    from diffusers import AutoPipelineForImage2Image

    torch.manual_seed(0)
    with torch.device(device):
        from_noise = {"sdxl": _sdxl, "sd15": _sd15, "tiny": _tiny}[name](dtype)
    from_noise.to(device, dtype)
    from_image = AutoPipelineForImage2Image.from_pipe(from_noise)
    for pipeline in (from_noise, from_image):
        pipeline.set_progress_bar_config(disable=True)
    return from_noise, from_image


def save(name: str, folder: Path, device: str) -> Path:
    """Write a checkpoint of `sdxl`, `sd15` or `tiny` in the precision of a device; return where."""
    import torch

    from_noise, _ = build(name, device, torch.float32 if device == "cpu" else torch.float16)
    from_noise.save_pretrained(folder)
    return folder


def build_vae(name: str, dtype: Any) -> Any:
    """Return the VAE of `sdxl` or `sd15`, on torch's default device.

    By default its configuration asks for single precision, which SDXL's pipeline heeds.
    """
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        **_VAE,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        scaling_factor={"sdxl": 0.13025, "sd15": 0.18215}[name],
    ).to(dtype)


def _sdxl(dtype: Any) -> Any:
    from diffusers import (
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )

    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 10),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    ).to(dtype)
    return StableDiffusionXLPipeline(
        vae=build_vae("sdxl", dtype),
        text_encoder=_text(768, 12, 12),
        text_encoder_2=_text(1280, 32, 20, projected=True),
        tokenizer=clip_tokenizer(),
        tokenizer_2=clip_tokenizer(),
        unet=unet,
        scheduler=EulerDiscreteScheduler(**_NOISE, timestep_spacing="leading", steps_offset=1),
        add_watermarker=False,
    )


def _sd15(dtype: Any) -> Any:
    from diffusers import (
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    unet = UNet2DConditionModel(
        sample_size=64,
        block_out_channels=(320, 640, 1280, 1280),
        attention_head_dim=8,
        cross_attention_dim=768,
    ).to(dtype)
    return StableDiffusionPipeline(
        vae=build_vae("sd15", dtype),
        text_encoder=_text(768, 12, 12),
        tokenizer=clip_tokenizer(),
        unet=unet,
        scheduler=PNDMScheduler(**_NOISE, skip_prk_steps=True, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _tiny(dtype: Any) -> Any:
    """Return the shape of the two with next to no size, to try the benchmark with."""
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    unet = UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
        cross_attention_dim=32,
        norm_num_groups=8,
    ).to(dtype)
    return StableDiffusionPipeline(
        vae=AutoencoderKL(**_VAE, block_out_channels=(16, 32, 32, 32), norm_num_groups=8),
        text_encoder=_text(32, 2, 4),
        tokenizer=clip_tokenizer(),
        unet=unet,
        scheduler=PNDMScheduler(**_NOISE, skip_prk_steps=True, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _text(width: int, layers: int, heads: int, *, projected: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
