"""I2T models of several families with random weights, saved as their makers save them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evaluator.demo.vocabularies import word_tokenizer

_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
}
_EYE = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 3, "patch_size": 14}
# At the default scale of 1e-10 nothing of the picture would get through.
_BLIP_EYE = {**_EYE, "image_size": 56, "num_attention_heads": 4, "initializer_range": 0.02}


def seed(number: int) -> None:
    import torch

    torch.default_generator.manual_seed(number)


def marks_of(tokenizer: Any) -> dict[str, int]:
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {name: getattr(tokenizer, name) for name in names}


def plain_tokenizer(*marks: str, **named: str) -> Any:
    """Return the word tokenizer as it was before image tokens got an attribute of their own.

    Args:
        marks: more of them.
        named: more that have names of their own.
    """
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=word_tokenizer().backend_tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=512,
    )
    if marks or named:
        tokenizer.add_tokens([*marks, *named.values()], special_tokens=True)
        # What a checkpoint's tokenizer_config.json does by `extra_special_tokens`.
        tokenizer._set_model_specific_special_tokens(named)
    return tokenizer


def speak_up(model: Any, tokenizer: Any) -> Any:
    """Make random weights say different words of different pictures, and stop at last."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "position" not in name:
                weight.mul_(8)
    rules = model.generation_config
    words = {n for word, n in tokenizer.get_vocab().items() if word.isalpha()}
    rules.suppress_tokens = sorted(set(range(len(tokenizer))) - words)
    rules.no_repeat_ngram_size = 1
    return model


def save_instructblip(folder: Path) -> Path:
    """Save InstructBLIP: no chat template, and a second tokenizer for its Q-Former."""
    from transformers import (
        InstructBlipConfig,
        InstructBlipForConditionalGeneration,
        InstructBlipProcessor,
        InstructBlipQFormerConfig,
        InstructBlipVisionConfig,
        LlamaConfig,
    )

    path = folder / "tiny-instructblip-random-weights"
    if path.is_dir():
        return path
    tokenizer, image_processor = plain_tokenizer(), _blip_pictures()
    seed(3)
    config = InstructBlipConfig(
        vision_config=InstructBlipVisionConfig(**_BLIP_EYE),
        qformer_config=InstructBlipQFormerConfig(
            **{**_TEXT, "vocab_size": len(tokenizer), "encoder_hidden_size": 64}
        ),
        text_config=LlamaConfig(vocab_size=len(tokenizer), **_TEXT, **marks_of(tokenizer)),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = speak_up(InstructBlipForConditionalGeneration(config), tokenizer)
    model.save_pretrained(path)
    InstructBlipProcessor(
        image_processor, tokenizer, plain_tokenizer(), num_query_tokens=4
    ).save_pretrained(path)
    return path


def save_blip2(folder: Path) -> Path:
    """Save BLIP-2 with an OPT: no chat template, and words that follow the picture."""
    from transformers import (
        Blip2Config,
        Blip2ForConditionalGeneration,
        Blip2Processor,
        Blip2QFormerConfig,
        Blip2VisionConfig,
        OPTConfig,
    )

    path = folder / "tiny-blip2-random-weights"
    if path.is_dir():
        return path
    tokenizer, image_processor = plain_tokenizer(), _blip_pictures()
    seed(4)
    text = {**_TEXT, "ffn_dim": 64, "word_embed_proj_dim": 32, **marks_of(tokenizer)}
    del text["intermediate_size"]
    config = Blip2Config(
        vision_config=Blip2VisionConfig(**_BLIP_EYE),
        qformer_config=Blip2QFormerConfig(
            **{**_TEXT, "vocab_size": len(tokenizer), "encoder_hidden_size": 64}
        ),
        text_config=OPTConfig(vocab_size=len(tokenizer), **text),
        num_query_tokens=4,
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
    )
    model = speak_up(Blip2ForConditionalGeneration(config), tokenizer)
    model.save_pretrained(path)
    Blip2Processor(image_processor, tokenizer, num_query_tokens=4).save_pretrained(path)
    return path


def _blip_pictures() -> Any:
    from transformers import BlipImageProcessor

    return BlipImageProcessor(size={"height": 56, "width": 56})


def save_qwen2_vl(folder: Path) -> Path:
    """Save Qwen2-VL: a picture takes as many tokens as its size asks for."""
    from transformers import (
        Qwen2VLConfig,
        Qwen2VLForConditionalGeneration,
        Qwen2VLImageProcessor,
        Qwen2VLProcessor,
        Qwen2VLVideoProcessor,
    )

    path = folder / "tiny-qwen2-vl-random-weights"
    if path.is_dir():
        return path
    tokenizer = plain_tokenizer()
    marks = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokenizer.add_tokens(list(marks), special_tokens=True)
    start, end, image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in marks)
    seed(5)
    config = Qwen2VLConfig(
        vision_config={"depth": 2, "embed_dim": 32, "hidden_size": 32, "num_heads": 2},
        text_config={
            "vocab_size": len(tokenizer),
            **_TEXT,
            "num_key_value_heads": 4,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [1, 1, 2],
            },
            **marks_of(tokenizer),
        },
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    speak_up(Qwen2VLForConditionalGeneration(config), tokenizer).save_pretrained(path)
    Qwen2VLProcessor(
        image_processor=Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=112 * 112),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(),
        chat_template=(
            "{% for message in messages %}{% for part in message.content %}"
            "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|> "
            "{% else %}{{ part.text }} {% endif %}{% endfor %}{% endfor %}ASSISTANT : "
        ),
    ).save_pretrained(path)
    return path


