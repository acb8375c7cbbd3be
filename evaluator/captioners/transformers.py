"""Any model that transformers knows as image-text-to-text, with a chat template or without one.

Greedy decoding, safetensors only, never remote code. Settings: `prompt`, `max_new_tokens`, `cut`
(see `_asking.py`), `whole` and `dtype`.
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from evaluator.captioners import Captioner
from evaluator.captioners._asking import ASKING_SETTINGS, read_asking
from evaluator.captioners._generate import ModelCaptioner, describe_generation
from evaluator.devices import choose_dtype
from evaluator.loading import loading
from protocol.errors import ModelError
from protocol.records import System
from protocol.versions import Protocol
from submission.settings import read_settings

IN_BATCHES = True
UNKEYED: frozenset[str] = frozenset()

# `whole=false` leaves cropping to the checkpoint's processor. LLaVA-1.5's crops to the middle
# square, where the original pads: a codec that does not look at the sides cannot send them.
# `dtype`, where it is left empty, is single on a CPU and the checkpoint's own half on a GPU: what
# was trained in bfloat16 can leave float16's range.
SETTINGS = {**ASKING_SETTINGS, "whole": True, "dtype": ""}


def describe(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return the prompt, the room for an answer, the precision and the libraries."""
    precision = "single" if device == "cpu" else "the checkpoint's half"
    return {**describe_generation(protocol, device), "precision": precision}


def load(system: System, protocol: Protocol, device: str) -> Captioner:
    """Load a local folder, or a Hub id at its pinned commit."""
    settings = read_settings(system, SETTINGS)
    asking = read_asking(settings, protocol)
    processor, model = _load_parts(system, device, str(settings["dtype"]))
    return ModelCaptioner(processor, model.to(device).eval(), asking, whole=bool(settings["whole"]))


def _load_variant(kind: Any, system: System, options: Mapping[str, Any]) -> Any:
    """Return the model of the default files, or else of the `fp16` ones where only they are there.

    Raises:
        ModelError: neither can be loaded; the reason is that of the default files.
    """
    try:
        with loading("transformers", system):
            return kind.from_pretrained(**options)
    except ModelError:
        with contextlib.suppress(ModelError), loading("transformers", system):
            return kind.from_pretrained(**options, variant="fp16")
        raise


def half_of(own: Any) -> Any:
    """Return the dtype of half precision for a checkpoint that was saved in `own`."""
    import torch

    return own if own in (torch.float16, torch.bfloat16) else torch.float16


def _load_parts(system: System, device: str, dtype: str = "") -> tuple[Any, Any]:
    from transformers import (
        AutoConfig,
        AutoImageProcessor,
        AutoModelForImageTextToText,
        AutoProcessor,
        AutoTokenizer,
        VisionTextDualEncoderProcessor,
    )
    from transformers.utils import find_adapter_config_file

    name, pinned = system.path or system.model, {}
    if not system.path:
        pinned["revision"] = system.revision
    source = {"pretrained_model_name_or_path": name, **pinned}
    with loading("transformers", system):
        if find_adapter_config_file(name, **pinned) is not None:
            # Without peft transformers passes it over in silence.
            raise ModelError(
                f"{system.label} holds an adapter for another model (adapter_config.json); merge "
                "it with peft's merge_and_unload() and save the whole model"
            )
        config = AutoConfig.from_pretrained(**source, trust_remote_code=False)
        processor = AutoProcessor.from_pretrained(**source, trust_remote_code=False)
        if config.model_type == "vision-encoder-decoder" and not hasattr(processor, "tokenizer"):
            # Its two halves, as ViT and GPT-2, are saved with a processor of neither.
            processor = VisionTextDualEncoderProcessor(
                AutoImageProcessor.from_pretrained(**source, trust_remote_code=False),
                AutoTokenizer.from_pretrained(**source, trust_remote_code=False),
            )
    chosen = choose_dtype(dtype, device)
    options = {
        **source,
        "trust_remote_code": False,
        "use_safetensors": True,
        "dtype": chosen if dtype or device == "cpu" else half_of(config.dtype),
    }
    model = _load_variant(AutoModelForImageTextToText, system, options)
    missing = [
        part for part in ("tokenizer", "image_processor") if getattr(processor, part, None) is None
    ]
    if missing:
        raise ModelError(
            f"{system.label} has no {' and no '.join(missing)}; "
            "this adapter speaks to models that are shown pictures and answer in text"
        )
    return processor, model
