"""Parts of tiny checkpoints: encoders, UNets, VAEs and schedulers, random weights."""

from typing import Any

import torch

from evaluator.demo.models import _make_heard, _vae
from evaluator.demo.vocabularies import clip_tokenizer

SD_NOISE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
UNCHECKED = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
"""Of a Stable Diffusion pipeline that looks at nothing it paints."""


def clip_text(*, projected: bool = False) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = clip_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=32,
        max_position_embeddings=77,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config).eval()


def t5_text(width: int) -> tuple[Any, Any]:
    """Return a tokenizer of T5's kind (unigram pieces, letter by letter) and an encoder."""
    from transformers import T5Config, T5EncoderModel, T5TokenizerFast

    letters = [chr(code) for code in range(33, 127)]
    pieces = ["<pad>", "</s>", "<unk>", "\u2581", *letters]
    tokenizer = T5TokenizerFast(
        vocab=[(piece, -float(i > 2)) for i, piece in enumerate(pieces)],
        extra_ids=0,
        model_max_length=64,
    )
    config = T5Config(
        vocab_size=len(pieces),
        d_model=width,
        d_kv=8,
        d_ff=37,
        num_layers=1,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return tokenizer, T5EncoderModel(config).eval()


def unet(**changes: Any) -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        **{
            "sample_size": 32,
            "block_out_channels": (32, 64),
            "layers_per_block": 1,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": 2,
            "cross_attention_dim": 32,
            "norm_num_groups": 8,
            **changes,
        }
    )


def flow_vae() -> Any:
    """Return an autoencoder of FLUX's and SD3's kind: 16 channels, shifted, factor 8."""
    from diffusers import AutoencoderKL

    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
        latent_channels=16,
        sample_size=64,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.1159,
        scaling_factor=0.3611,
    )
    with torch.no_grad():
        vae.encoder.conv_out.weight[:16] *= 40
        vae.encoder.conv_out.bias[16:] = -8
    return vae


def pndm() -> Any:
    from diffusers import PNDMScheduler

    return PNDMScheduler(**SD_NOISE, skip_prk_steps=True, steps_offset=1)


def sd_parts(scheduler: Any = None, **unet_changes: Any) -> dict[str, Any]:
    parts = {
        "vae": _vae(),
        "text_encoder": clip_text(),
        "tokenizer": clip_tokenizer(),
        "unet": unet(**unet_changes),
        "scheduler": scheduler or pndm(),
    }
    _make_heard(parts["vae"], parts["unet"])
    return parts


def safety_checker(threshold: float) -> Any:
    """Return the real checker's network; below cosine similarity -1, it flags every picture."""
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

    tiny: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 37,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
    }
    config = CLIPConfig(
        text_config=CLIPTextConfig(**tiny).to_dict(),
        vision_config=CLIPVisionConfig(image_size=32, patch_size=8, **tiny).to_dict(),
        projection_dim=32,
    )
    checker = StableDiffusionSafetyChecker(config).eval()
    with torch.no_grad():
        checker.concept_embeds.normal_()
        checker.special_care_embeds.normal_()
        checker.concept_embeds_weights.fill_(threshold)
        checker.special_care_embeds_weights.fill_(threshold)
    return checker
