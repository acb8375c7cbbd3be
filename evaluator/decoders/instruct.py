"""Picture editors: they take a picture and an instruction, and have no strength.

They count among the restorative systems, which run image and full mode. What they are told is a
setting: in full mode a template with the caption in it, by default the caption itself; in image
mode, which sends none, the protocol's image prompt.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._noise import sigma_at
from evaluator.decoders._painting import finish, generators_of, start_at, start_size
from evaluator.decoders._pipelines import (
    NO_CHECKER,
    check_true_cfg,
    load_pipeline,
    options_of,
    ready,
    size_unit,
)
from evaluator.decoders._plan import OWN, is_own
from evaluator.decoders._room import is_cut
from evaluator.devices import choose_dtype
from evaluator.loading import running
from protocol.errors import ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import Value, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

    from protocol.errors import DecodeError

MODES = frozenset({Mode.IMAGE, Mode.FULL})
IN_BATCHES = True

SETTINGS: Mapping[str, Value] = {
    "instruction": "{caption}",
    "image_instruction": "",  # the protocol's image prompt
    "steps": 0,  # the protocol's
    "guidance": OWN,
    "image_guidance": OWN,  # InstructPix2Pix
    "true_cfg": OWN,  # FLUX.1-Kontext and Qwen-Image-Edit, with a negative_prompt
    "negative_prompt": "",
    "dtype": "",
    "safety_checker": True,
}

EDITORS: Mapping[str, Mapping[str, Any]] = {
    # The paper names no settings; these are the model card's.
    "StableDiffusionInstructPix2PixPipeline": {"guidance_scale": 7.5, "image_guidance_scale": 1.5},
    # It would bring every picture to about a megapixel; the working size is ours to choose.
    "FluxKontextPipeline": {"_auto_resize": False},
    "QwenImageEditPipeline": {},
    "QwenImageEditPlusPipeline": {},
    "Flux2KleinPipeline": {},
    "Flux2Pipeline": {},
}
"""The pipelines that this family knows, with the arguments that are not their defaults."""

_BATCHES = frozenset({"StableDiffusionInstructPix2PixPipeline"})
"""Those that take several pictures at once; to the others a list is several views of one."""


class InstructDecoder:
    """An editing pipeline with what it is told."""

    def __init__(
        self,
        pipeline: Any,
        options: Mapping[str, Any],
        templates: Mapping[Mode, str],
        protocol: Protocol,
        details: Mapping[str, str],
    ) -> None:
        """Keep the pipeline; `options` go to it with every call."""
        self._pipeline = pipeline
        self._options = options
        self._templates = templates
        self._longest_side = protocol.longest_side
        self._details = details
        self._unit = size_unit(pipeline)

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Edit the start pictures, all at once where the pipeline can."""
        if type(self._pipeline).__name__ in _BATCHES:
            return self._edit(batch)
        return [self._edit([item])[0] for item in batch]

    def account(self, item: Received) -> Account:
        """Return the working size, and the noise that editing begins at whatever the picture."""
        width, height = self._working_size(item)
        scheduler = self._pipeline.scheduler
        return Account(
            width=width,
            height=height,
            start_sigma=sigma_at(scheduler, scheduler.timesteps[0]),
            caption_is_cut=is_cut(self._pipeline, self.instruction(item)),
            details=self._details,
        )

    def instruction(self, item: Received) -> str:
        """Return what the model is told to do."""
        return self._templates[item.mode].replace("{caption}", item.caption or "")

    def _edit(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        import torch

        size = self._working_size(batch[0])
        pictures = [start_at(item, size) for item in batch]
        fit = {"width": size[0], "height": size[1], "max_area": size[0] * size[1]}
        known = options_of(self._pipeline)
        options: dict[str, Any] = {name: value for name, value in fit.items() if name in known}
        options.update(self._options)
        if "negative_prompt" in options:
            options["negative_prompt"] = [options["negative_prompt"]] * len(batch)
        with torch.inference_mode(), running(self._pipeline):
            output = self._pipeline(
                prompt=[self.instruction(item) for item in batch],
                image=pictures if len(pictures) > 1 else pictures[0],
                generator=generators_of(batch),
                output_type="np",
                **options,
            )
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(batch)
        return [
            finish(values, item, filtered=bool(flag))
            for values, item, flag in zip(output.images, batch, flags, strict=True)
        ]

    def _working_size(self, item: Received) -> tuple[int, int]:
        return start_size(item, self._longest_side, self._unit)


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the protocol's settings, the precision and the libraries."""
    return {
        "steps": protocol.steps,
        "longest_side": protocol.longest_side,
        "image_prompt": protocol.image_prompt if mode is Mode.IMAGE else "",
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("diffusers", "torch", "transformers")},
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load a local folder, or a Hub id at its pinned commit."""
    settings: Mapping[str, Any] = read_settings(system, SETTINGS)
    templates = _templates(settings, protocol)
    dtype = choose_dtype(settings["dtype"], device)
    from diffusers import DiffusionPipeline

    unsafe = {} if settings["safety_checker"] else NO_CHECKER
    loaded = load_pipeline(DiffusionPipeline, system, dtype, **unsafe)
    kind = loaded.details["pipeline"]
    if kind not in EDITORS:
        raise ModelError(
            f"{system.label} is a {kind}, which edits no picture by instruction; this adapter "
            f"runs {', '.join(EDITORS)}"
        )
    typed = {
        "num_inference_steps": settings["steps"] or protocol.steps,
        "guidance_scale": settings["guidance"],
        "image_guidance_scale": settings["image_guidance"],
        "true_cfg_scale": settings["true_cfg"],
        "negative_prompt": settings["negative_prompt"] or OWN,
    }
    chosen = {name: value for name, value in typed.items() if not is_own(value)}
    missing = sorted(set(chosen) - set(options_of(loaded.pipeline)))
    if missing:
        raise ModelError(f"{system.label}: {kind} has no {', '.join(missing)}")
    check_true_cfg(options_of(loaded.pipeline), chosen, system)
    return InstructDecoder(
        ready(loaded.pipeline, device),
        {**EDITORS[kind], **chosen},
        templates,
        protocol,
        loaded.details,
    )


def _templates(settings: Mapping[str, Any], protocol: Protocol) -> dict[Mode, str]:
    if "{caption}" not in settings["instruction"]:
        raise ModelError(
            f"instruction={settings['instruction']}: wanted {{caption}} in it; "
            "full mode sends one, and it would go unused"
        )
    return {
        Mode.FULL: settings["instruction"],
        Mode.IMAGE: settings["image_instruction"] or protocol.image_prompt,
    }
