"""What a pipeline computes again for the same input is kept for a while: captions and references.

Kept by the exact input of a call, so a hit gives the very bits that the call would: captions by the
batch, pictures as the pipeline hands them over.
The same captions come in text, pixel and full mode, the same pictures in image and full.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

_PROMPTS_KEPT = 16
# Pipelines encode the pictures of a batch one by one, and the next mode's come after all of them.
_PICTURES_KEPT = 64
_ENCODERS = ("text_encoder", "text_encoder_2", "text_encoder_3", "text_encoder_4")


class Memo:
    """A function of tensors that answers from its last calls where it can."""

    def __init__(self, function: Callable[..., Any], kept: int) -> None:
        """Keep the last `kept` answers of `function`."""
        self._function = function
        self._kept = kept
        self._answers: OrderedDict[bytes, Any] = OrderedDict()
        self.calls = 0
        """How often the function itself was called."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """Return what the function returns for these arguments."""
        key = _digest([*args, *(part for item in sorted(options.items()) for part in item)])
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        self.calls += 1
        answer = self._answers[key] = self._function(*args, **options)
        if len(self._answers) > self._kept:
            self._answers.popitem(last=False)
        return answer


def remember_inputs(pipeline: Any) -> None:
    """Let a pipeline's text encoders and its VAE's encoder keep their last answers."""
    for name in _ENCODERS:
        encoder = getattr(pipeline, name, None)
        if encoder is not None and not isinstance(encoder.forward, Memo):
            encoder.forward = Memo(encoder.forward, _PROMPTS_KEPT)
    vae = getattr(pipeline, "vae", None)
    if vae is not None and hasattr(vae, "encode") and not isinstance(vae.encode, Memo):
        vae.encode = Memo(vae.encode, _PICTURES_KEPT)


def _digest(values: list[Any]) -> bytes:
    import torch

    digest = hashlib.sha256()
    for value in values:
        if isinstance(value, torch.Tensor):
            digest.update(f"{value.dtype} {tuple(value.shape)} {value.device}".encode())
            content = value.detach().contiguous().cpu().flatten().view(torch.uint8)
            digest.update(content.numpy().tobytes())
        else:
            digest.update(repr(value).encode())
        digest.update(b"\0")
    return digest.digest()
