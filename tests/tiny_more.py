"""Tiny checkpoints of pipelines that are unlike the others: Chroma, LCM, FLUX.2 klein, CogView4."""

from pathlib import Path
from typing import Any

from tiny_parts import SD_NOISE, UNCHECKED, flow_vae, sd_parts, t5_text
from tiny_qwen import qwen_tokenizer


def _shifting() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(
        shift=3.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15
    )


def save_chroma(path: Path) -> None:
    from diffusers import ChromaPipeline, ChromaTransformer2DModel

    tokenizer, encoder = t5_text(32)
    ChromaPipeline(
        scheduler=_shifting(),
        vae=flow_vae(),
        text_encoder=encoder,
        tokenizer=tokenizer,
        transformer=ChromaTransformer2DModel(
            patch_size=1,
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=(4, 4, 8),
            approximator_hidden_dim=32,
            approximator_layers=1,
            approximator_num_channels=16,
        ),
    ).save_pretrained(path, safe_serialization=True)


def save_lcm(path: Path) -> None:
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler

    LatentConsistencyModelPipeline(
        **sd_parts(LCMScheduler(**SD_NOISE), time_cond_proj_dim=32),
        **UNCHECKED,
    ).save_pretrained(path, safe_serialization=True)


def save_flux2_klein(path: Path) -> None:
    from diffusers import AutoencoderKLFlux2, Flux2KleinPipeline, Flux2Transformer2DModel
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = qwen_tokenizer()
    # It reads the layers 9, 18 and 27.
    text = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=28,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=512,
    )
    Flux2KleinPipeline(
        scheduler=_shifting(),
        vae=AutoencoderKLFlux2(
            block_out_channels=(8, 16, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=4,
            latent_channels=4,
            layers_per_block=1,
            sample_size=64,
        ),
        text_encoder=Qwen3ForCausalLM(text).eval(),
        tokenizer=tokenizer,
        transformer=Flux2Transformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=48,
            timestep_guidance_channels=16,
            axes_dims_rope=(4, 4, 4, 4),
        ),
        is_distilled=True,
    ).save_pretrained(path, safe_serialization=True)


def save_cogview4(path: Path) -> None:
    from diffusers import (
        CogView4Pipeline,
        CogView4Transformer2DModel,
        FlowMatchEulerDiscreteScheduler,
    )
    from transformers import GlmConfig, GlmForCausalLM

    # Its own tokenizer begins every text with two marks; this one ends it with one.
    tokenizer, _ = t5_text(32)
    tokenizer.padding_side = "left"
    text = GlmConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=4,
        head_dim=8,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    CogView4Pipeline(
        tokenizer=tokenizer,
        text_encoder=GlmForCausalLM(text).eval(),
        vae=flow_vae(),
        transformer=CogView4Transformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=16,
            num_layers=1,
            attention_head_dim=4,
            num_attention_heads=4,
            text_embed_dim=32,
            time_embed_dim=8,
            condition_dim=4,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(
            base_shift=0.25,
            max_shift=0.75,
            base_image_seq_len=256,
            use_dynamic_shifting=True,
            time_shift_type="linear",
        ),
    ).save_pretrained(path, safe_serialization=True)
