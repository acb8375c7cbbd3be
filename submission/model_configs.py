"""What a model's small JSON files say: pipeline, type, and whether they ask for remote code."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

MAX_CONFIG_BYTES = 1 << 20
MAX_CONFIGS = 16
ROOT_CONFIGS = (
    *("model_index.json", "config.json", "adapter_config.json", "tokenizer_config.json"),
    *("processor_config.json", "preprocessor_config.json", "video_preprocessor_config.json"),
    *("image_processor_config.json", "generation_config.json"),
)
LIBRARIES = frozenset(
    {
        *("diffusers", "transformers", "stable_diffusion", "deepfloyd_if", "kolors"),
        *("kandinsky", "latent_diffusion", "stable_cascade", "wuerstchen"),
    }
)
"""What a part of a pipeline may come from: two libraries, and modules of diffusers' own pipelines.

diffusers takes any other name for a module to import, from the repository or from the machine.
"""


@dataclass(frozen=True, slots=True)
class Configs:
    """What the files said."""

    pipeline_class: str = ""
    model_type: str = ""
    more_inputs: str = ""
    """What its network takes that no file holds; empty where it is a picture and a text alone."""
    remote_code: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    """Files that are no JSON object, or too long for one."""


def config_names(names: Iterable[str]) -> list[str]:
    """Return those of a repository's files to read: the root's and the parts' own configurations.

    At most `MAX_CONFIGS`, the root's first.
    """
    every = set(names)
    parts = sorted(
        name
        for name in every
        if len(PurePosixPath(name).parts) == 2
        and PurePosixPath(name).name in ("config.json", "tokenizer_config.json")
    )
    return [*(name for name in ROOT_CONFIGS if name in every), *parts][:MAX_CONFIGS]


def read_configs(names: Iterable[str], read: Callable[[str], bytes]) -> Configs:
    """Read a model's configurations; nothing in them is run.

    Args:
        names: what `config_names` returned.
        read: returns at most `MAX_CONFIG_BYTES` + 1 bytes of a file.
    """
    found: dict[str, Mapping[str, Any]] = {}
    broken = []
    for name in names:
        content = _parse(read(name))
        if content is None:
            broken.append(name)
        else:
            found[name] = content
    index, config = found.get("model_index.json", {}), found.get("config.json", {})
    return Configs(
        pipeline_class=_text(_class_of(index)),
        model_type=_text(config.get("model_type")),
        more_inputs=_more_inputs(index, found),
        remote_code=tuple(reason for name in found for reason in _remote_code(name, found[name])),
        broken=tuple(broken),
    )


def _more_inputs(index: Mapping[str, Any], configs: Mapping[str, Mapping[str, Any]]) -> str:
    if index.get("requires_aesthetics_score"):
        return "an aesthetic score, as a refiner's"
    taken = configs.get("unet/config.json", {}).get("in_channels")
    for autoencoder in ("vae/config.json", "movq/config.json"):
        made = configs.get(autoencoder, {}).get("latent_channels")
        if isinstance(taken, int) and isinstance(made, int) and taken != made:
            return f"{taken} channels where its autoencoder has {made}, as one for inpainting"
    return ""


def _parse(content: bytes) -> Mapping[str, Any] | None:
    if len(content) > MAX_CONFIG_BYTES:
        return None
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _remote_code(name: str, content: Mapping[str, Any]) -> list[str]:
    """Return what in one file would make a library import code from the repository."""
    reasons = [f"{name}: auto_map"] if content.get("auto_map") else []
    if "custom_pipelines" in content:
        reasons.append(f"{name}: custom_pipelines")
    if PurePosixPath(name).name != "model_index.json":
        return reasons
    if isinstance(content.get("_class_name"), list):
        reasons.append(f"{name}: _class_name names a module")
    for part, value in content.items():
        module = value[0] if isinstance(value, list) and value and part[:1] != "_" else None
        if isinstance(module, str) and module not in LIBRARIES:
            reasons.append(f"{name}: {part} comes from {module[:60]}")
    return reasons


def _class_of(index: Mapping[str, Any]) -> Any:
    named = index.get("_class_name")
    return named[-1] if isinstance(named, list) and named else named


def _text(value: object) -> str:
    return value[:100] if isinstance(value, str) else ""
