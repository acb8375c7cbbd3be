"""Kandinsky 2.2's two folders, tiny and with random weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tiny_parts import clip_text

from evaluator.demo.vocabularies import clip_tokenizer

WIDTH = 32


def build_kandinsky_prior(models: Path, width: int = WIDTH) -> Path:
    """Return a tiny prior with embeddings of this width; made once in a folder."""
    name = "prior" if width == WIDTH else f"prior-{width}"
    return _build(models / f"tiny-kandinsky-{name}-random-weights", lambda: _prior(width))


def build_kandinsky_decoder(models: Path, channels: int = 4) -> Path:
    """Return a tiny decoder whose UNet takes so many channels; made once in a folder."""
    name = "decoder" if channels == 4 else f"decoder-{channels}"
    return _build(models / f"tiny-kandinsky-{name}-random-weights", lambda: _decoder(channels))


def _build(folder: Path, make: Callable[[], Any]) -> Path:
    if not folder.is_dir():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(5)
            make().save_pretrained(folder, safe_serialization=True)
    return folder


def _prior(width: int) -> Any:
    from diffusers import KandinskyV22PriorPipeline, PriorTransformer, UnCLIPScheduler
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    prior = PriorTransformer(
        num_attention_heads=2, attention_head_dim=12, embedding_dim=width, num_layers=1
    )
    # Zero until trained, and every embedding would be.
    prior.clip_std.data.fill_(1)
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
        projection_dim=width,
    )
    return KandinskyV22PriorPipeline(
        prior=prior,
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        text_encoder=clip_text(projected=True),
        tokenizer=clip_tokenizer(),
        scheduler=UnCLIPScheduler(
            variance_type="fixed_small_log",
            prediction_type="sample",
            clip_sample_range=10.0,
        ),
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
    )


def _decoder(channels: int) -> Any:
    from diffusers import DDPMScheduler, KandinskyV22Pipeline, UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=8,
        in_channels=channels,
        out_channels=8,  # the noise and its variance
        addition_embed_type="image",
        block_out_channels=(16, 32, 32, 32),
        down_block_types=("ResnetDownsampleBlock2D",) + ("SimpleCrossAttnDownBlock2D",) * 3,
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        up_block_types=("SimpleCrossAttnUpBlock2D",) * 3 + ("ResnetUpsampleBlock2D",),
        layers_per_block=1,
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=32,
        attention_head_dim=8,
        norm_num_groups=8,
        resnet_time_scale_shift="scale_shift",
    )
    return KandinskyV22Pipeline(
        unet=unet,
        scheduler=DDPMScheduler(
            beta_schedule="linear",
            beta_start=0.00085,
            beta_end=0.012,
            clip_sample_range=2.0,
            variance_type="learned_range",
        ),
        movq=_movq(),
    )


def _movq() -> Any:
    from diffusers import VQModel

    movq = VQModel(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 3 + ("AttnDownEncoderBlock2D",),
        up_block_types=("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        num_vq_embeddings=12,
        vq_embed_dim=4,
        norm_num_groups=8,
        norm_type="spatial",
    )
    with torch.no_grad():
        # Latents as wide as the noise, where an untrained encoder's are next to nothing.
        movq.quant_conv.weight *= 6
    return movq
