"""Any chat model that transformers knows as image-text-to-text.

Greedy decoding, the protocol's prompt, safetensors only, never remote code.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.captioners import Captioner, NamedPicture
from evaluator.devices import dtype_on
from evaluator.settings import read_settings
from protocol.errors import ModelError
from protocol.records import System
from protocol.versions import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

TOKENS_PER_WORD = 4
"""Room for a caption: English takes about 1.3 tokens a word, other scripts more."""


class ChatCaptioner:
    """A processor and a model."""

    def __init__(self, processor: Any, model: Any, prompt: str, max_new_tokens: int) -> None:
        """Keep the parts; left padding makes every answer begin where its prompt ends."""
        self._processor = processor
        self._model = model
        self._prompt = prompt
        self._max_new_tokens = max_new_tokens
        processor.tokenizer.padding_side = "left"

    def caption(self, batch: Sequence[NamedPicture]) -> list[str]:
        """Ask the model for one caption a picture, all in one batch."""
        import torch

        inputs = self._processor.apply_chat_template(
            [self._conversation(item.picture) for item in batch],
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            add_generation_prompt=True,
            padding=True,
        ).to(self._model.device, self._model.dtype)
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs, do_sample=False, max_new_tokens=self._max_new_tokens
            )
        answers = tokens[:, inputs["input_ids"].shape[1] :]
        texts: list[str] = self._processor.batch_decode(answers, skip_special_tokens=True)
        return [text.strip() for text in texts]

    def _conversation(self, picture: "Image") -> list[dict[str, Any]]:
        content = [{"type": "image", "image": picture}, {"type": "text", "text": self._prompt}]
        return [{"role": "user", "content": content}]


def describe(protocol: Protocol, device: str) -> Mapping[str, object]:
    """Return the prompt, the room for an answer, the precision and the libraries."""
    return {
        "prompt": protocol.caption_prompt,
        "words": protocol.caption_words,
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("torch", "transformers")},
    }


def load(system: System, protocol: Protocol, device: str) -> Captioner:
    """Load a local folder, or a Hub id at its pinned commit."""
    read_settings(system, {})
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    source = {"pretrained_model_name_or_path": system.path or system.model}
    if not system.path:
        source["revision"] = system.revision
    try:
        processor = AutoProcessor.from_pretrained(**source, trust_remote_code=False)
        model = AutoModelForImageTextToText.from_pretrained(
            **source, trust_remote_code=False, use_safetensors=True, dtype=dtype_on(device)
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelError(f"transformers cannot load {system.label}: {reason}") from error
    if getattr(processor, "chat_template", None) is None:
        raise ModelError(f"{system.label} has no chat template; this adapter speaks in chats only")
    return ChatCaptioner(
        processor,
        model.to(device).eval(),
        protocol.caption_prompt,
        protocol.caption_words * TOKENS_PER_WORD,
    )
