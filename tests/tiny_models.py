"""Tiny checkpoints with random weights, one of each family that a decoder loads.

Each builder saves a folder in the form of the real checkpoint and returns its path; a folder that
is there already is taken as it is.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tiny_more import save_chroma, save_cogview4, save_flux2_klein, save_lcm
from tiny_parts import SD_NOISE, UNCHECKED, clip_text, flow_vae, safety_checker, sd_parts, t5_text
from tiny_qwen import save_qwen_edit, save_qwen_edit_plus, save_qwen_image, save_z_image
from tiny_unchosen import save_bria, save_hunyuan_image, save_sana_sprint

from evaluator.demo.models import _vae
from evaluator.demo.vocabularies import clip_tokenizer


def build(folder: Path, name: str) -> Path:
    """Return the tiny checkpoint of this name, made in `folder`."""
    path = folder / f"tiny-{name}-random-weights"
    if not path.is_dir():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(5)
            BUILDERS[name](path)
    return path


def _checked_sd(threshold: float) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        from diffusers import StableDiffusionPipeline
        from transformers import CLIPImageProcessor

        StableDiffusionPipeline(
            **sd_parts(),
            safety_checker=safety_checker(threshold),
            feature_extractor=CLIPImageProcessor(
                size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
            ),
        ).save_pretrained(path, safe_serialization=True)

    return save


def _save_sdxl(path: Path, scheduler: Any = None) -> None:
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    parts = sd_parts(
        scheduler or EulerDiscreteScheduler(**SD_NOISE, timestep_spacing="leading", steps_offset=1),
        cross_attention_dim=64,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=32 + 6 * 8,
    )
    StableDiffusionXLPipeline(
        **parts,
        text_encoder_2=clip_text(projected=True),
        tokenizer_2=clip_tokenizer(),
    ).save_pretrained(path, safe_serialization=True)


def _save_playground(path: Path) -> None:
    from diffusers import EDMDPMSolverMultistepScheduler

    # Playground v2.5's: sigma_data 0.5, Karras' spacing, from 80.
    _save_sdxl(path, EDMDPMSolverMultistepScheduler(sigma_min=0.002, sigma_max=80.0, rho=7.0))


def _save_sd3(path: Path) -> None:
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    tokenizer, encoder = t5_text(64)
    StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=8,
            patch_size=2,
            in_channels=16,
            out_channels=16,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=64,
            caption_projection_dim=32,
            pooled_projection_dim=64,
            pos_embed_max_size=48,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=flow_vae(),
        text_encoder=clip_text(projected=True),
        tokenizer=clip_tokenizer(),
        text_encoder_2=clip_text(projected=True),
        tokenizer_2=clip_tokenizer(),
        text_encoder_3=encoder,
        tokenizer_3=tokenizer,
    ).save_pretrained(path, safe_serialization=True)


def flux_parts() -> dict[str, Any]:
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel

    tokenizer, encoder = t5_text(32)
    return {
        "transformer": FluxTransformer2DModel(
            patch_size=1,
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=(4, 6, 6),
            guidance_embeds=True,
        ),
        "scheduler": FlowMatchEulerDiscreteScheduler(
            shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15
        ),
        "vae": flow_vae(),
        "text_encoder": clip_text(),
        "tokenizer": clip_tokenizer(),
        "text_encoder_2": encoder,
        "tokenizer_2": tokenizer,
    }


def _save_flux(path: Path) -> None:
    from diffusers import FluxPipeline

    FluxPipeline(**flux_parts()).save_pretrained(path, safe_serialization=True)


def _save_pixart(path: Path) -> None:
    from diffusers import DPMSolverMultistepScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel

    tokenizer, encoder = t5_text(32)
    PixArtSigmaPipeline(
        tokenizer=tokenizer,
        text_encoder=encoder,
        vae=_vae(),
        transformer=PixArtTransformer2DModel(
            sample_size=8,
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_channels=32,
            cross_attention_dim=16,
            in_channels=4,
            out_channels=8,
        ),
        scheduler=DPMSolverMultistepScheduler(),
    ).save_pretrained(path, safe_serialization=True)


def _save_kontext(path: Path) -> None:
    from diffusers import FluxKontextPipeline

    FluxKontextPipeline(**flux_parts()).save_pretrained(path, safe_serialization=True)


def _save_instruct(path: Path) -> None:
    from diffusers import StableDiffusionInstructPix2PixPipeline

    # Eight channels: the noisy latents, and those of the picture to edit.
    StableDiffusionInstructPix2PixPipeline(
        **sd_parts(in_channels=8),
        **UNCHECKED,
    ).save_pretrained(path, safe_serialization=True)


def _save_motion_module(path: Path) -> None:
    from diffusers import MotionAdapter

    MotionAdapter(
        block_out_channels=(32, 64),
        motion_layers_per_block=1,
        motion_norm_num_groups=8,
        motion_num_attention_heads=2,
        motion_mid_block_layers_per_block=1,
        motion_max_seq_length=32,
    ).save_pretrained(path, safe_serialization=True)


BUILDERS: dict[str, Callable[[Path], None]] = {
    "sd-flagging": _checked_sd(-2.0),
    "sd-passing": _checked_sd(2.0),
    "sdxl": _save_sdxl,
    "playground": _save_playground,
    "sd3": _save_sd3,
    "flux": _save_flux,
    "pixart": _save_pixart,
    "z-image": save_z_image,
    "qwen-image": save_qwen_image,
    "qwen-edit": save_qwen_edit,
    "qwen-edit-plus": save_qwen_edit_plus,
    "kontext": _save_kontext,
    "chroma": save_chroma,
    "cogview4": save_cogview4,
    "bria": save_bria,
    "hunyuan-image": save_hunyuan_image,
    "sana-sprint": save_sana_sprint,
    "lcm": save_lcm,
    "flux2-klein": save_flux2_klein,
    "motion-module": _save_motion_module,
    "instruct-pix2pix": _save_instruct,
}