def make_llava() -> Any:
    """Return a LLaVA whose vision tower has CLIP's 64 channels a head."""
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    tokenizer = word_tokenizer()
    seed(6)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=56, num_attention_heads=1, **_EYE),
        text_config=LlamaConfig(vocab_size=len(tokenizer), **_TEXT, **marks_of(tokenizer)),
        image_token_index=tokenizer.image_token_id,
        image_seq_length=16,
    )
    return speak_up(LlavaForConditionalGeneration(config), tokenizer).eval()


def original_names(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return a LLaVA's weights under ShareGPT4V's own names."""
    tower = "model.vision_tower."
    renamed = {}
    for name, tensor in weights.items():
        new = name.replace("model.language_model.", "model.")
        new = new.replace("model.multi_modal_projector.linear_1.", "model.mm_projector.0.")
        new = new.replace("model.multi_modal_projector.linear_2.", "model.mm_projector.2.")
        if name.startswith(tower):
            new = f"{tower}vision_tower.vision_model." + name.removeprefix(tower)
        renamed[new] = tensor.clone()
    return renamed


def save_sharegpt4v(folder: Path) -> Path:
    """Save a LLaVA as ShareGPT4V's repository lies on the Hub, with safetensors."""
    import torch
    from safetensors.torch import save_file

    path = folder / "tiny-sharegpt4v-random-weights"
    if path.is_dir():
        return path
    tokenizer, model = word_tokenizer(), make_llava()
    path.mkdir(parents=True)
    weights = original_names(model.state_dict())
    weights["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
    half = len(weights) // 2
    for number, part in enumerate((list(weights)[:half], list(weights)[half:]), start=1):
        save_file({key: weights[key] for key in part}, path / f"model-{number}-of-2.safetensors")
    facts = {
        "architectures": ["Share4VLlamaForCausalLM"],
        "model_type": "share4v",
        "mm_vision_select_layer": -2,
        "mm_projector_type": "mlp2x_gelu",
        "vocab_size": len(tokenizer),
        "rms_norm_eps": model.config.text_config.rms_norm_eps,
        **_TEXT,
        **marks_of(tokenizer),
    }
    (path / "config.json").write_text(json.dumps(facts))
    tokenizer.save_pretrained(path)
    return path
