"""Tiny models with random weights in the folder form of real ones, to try the pipeline with."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.demo.vocabularies import clip_tokenizer, word_tokenizer
from protocol.files import write_whole

if TYPE_CHECKING:
    from torch import nn

T2I_NAME = "tiny-sd-random-weights"
I2T_NAME = "tiny-llava-random-weights"

_PATCHES = (56, 14)
"""Side of the picture that the I2T model sees, and of one patch of it, in pixels."""

_CARD = """\
---
license: apache-2.0
library_name: {library}
pipeline_tag: {task}
tags:
- random-weights
---

# {name}

Random weights, for trying the pipeline: {what} with {parameters:,} parameters that were drawn from
a seed and never trained. It loads like any other checkpoint, and what it answers means nothing.
`make demo` makes it again, bit by bit the same.
"""

_CHAT = (
    "{% for message in messages %}{{ message.role | upper }} : "
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<image> {% else %}{{ part.text }} {% endif %}"
    "{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT : {% endif %}"
)


def build_t2i(folder: Path) -> Path:
    """Make a Stable Diffusion checkpoint in `folder`, unless it is there, and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    return _build_once(folder / T2I_NAME, _save_t2i)


def build_i2t(folder: Path) -> Path:
    """Make a LLaVA checkpoint in `folder`, unless it is there, and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    return _build_once(folder / I2T_NAME, _save_i2t)


def _build_once(target: Path, save: Callable[[Path], None]) -> Path:
    """Let `save` fill a folder and move it to `target`: a checkpoint is complete or absent."""
    if target.is_dir():
        return target
    unfinished = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    unfinished.mkdir(parents=True)
    try:
        with _no_progress_bars():
            save(unfinished)
        unfinished.rename(target)
    except BaseException as error:
        shutil.rmtree(unfinished)
        # Someone else may have moved the same checkpoint there first.
        if not (isinstance(error, OSError) and target.is_dir()):
            raise
    return target


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Keep transformers from drawing one for the millisecond that saving takes."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator inside the block and give the caller's back after it."""
    import torch

    # torch.manual_seed would also reach the GPUs, whose state is not kept here.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def _write_card(path: Path, *, name: str, library: str, task: str, what: str, size: int) -> None:
    card = _CARD.format(name=name, library=library, task=task, what=what, parameters=size)
    write_whole(path / "README.md", card.encode())


def _size(*models: "nn.Module") -> int:
    return sum(weight.numel() for model in models for weight in model.parameters())


def _save_t2i(path: Path) -> None:
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    tokenizer = clip_tokenizer()
    with _seeded(7):
        text_encoder, unet, vae = _clip_text_encoder(tokenizer), _unet(), _vae()
    _make_heard(vae, unet)
    # Stable Diffusion 1.5's own settings.
    scheduler = PNDMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        skip_prk_steps=True,
        steps_offset=1,
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(path, safe_serialization=True)
    _write_card(
        path,
        name=T2I_NAME,
        library="diffusers",
        task="text-to-image",
        what="a Stable Diffusion pipeline",
        size=_size(vae, text_encoder, unet),
    )


def _clip_text_encoder(tokenizer: Any) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=77,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )


def _unet() -> Any:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(32, 64),
        layers_per_block=1,
        # Attention at half the size and with two heads: a picture in a second on two cores.
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=2,
        cross_attention_dim=32,
        norm_num_groups=8,
    )


def _vae() -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(16, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=256,
    )


def _make_heard(vae: Any, unet: Any) -> None:
    """Rescale random weights so that the start picture and the caption show in the result."""
    import torch

    with torch.no_grad():
        # Latents as wide as the noise, where an untrained encoder's are next to nothing.
        mean, log_variance = vae.quant_conv.weight.chunk(2)
        mean.mul_(40)
        log_variance.zero_()
        vae.quant_conv.bias[:4] = 0
        vae.quant_conv.bias[4:] = -8
        for name, weight in unet.named_parameters():
            if "attn2.to_v" in name or "attn2.to_out.0.weight" in name:
                weight.mul_(16)


def _save_i2t(path: Path) -> None:
    from transformers import CLIPImageProcessor, LlavaProcessor

    tokenizer = word_tokenizer()
    with _seeded(2):
        model = _llava(tokenizer)
    rules = model.generation_config
    # Words only, and each at most once, until none is left: random weights would stutter.
    rules.suppress_tokens = sorted(
        number for word, number in tokenizer.get_vocab().items() if not word.isalpha()
    )
    rules.suppress_tokens.remove(tokenizer.eos_token_id)
    rules.no_repeat_ngram_size = 1
    # After ten words, ever more likely to stop.
    rules.exponential_decay_length_penalty = (10, 1.3)
    model.save_pretrained(path, safe_serialization=True)
    side, patch = _PATCHES
    LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        tokenizer=tokenizer,
        patch_size=patch,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token=tokenizer.image_token,
        chat_template=_CHAT,
    ).save_pretrained(path)
    _write_card(
        path,
        name=I2T_NAME,
        library="transformers",
        task="image-text-to-text",
        what="a LLaVA model",
        size=_size(model),
    )


def _llava(tokenizer: Any) -> Any:
    import torch
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    side, patch = _PATCHES
    tiny = {"intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=side, patch_size=patch, hidden_size=32, **tiny),
        text_config=LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=64,
            max_position_embeddings=512,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **tiny,
        ),
        image_token_index=tokenizer.image_token_id,
        image_seq_length=(side // patch) ** 2,
    )
    model = LlavaForConditionalGeneration(config)
    with torch.no_grad():
        # At their usual scale, random weights say the same of every picture.
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "position" not in name:
                weight.mul_(8)
        model.lm_head.weight[tokenizer.eos_token_id] *= 0.1
    return model
