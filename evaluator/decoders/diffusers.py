"""Any checkpoint that diffusers serves as text-to-image and, by strength, as image-to-image.

Steps, strength, prompt and seed are the protocol's; guidance and scheduler are the checkpoint's
own. Safetensors only, never remote code. Every picture has a generator of its own.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Decoder, Received
from evaluator.decoders._noise import start_sigma
from evaluator.devices import dtype_on
from evaluator.settings import read_settings
from protocol.errors import DecodeError, ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = frozenset(Mode)


class DiffusersDecoder:
    """A text-to-image pipeline and the image-to-image pipeline of the same weights."""

    def __init__(self, from_noise: Any, from_image: Any, protocol: Protocol) -> None:
        """Keep the pipelines."""
        self._from_noise = from_noise
        self._from_image = from_image
        self._protocol = protocol

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Run one pipeline on the batch, at the model's working size."""
        import torch

        mode, size = batch[0].mode, self.working_size(batch[0].width, batch[0].height)
        prompts = [self._prompt(item) for item in batch]
        generators = [torch.Generator("cpu").manual_seed(item.seed) for item in batch]
        options: dict[str, Any] = {"num_inference_steps": self._protocol.steps}
        pipeline = self._from_image if mode.has_start else self._from_noise
        if mode.has_start:
            options["image"] = [_resize(item.start, size) for item in batch]
            options["strength"] = self._protocol.strength[mode]
        else:
            options["width"], options["height"] = size
        with torch.inference_mode():
            output = pipeline(
                prompt=prompts, generator=generators, output_type="np", return_dict=True, **options
            )
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(batch)
        return [
            _finish(values, item, filtered=bool(flag))
            for values, item, flag in zip(output.images, batch, flags, strict=True)
        ]

    def start_sigma(self, mode: Mode) -> float | None:
        """Ask the checkpoint's scheduler."""
        return start_sigma(
            self._from_noise.scheduler, self._protocol.steps, self._protocol.strength[mode]
        )

    def working_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size that the model paints at: the protocol's, in multiples it can do."""
        processor = getattr(self._from_noise, "image_processor", None)
        multiple = processor.config.vae_scale_factor if processor else 8
        longest = self._protocol.longest_side
        scale = longest / max(width, height) if longest else 1.0
        floor = [round(side * scale) // multiple * multiple for side in (width, height)]
        return max(multiple, floor[0]), max(multiple, floor[1])

    def _prompt(self, item: Received) -> str:
        return self._protocol.image_prompt if item.caption is None else item.caption


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the protocol's settings, the precision and the libraries."""
    return {
        "steps": protocol.steps,
        "strength": protocol.strength[mode],
        "longest_side": protocol.longest_side,
        "image_prompt": protocol.image_prompt if mode is Mode.IMAGE else "",
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("diffusers", "torch", "transformers")},
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load a local folder, or a Hub id at its pinned commit."""
    read_settings(system, {})
    from diffusers import AutoPipelineForImage2Image, AutoPipelineForText2Image
    from diffusers.utils import logging
    from transformers.utils import logging as transformers_logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    pinned = {} if system.path else {"revision": system.revision}
    try:
        from_noise = AutoPipelineForText2Image.from_pretrained(
            system.path or system.model,
            use_safetensors=True,
            dtype=dtype_on(device),
            **pinned,
        )
        from_image = AutoPipelineForImage2Image.from_pipe(from_noise)
    except (OSError, ValueError, KeyError, ImportError, AttributeError) as error:
        reason = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
        raise ModelError(f"diffusers cannot load {system.label}: {reason}") from error
    for pipeline in (from_noise.to(device), from_image):
        pipeline.set_progress_bar_config(disable=True)
    return DiffusersDecoder(from_noise, from_image, protocol)


def _resize(picture: "Image | None", size: tuple[int, int]) -> "Image":
    from PIL import Image

    if picture is None:
        raise ModelError("a mode with a start picture was given none")
    return picture.resize(size, Image.Resampling.BICUBIC)


def _finish(values: Any, item: Received, *, filtered: bool) -> "Image | DecodeError":
    import numpy as np
    from PIL import Image

    if filtered:
        return DecodeError("NSFW_FILTERED", "the model's safety checker blacked the picture out")
    if not np.isfinite(values).all():
        return DecodeError("NAN_OUTPUT", "the model's output holds values that are no numbers")
    picture = Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8))
    return picture.resize((item.width, item.height), Image.Resampling.BICUBIC)
