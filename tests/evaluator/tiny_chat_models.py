"""Newer chat models that see, with random weights, saved as their makers save them."""

from pathlib import Path
from typing import Any

from tiny_captioners import marks_of, plain_tokenizer, seed, speak_up

_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "max_position_embeddings": 1024,
}
_EYE = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
_MROPE = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}


def _template(picture: str) -> str:
    return (
        "{% for message in messages %}{% for part in message.content %}"
        "{% if part.type == 'image' %}" + picture + " {% else %}{{ part.text }} {% endif %}"
        "{% endfor %}{% endfor %}ASSISTANT : "
    )


def _text(tokenizer: Any, **more: Any) -> dict[str, Any]:
    return {"vocab_size": len(tokenizer), **_TEXT, **marks_of(tokenizer), **more}


def save_smolvlm(folder: Path) -> Path:
    """Save SmolVLM: a picture is cut into tiles, each between marks of its own."""
    from transformers import (
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMImageProcessor,
        SmolVLMProcessor,
        SmolVLMVideoProcessor,
    )

    path = folder / "tiny-smolvlm-random-weights"
    if path.is_dir():
        return path
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 6) for column in range(1, 6)]
    marks = ("<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>")
    tokenizer = plain_tokenizer(*marks, *rows)
    seed(11)
    config = SmolVLMConfig(
        vision_config={**_EYE, "num_hidden_layers": 2, "image_size": 56, "patch_size": 14},
        text_config={"model_type": "llama", **_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=tokenizer.pad_token_id,
    )
    speak_up(SmolVLMForConditionalGeneration(config), tokenizer).save_pretrained(path)
    size = {"size": {"longest_edge": 112}, "max_image_size": {"longest_edge": 56}}
    SmolVLMProcessor(
        image_processor=SmolVLMImageProcessor(**size),
        tokenizer=tokenizer,
        video_processor=SmolVLMVideoProcessor(**size),
        image_seq_len=4,
        chat_template=_template("<image>"),
    ).save_pretrained(path)
    return path


def save_internvl(folder: Path) -> Path:
    """Save InternVL: as many tiles as the picture's shape asks for."""
    from transformers import (
        GotOcr2ImageProcessor,
        InternVLConfig,
        InternVLForConditionalGeneration,
        InternVLProcessor,
        InternVLVideoProcessor,
    )

    path = folder / "tiny-internvl-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer(
        start_image_token="<img>",
        end_image_token="</img>",
        context_image_token="<IMG_CONTEXT>",
        video_token="<video>",
    )
    seed(12)
    config = InternVLConfig(
        vision_config={
            **_EYE,
            "num_hidden_layers": 2,
            "image_size": [56, 56],
            "patch_size": [14, 14],
        },
        text_config={"model_type": "qwen2", **_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    speak_up(InternVLForConditionalGeneration(config), tokenizer).save_pretrained(path)
    InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(
            size={"height": 56, "width": 56}, crop_to_patches=True, max_patches=4
        ),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size={"height": 56, "width": 56}),
        image_seq_length=4,
        chat_template=_template("<IMG_CONTEXT>"),
    ).save_pretrained(path)
    return path


def save_gemma3(folder: Path) -> Path:
    """Save Gemma 3: the text attends to a whole picture at once."""
    import torch
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3ImageProcessor,
        Gemma3Processor,
    )

    path = folder / "tiny-gemma3-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer(
        boi_token="<start_of_image>", eoi_token="<end_of_image>", image_token="<image_soft_token>"
    )
    seed(13)
    config = Gemma3Config(
        vision_config={**_EYE, "num_hidden_layers": 2, "image_size": 56, "patch_size": 14},
        text_config=_text(tokenizer, sliding_window=64),
        mm_tokens_per_image=4,
        boi_token_index=tokenizer.boi_token_id,
        eoi_token_index=tokenizer.eoi_token_id,
        image_token_index=tokenizer.image_token_id,
    )
    model = Gemma3ForConditionalGeneration(config)
    with torch.no_grad():
        # It starts as zeros: nothing of the picture would get through.
        model.model.multi_modal_projector.mm_input_projection_weight.normal_()
    speak_up(model, tokenizer).save_pretrained(path)
    Gemma3Processor(
        image_processor=Gemma3ImageProcessor(size={"height": 56, "width": 56}),
        tokenizer=tokenizer,
        image_seq_length=4,
        chat_template=_template("<start_of_image>"),
    ).save_pretrained(path)
    return path


def save_qwen25_vl(folder: Path) -> Path:
    """Save Qwen2.5-VL, whose vision tower attends in windows."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    eye = {"depth": 2, "out_hidden_size": 32, "num_heads": 2, "window_size": 56}
    return _save_qwen(
        folder / "tiny-qwen2.5-vl-random-weights",
        lambda **parts: Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(vision_config={**_EYE, **eye, "fullatt_block_indexes": [1]}, **parts)
        ),
    )


def save_qwen3_vl(folder: Path) -> Path:
    """Save Qwen3-VL, whose vision tower speaks to several layers."""
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    eye = {"depth": 2, "out_hidden_size": 32, "num_heads": 2, "num_position_embeddings": 16}
    return _save_qwen(
        folder / "tiny-qwen3-vl-random-weights",
        lambda **parts: Qwen3VLForConditionalGeneration(
            Qwen3VLConfig(vision_config={**_EYE, **eye, "deepstack_visual_indexes": [0]}, **parts)
        ),
        patch_size=16,
    )


def _save_qwen(path: Path, make: Any, **pictures: int) -> Path:
    from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

    if path.is_dir():
        return path
    marks = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokenizer = plain_tokenizer(*marks)
    start, end, image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in marks)
    seed(14)
    model = make(
        text_config=_text(tokenizer, rope_parameters=_MROPE),
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    speak_up(model, tokenizer).save_pretrained(path)
    PROCESSOR_MAPPING[type(model.config)](
        image_processor=Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=128 * 128, **pictures),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(**pictures),
        chat_template=_template("<|vision_start|><|image_pad|><|vision_end|>"),
    ).save_pretrained(path)
    return path
