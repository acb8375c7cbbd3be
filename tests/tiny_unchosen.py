"""Tiny checkpoints of pipelines that diffusers' automatic choice does not know."""

from pathlib import Path

from tiny_parts import flow_vae, t5_text
from tiny_qwen import qwen_parts


def save_sana_sprint(path: Path) -> None:
    from diffusers import AutoencoderDC, SanaSprintPipeline, SanaTransformer2DModel, SCMScheduler
    from transformers import Gemma2Config, Gemma2Model

    tokenizer, _ = t5_text(32)
    text = Gemma2Config(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=4,
        pad_token_id=tokenizer.pad_token_id,
        max_position_embeddings=4096,
    )
    # The released one halves the sides five times too.
    widths = (8, 8, 8, 8, 8, 8)
    SanaSprintPipeline(
        tokenizer=tokenizer,
        text_encoder=Gemma2Model(text).eval(),
        vae=AutoencoderDC(
            latent_channels=4,
            attention_head_dim=2,
            encoder_block_types="ResBlock",
            decoder_block_types="ResBlock",
            encoder_block_out_channels=widths,
            decoder_block_out_channels=widths,
            encoder_layers_per_block=(1,) * 6,
            decoder_layers_per_block=(1,) * 6,
            encoder_qkv_multiscales=((),) * 6,
            decoder_qkv_multiscales=((),) * 6,
        ),
        transformer=SanaTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_layers=1,
            num_attention_heads=2,
            attention_head_dim=4,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=8,
            sample_size=32,
            guidance_embeds=True,
            qk_norm="rms_norm_across_heads",
        ),
        scheduler=SCMScheduler(),
    ).save_pretrained(path, safe_serialization=True)


def save_bria(path: Path) -> None:
    from diffusers import BriaPipeline, BriaTransformer2DModel, FlowMatchEulerDiscreteScheduler

    tokenizer, encoder = t5_text(32)
    BriaPipeline(
        transformer=BriaTransformer2DModel(
            in_channels=64,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=32,
            axes_dims_rope=[0, 4, 4],
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=flow_vae(),
        text_encoder=encoder,
        tokenizer=tokenizer,
    ).save_pretrained(path, safe_serialization=True)


def save_hunyuan_image(path: Path) -> None:
    from diffusers import (
        AutoencoderKLHunyuanImage,
        FlowMatchEulerDiscreteScheduler,
        HunyuanImagePipeline,
        HunyuanImageTransformer2DModel,
    )
    from diffusers.guiders import AdaptiveProjectedMixGuidance
    from transformers import ByT5Tokenizer, T5Config, T5EncoderModel

    qwen = qwen_parts()
    glyphs = T5Config(
        vocab_size=384,
        d_model=16,
        d_kv=8,
        d_ff=16,
        num_layers=1,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    HunyuanImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=4.0),
        vae=AutoencoderKLHunyuanImage(
            in_channels=3,
            out_channels=3,
            latent_channels=4,
            block_out_channels=(32, 32, 32, 32),
            layers_per_block=1,
            spatial_compression_ratio=8,
            sample_size=64,
            scaling_factor=0.75,
            downsample_match_channel=False,
            upsample_match_channel=False,
        ),
        text_encoder=qwen["text_encoder"],
        tokenizer=qwen["tokenizer"],
        text_encoder_2=T5EncoderModel(glyphs).eval(),
        tokenizer_2=ByT5Tokenizer(),
        transformer=HunyuanImageTransformer2DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            text_embed_dim=16,
            text_embed_2_dim=16,
            rope_axes_dim=(4, 4),
        ),
        guider=AdaptiveProjectedMixGuidance(),
        ocr_guider=AdaptiveProjectedMixGuidance(guidance_scale=5.0),
    ).save_pretrained(path, safe_serialization=True)
