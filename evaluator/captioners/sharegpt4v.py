"""ShareGPT4V, which is LLaVA with a vision tower tuned along: `sharegpt4v:Lin-Chen/ShareGPT4V-7B`.

transformers has no such model type, but the network is LLaVA's; here its weights get LLaVA's names.
Settings are those of the `transformers` adapter; pictures are padded to a square, as its own code
does. The repository's PyTorch files are read as tensors only, which runs no code; a folder on this
machine needs safetensors, in the original names.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.captioners import Captioner
from evaluator.captioners._asking import ASKING_SETTINGS, read_asking
from evaluator.captioners._generate import ModelCaptioner, describe_generation
from evaluator.devices import dtype_on
from evaluator.loading import loading
from protocol.errors import ModelError
from protocol.records import System
from protocol.versions import Protocol
from submission.hub_errors import hub_errors
from submission.settings import read_settings

if TYPE_CHECKING:
    from torch import Tensor

IN_BATCHES = True
UNKEYED: frozenset[str] = frozenset()
SETTINGS = ASKING_SETTINGS

# From the original names to LLaVA's in transformers 5; the second line also reads the tower's own
# repository, whose files may lie in the same folder.
_NAMES = (
    (re.compile(r"^model\.mm_projector\.0\."), "model.multi_modal_projector.linear_1."),
    (re.compile(r"^model\.mm_projector\.2\."), "model.multi_modal_projector.linear_2."),
    (
        re.compile(r"^(model\.vision_tower\.vision_tower\.)?vision_model\."),
        "model.vision_tower.",
    ),
    (re.compile(r"^model\.(layers|embed_tokens|norm)\."), r"model.language_model.\1."),
)
_COMPUTED = ("position_ids", "rotary_emb.inv_freq")
"""Tensors that older checkpoints store and the network computes."""

_CLIP_HEAD = 64
"""Channels of one attention head in every CLIP vision tower."""

_TOWER_HINT = (
    "where it lies in a repository of its own, put that one's safetensors into the same folder"
)

_TEXT_KEYS = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"),
    *("num_attention_heads", "num_key_value_heads", "max_position_embeddings", "rms_norm_eps"),
    *("rope_theta", "bos_token_id", "eos_token_id", "pad_token_id"),
)

# Vicuna's conversation, with the picture before the question.
_CHAT = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. "
    "{% for message in messages %}USER: "
    "{% for part in message.content %}"
    "{% if part.type == 'image' %}<image>\n{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %} ASSISTANT:{% endif %}"
)


def describe(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return the prompt, the room for an answer, the precision and the libraries."""
    return describe_generation(protocol, device)


def load(system: System, protocol: Protocol, device: str) -> Captioner:
    """Load a local folder, or a Hub id at its pinned commit."""
    asking = read_asking(read_settings(system, SETTINGS), protocol)
    folder = Path(system.path) if system.path else _fetch(system)
    with loading("transformers", system):
        processor, model = build(folder, dtype_on(device))
    return ModelCaptioner(processor, model.to(device).eval(), asking, whole=True)


