"""I2T models without a chat template, with random weights: BLIP, GIT, Florence-2 and others."""

from pathlib import Path
from typing import Any

from tiny_captioners import marks_of, plain_tokenizer, seed, speak_up

_TEXT = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}
_EYE = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 56,
    "patch_size": 14,
}


def bert_tokenizer() -> Any:
    """Return the word tokenizer with a mark before every text and one that ends it."""
    from tokenizers import processors

    tokenizer = plain_tokenizer()
    tokenizer.add_special_tokens({"cls_token": "<cls>", "sep_token": "<sep>"})
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<cls> $A <sep>",
        special_tokens=[
            ("<cls>", tokenizer.cls_token_id),
            ("<sep>", tokenizer.sep_token_id),
        ],
    )
    return tokenizer


def bert_marks(tokenizer: Any) -> dict[str, int]:
    return {
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def save_blip(folder: Path) -> Path:
    """Save BLIP: a caption goes on from the text that it is given."""
    from transformers import (
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
    )

    path = folder / "tiny-blip-random-weights"
    if path.is_dir():
        return path
    tokenizer = bert_tokenizer()
    seed(21)
    config = BlipConfig(
        text_config={
            "vocab_size": len(tokenizer),
            **_TEXT,
            "encoder_hidden_size": 64,
            "sep_token_id": tokenizer.sep_token_id,
            "initializer_range": 0.5,
            **bert_marks(tokenizer),
        },
        vision_config={**_EYE, "initializer_range": 0.02},
    )
    speak_up(BlipForConditionalGeneration(config), tokenizer).save_pretrained(path)
    pictures = BlipImageProcessor(size={"height": 56, "width": 56})
    BlipProcessor(pictures, tokenizer).save_pretrained(path)
    return path


def save_git(folder: Path) -> Path:
    """Save GIT: one transformer reads picture and text."""
    from transformers import CLIPImageProcessor, GitConfig, GitForCausalLM, GitProcessor

    path = folder / "tiny-git-random-weights"
    if path.is_dir():
        return path
    tokenizer = bert_tokenizer()
    seed(22)
    config = GitConfig(
        vision_config=_EYE, vocab_size=len(tokenizer), **_TEXT, **bert_marks(tokenizer)
    )
    speak_up(GitForCausalLM(config), tokenizer).save_pretrained(path)
    size = {"size": {"height": 56, "width": 56}, "do_center_crop": False}
    GitProcessor(CLIPImageProcessor(**size), tokenizer).save_pretrained(path)
    return path


def save_florence2(folder: Path) -> Path:
    """Save Florence-2: an encoder reads picture and text, a decoder answers."""
    from transformers import (
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
    )

    path = folder / "tiny-florence2-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer(image_token="<image>")
    seed(23)
    four = {"depths": 1, "embed_dim": 16, "num_heads": 2, "num_groups": 2}
    config = Florence2Config(
        vision_config={
            **{name: (number,) * 4 for name, number in four.items()},
            "projection_dim": 32,
        },
        text_config={
            "model_type": "bart",
            "vocab_size": len(tokenizer),
            "d_model": 32,
            **{f"{side}_layers": 1 for side in ("encoder", "decoder")},
            **{f"{side}_ffn_dim": 32 for side in ("encoder", "decoder")},
            **{f"{side}_attention_heads": 2 for side in ("encoder", "decoder")},
            "forced_eos_token_id": None,
            "decoder_start_token_id": tokenizer.eos_token_id,
            **marks_of(tokenizer),
        },
        image_token_id=tokenizer.image_token_id,
    )
    speak_up(Florence2ForConditionalGeneration(config), tokenizer).save_pretrained(path)
    pictures = CLIPImageProcessor(size={"height": 64, "width": 64}, do_center_crop=False)
    pictures.image_seq_length = 5
    Florence2Processor(pictures, tokenizer, num_additional_image_tokens=1).save_pretrained(path)
    return path


def save_paligemma(folder: Path) -> Path:
    """Save PaliGemma: the picture's tokens come before the text."""
    from transformers import (
        PaliGemmaConfig,
        PaliGemmaForConditionalGeneration,
        PaliGemmaProcessor,
        SiglipImageProcessor,
    )

    path = folder / "tiny-paligemma-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer(image_token="<image>")
    seed(24)
    config = PaliGemmaConfig(
        vision_config={"model_type": "siglip_vision_model", **_EYE, "vision_use_head": False},
        text_config={
            "model_type": "gemma",
            "vocab_size": len(tokenizer),
            **_TEXT,
            "num_key_value_heads": 4,
            "head_dim": 16,
            **marks_of(tokenizer),
        },
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        projection_dim=64,
        hidden_size=64,
    )
    speak_up(PaliGemmaForConditionalGeneration(config), tokenizer).save_pretrained(path)
    pictures = SiglipImageProcessor(size={"height": 56, "width": 56})
    pictures.image_seq_length = 16
    PaliGemmaProcessor(pictures, tokenizer).save_pretrained(path)
    return path


def save_pix2struct(folder: Path) -> Path:
    """Save Pix2Struct: a decoder goes on from the text, and its tokenizer ends every text."""
    from transformers import (
        Pix2StructConfig,
        Pix2StructForConditionalGeneration,
        Pix2StructImageProcessor,
        Pix2StructProcessor,
    )

    path = folder / "tiny-pix2struct-random-weights"
    if path.is_dir():
        return path
    tokenizer = bert_tokenizer()
    seed(25)
    marks = {**bert_marks(tokenizer), "decoder_start_token_id": tokenizer.pad_token_id}
    half = {"hidden_size": 32, "d_kv": 8, "d_ff": 64}
    config = Pix2StructConfig(
        text_config={
            "vocab_size": len(tokenizer),
            **half,
            "num_layers": 2,
            "num_heads": 4,
            **marks,
        },
        vision_config={
            **half,
            "patch_embed_hidden_size": 768,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
        },
    )
    model = speak_up(Pix2StructForConditionalGeneration(config), tokenizer)
    model.generation_config.decoder_start_token_id = tokenizer.pad_token_id
    model.save_pretrained(path)
    pictures = Pix2StructImageProcessor(is_vqa=False)
    Pix2StructProcessor(pictures, tokenizer).save_pretrained(path)
    return path


def save_vit_gpt2(folder: Path) -> Path:
    """Save two halves that were trained together, which have no processor of their own."""
    from transformers import (
        GPT2Config,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
        ViTConfig,
        ViTImageProcessor,
    )

    path = folder / "tiny-vit-gpt2-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer()
    seed(26)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        ViTConfig(**_EYE),
        GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=128,
            **marks_of(tokenizer),
        ),
    )
    model = speak_up(VisionEncoderDecoderModel(config), tokenizer)
    model.generation_config.decoder_start_token_id = tokenizer.bos_token_id
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    ViTImageProcessor(size={"height": 56, "width": 56}).save_pretrained(path)
    return path
