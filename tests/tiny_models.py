"""Tiny checkpoints with random weights, one of each family that a decoder loads.

Each builder saves a folder in the form of the real checkpoint and returns its path; a folder that
is there already is taken as it is.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from evaluator.demo.models import _make_heard, _vae
from evaluator.demo.vocabularies import clip_tokenizer

SD_NOISE = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}


def build(folder: Path, name: str) -> Path:
    """Return the tiny checkpoint of this name, made in `folder`."""
    path = folder / f"tiny-{name}-random-weights"
    if not path.is_dir():
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(5)
            BUILDERS[name](path)
    return path


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


def qwen_tokenizer() -> Any:
    """Return a tokenizer of Qwen's kind, byte by byte, with its chat tokens."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2Tokenizer

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Qwen2Tokenizer(
        vocab={piece: number for number, piece in enumerate([*alphabet, "<|endoftext|>"])},
        merges=[],
        extra_special_tokens=[
            *("<|im_start|>", "<|im_end|>", "<|image_pad|>", "<|video_pad|>"),
            *("<|vision_start|>", "<|vision_end|>"),
        ],
    )
    tokenizer.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
        "<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
    )
    return tokenizer


def _save_z_image(path: Path) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    tokenizer = qwen_tokenizer()
    text = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=512,
    )
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=flow_vae(),
        text_encoder=Qwen3Model(text).eval(),
        tokenizer=tokenizer,
        transformer=ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=16,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=16,
            axes_dims=[8, 4, 4],
            axes_lens=[512, 64, 64],
        ),
    ).save_pretrained(path, safe_serialization=True)


def qwen_parts() -> dict[str, Any]:
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImageTransformer2DModel,
    )

    tokenizer = qwen_tokenizer()
    return {
        "scheduler": FlowMatchEulerDiscreteScheduler(
            shift=1.0, use_dynamic_shifting=True, base_shift=0.5, max_shift=0.9
        ),
        "vae": AutoencoderKLQwenImage(
            base_dim=8,
            z_dim=4,
            dim_mult=[1, 2, 2, 2],
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        "text_encoder": _qwen_vl(tokenizer),
        "tokenizer": tokenizer,
        "transformer": QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(8, 4, 4),
        ),
    }


def _save_qwen_image(path: Path) -> None:
    from diffusers import QwenImagePipeline

    QwenImagePipeline(**qwen_parts()).save_pretrained(path, safe_serialization=True)


def _save_qwen_edit(path: Path) -> None:
    from diffusers import QwenImageEditPipeline

    parts = qwen_parts()
    QwenImageEditPipeline(**parts, processor=_qwen_processor(parts)).save_pretrained(
        path, safe_serialization=True
    )


def _save_qwen_edit_plus(path: Path) -> None:
    from diffusers import QwenImageEditPlusPipeline

    parts = qwen_parts()
    QwenImageEditPlusPipeline(**parts, processor=_qwen_processor(parts)).save_pretrained(
        path, safe_serialization=True
    )


def _qwen_processor(parts: dict[str, Any]) -> Any:
    from transformers import Qwen2VLImageProcessor, Qwen2VLProcessor, Qwen2VLVideoProcessor

    # Few patches: the model sees pictures of at most 56 x 56 pixels.
    seen = Qwen2VLImageProcessor(size={"shortest_edge": 28 * 28, "longest_edge": 56 * 56})
    return Qwen2VLProcessor(seen, parts["tokenizer"], Qwen2VLVideoProcessor())


def _qwen_vl(tokenizer: Any) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "bos_token_id": None,
            "eos_token_id": None,
            "rope_parameters": {
                "mrope_section": [1, 1, 2],
                "rope_type": "default",
                "type": "default",
                "rope_theta": 1000000.0,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
        },
        bos_token_id=None,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    return Qwen2_5_VLForConditionalGeneration(config).eval()


def _save_kontext(path: Path) -> None:
    from diffusers import FluxKontextPipeline

    FluxKontextPipeline(**flux_parts()).save_pretrained(path, safe_serialization=True)


def _save_instruct(path: Path) -> None:
    from diffusers import StableDiffusionInstructPix2PixPipeline

    # Eight channels: the noisy latents, and those of the picture to edit.
    StableDiffusionInstructPix2PixPipeline(
        **sd_parts(in_channels=8),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
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
    "z-image": _save_z_image,
    "qwen-image": _save_qwen_image,
    "qwen-edit": _save_qwen_edit,
    "qwen-edit-plus": _save_qwen_edit_plus,
    "kontext": _save_kontext,
    "motion-module": _save_motion_module,
    "instruct-pix2pix": _save_instruct,
}