def build(folder: Path, dtype: Any) -> tuple[Any, Any]:
    """Return a LlavaProcessor and a LlavaForConditionalGeneration with a checkpoint's weights.

    Raises:
        ModelError: the network has no place for some tensors.
    """
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    facts = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = rename(read_weights(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token
    image_token = tokenizer.convert_tokens_to_ids("<image>")
    added = range(facts["vocab_size"], image_token + 1)
    _add_rows(weights, len(added))
    config = _config(facts, weights, image_token)
    model, found = LlavaForConditionalGeneration.from_pretrained(
        None, config=config, state_dict=weights, dtype=dtype, output_loading_info=True
    )
    if found["unexpected_keys"]:
        names = ", ".join(sorted(found["unexpected_keys"])[:3])
        raise ModelError(
            f"{folder.name}: {len(found['unexpected_keys'])} unexpected keys, such as {names}"
        )
    if added:
        # The new tokens' rows say nothing, and nothing must be read out of them.
        model.generation_config.suppress_tokens = list(added)
    return _processor(tokenizer, config), model


def rename(weights: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
    """Return weights under the names of LlavaForConditionalGeneration."""
    renamed = {}
    for name, tensor in weights.items():
        if name.endswith(_COMPUTED):
            continue
        for pattern, target in _NAMES:
            if pattern.match(name):
                renamed[pattern.sub(target, name)] = tensor
                break
        else:
            renamed[name] = tensor
    return renamed


def read_weights(folder: Path) -> "dict[str, Tensor]":
    """Return the tensors of a folder's safetensors, or else of its PyTorch files, unpickling none.

    Raises:
        ModelError: there are no weights, or a PyTorch file holds more than tensors.
    """
    import pickle

    import torch
    from safetensors.torch import load_file

    weights: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        weights.update(load_file(path))
    if weights:
        return weights
    for path in sorted(folder.glob("pytorch_model*.bin")):
        try:
            weights.update(torch.load(path, weights_only=True, map_location="cpu", mmap=True))
        except pickle.UnpicklingError as error:
            raise ModelError(f"{path.name} holds more than tensors and is not opened") from error
    if not weights:
        raise ModelError(f"{folder} holds no weights; wanted *.safetensors or pytorch_model*.bin")
    return weights


def _config(facts: Mapping[str, Any], weights: "Mapping[str, Tensor]", image_token: int) -> Any:
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig

    tower = "model.vision_tower."
    if f"{tower}embeddings.patch_embedding.weight" not in weights:
        raise ModelError(f"the checkpoint holds no vision tower; {_TOWER_HINT}")
    patches = weights[f"{tower}embeddings.patch_embedding.weight"]
    width, patch = patches.shape[0], patches.shape[-1]
    positions = weights[f"{tower}embeddings.position_embedding.weight"].shape[0] - 1
    layers = {name.split(".")[4] for name in weights if name.startswith(f"{tower}encoder.layers.")}
    text = {key: facts[key] for key in _TEXT_KEYS if facts.get(key) is not None}
    text["vocab_size"] = weights["lm_head.weight"].shape[0]
    return LlavaConfig(
        vision_config=CLIPVisionConfig(
            hidden_size=width,
            intermediate_size=weights[f"{tower}encoder.layers.0.mlp.fc1.weight"].shape[0],
            num_hidden_layers=len(layers),
            num_attention_heads=width // _CLIP_HEAD,
            patch_size=patch,
            image_size=patch * round(positions**0.5),
        ),
        text_config=LlamaConfig(**text),
        image_token_index=image_token,
        image_seq_length=positions,
        vision_feature_layer=facts.get("mm_vision_select_layer", -2),
        vision_feature_select_strategy="default",
    )


def _add_rows(weights: "dict[str, Tensor]", count: int) -> None:
    """Lengthen the word tables by `count` empty rows, for tokens that are added."""
    import torch

    for name in ("model.language_model.embed_tokens.weight", "lm_head.weight"):
        rows = weights[name]
        weights[name] = torch.cat([rows, rows.new_zeros(count, rows.shape[1])])


def _processor(tokenizer: Any, config: Any) -> Any:
    from transformers import CLIPImageProcessor, LlavaProcessor

    side = config.vision_config.image_size
    return LlavaProcessor(
        image_processor=CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        ),
        tokenizer=tokenizer,
        patch_size=config.vision_config.patch_size,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=_CHAT,
    )


def _fetch(system: System) -> Path:
    """Return where a Hub repository's files lie; PyTorch files only if it has no safetensors."""
    from huggingface_hub import snapshot_download

    def get(*patterns: str) -> Path:
        path = snapshot_download(
            system.model, revision=system.revision, allow_patterns=list(patterns)
        )
        return Path(path)

    try:
        folder = get("*.json", "*.model", "*.safetensors")
        return (
            folder
            if any(folder.glob("*.safetensors"))
            else get("*.json", "*.model", "pytorch_model*.bin")
        )
    except hub_errors() as error:
        raise ModelError(
            f"{system.model} cannot be fetched ({type(error).__name__}); check the network, or "
            "give a folder with its files and its weights as safetensors"
        ) from error
