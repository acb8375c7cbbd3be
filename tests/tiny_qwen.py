"""Tiny checkpoints of the families built on Qwen: Z-Image, Qwen-Image and its editors."""

from pathlib import Path
from typing import Any

from tiny_parts import flow_vae


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


def save_z_image(path: Path) -> None:
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


def save_qwen_image(path: Path) -> None:
    from diffusers import QwenImagePipeline

    QwenImagePipeline(**qwen_parts()).save_pretrained(path, safe_serialization=True)


def save_qwen_edit(path: Path) -> None:
    from diffusers import QwenImageEditPipeline

    parts = qwen_parts()
    QwenImageEditPipeline(**parts, processor=_qwen_processor(parts)).save_pretrained(
        path, safe_serialization=True
    )


def save_qwen_edit_plus(path: Path) -> None:
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
