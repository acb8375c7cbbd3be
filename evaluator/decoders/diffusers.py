"""Any checkpoint that diffusers serves as text-to-image and, by strength, as image-to-image.

Steps, strength, prompt and seed are the protocol's; guidance and scheduler are the checkpoint's
own. Safetensors only, never remote code. Every picture has a generator of its own.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._memo import remember_inputs
from evaluator.decoders._noise import StartWatch, sigma_at
from evaluator.decoders._painting import (
    finish,
    generators_of,
    native_size,
    start_at,
    start_size,
    text_size,
)
from evaluator.decoders._pipelines import (
    NO_CHECKER,
    Loaded,
    check_true_cfg,
    load_pipeline,
    native_side,
    options_of,
    ready,
    size_unit,
    speed_up,
)
from evaluator.decoders._plan import OWN, Plan, plan_of
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

MODES = frozenset(Mode)
IN_BATCHES = True

SETTINGS: Mapping[str, Value] = {
    "steps": 0,  # the protocol's
    "guidance": OWN,
    "true_cfg": OWN,  # of models whose guidance_scale is distilled: FLUX, Qwen-Image
    "strength": OWN,  # of every mode with a start, unless it has its own
    "strength_pixel": OWN,
    "strength_image": OWN,
    "strength_full": OWN,
    "strength_match": "none",  # snr: start at the noise that the strength is for SD1.5
    "negative_prompt": "",
    "prompt_suffix": "",
    "text_size": "sent",  # native: the sent shape with as many pixels as the model was trained at
    "dtype": "",  # float16 on a GPU, float32 on a CPU
    "safety_checker": True,  # false leaves it out; some licences do not allow that
    "channels_last": False,  # the layout that convolutions on a GPU prefer; changes the rounding
    "compile": False,  # torch.compile of the denoiser: minutes once for each size of picture
}


_UNCHOSEN = frozenset({"BriaPipeline", "HunyuanImagePipeline", "SanaSprintPipeline"})
"""Text-to-image pipelines that diffusers' automatic choice does not know."""

_UNMAPPED = {
    "ChromaPipeline": "ChromaImg2ImgPipeline",
    "SanaSprintPipeline": "SanaSprintImg2ImgPipeline",
}
"""Image-to-image pipelines by strength that it does not know."""

_UNKNOWN = re.compile(r"AutoPipeline can't find a pipeline linked to (\w+)")
"""What diffusers says of a pipeline that it does not know."""

_ALONE = frozenset({"CogView4Pipeline", "GlmImagePipeline", "HunyuanImagePipeline"})
"""Pipelines in which a picture depends on the others of its batch: the first fills short captions
up without a mask, the second draws what it plans for all of them with the first one's seed, the
third guides all of them otherwise where one caption holds words in quotation marks."""


class DiffusersDecoder:
    """A text-to-image pipeline and the image-to-image pipeline of the same weights."""

    def __init__(
        self, from_noise: Any, from_image: Any, plan: Plan, details: Mapping[str, str]
    ) -> None:
        """Keep the pipelines; `from_image` is None where diffusers has none with a strength."""
        self._from_noise = from_noise
        self._from_image = from_image
        self._plan = plan
        self._details = details
        self._unit = size_unit(from_noise)
        self._watch = None if from_image is None else StartWatch(from_image)
        self._started: dict[tuple[Mode, tuple[int, int]], float | None] = {}

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Run one pipeline on the batch, at the model's working size."""
        if type(self._from_noise).__name__ in _ALONE:
            return [self._paint([item])[0] for item in batch]
        return self._paint(batch)

    def _paint(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        import torch

        mode, size = batch[0].mode, self.working_size(batch[0])
        pipeline = self._from_image if mode.has_start else self._from_noise
        options = self._options(batch, size)
        with torch.inference_mode(), running(pipeline):
            output = pipeline(
                prompt=[self._plan.prompt(item) for item in batch],
                generator=generators_of(batch),
                output_type="np",
                return_dict=True,
                **options,
            )
        self._started[mode, size] = self._found(mode)
        flags = getattr(output, "nsfw_content_detected", None) or [False] * len(batch)
        return [
            finish(values, item, filtered=bool(flag))
            for values, item, flag in zip(output.images, batch, flags, strict=True)
        ]

    def account(self, item: Received) -> Account:
        """Return the working size and the noise level that the last run of this size began at."""
        size = self.working_size(item)
        return Account(
            width=size[0],
            height=size[1],
            start_sigma=self._started.get((item.mode, size)),
            asked_sigma=self._plan.asked_sigma.get(item.mode),
            caption_is_cut=is_cut(self._from_noise, self._plan.prompt(item)),
            details=self._details,
        )

    def working_size(self, item: Received) -> tuple[int, int]:
        """Return the size that the model paints at: the protocol's, in multiples it can do."""
        longest = self._plan.longest_side
        if item.mode.has_start:
            return start_size(item, longest, self._unit)
        if self._plan.native_text:
            return native_size(item, native_side(self._from_noise), self._unit)
        return text_size(item, longest, self._unit)

    def _options(self, batch: Sequence[Received], size: tuple[int, int]) -> dict[str, object]:
        mode = batch[0].mode
        options: dict[str, object] = {
            **self._plan.options,
            "num_inference_steps": self._plan.steps,
            "width": size[0],
            "height": size[1],
            # PixArt, Sana and others would paint at a size of a table and cut the picture to ours.
            "use_resolution_binning": False,
        }
        if self._plan.steps != 2:
            # Of Sana-Sprint, whose default is for two steps alone, and which refuses any other.
            options["intermediate_timesteps"] = None
        if "negative_prompt" in options:
            options["negative_prompt"] = [options["negative_prompt"]] * len(batch)
        if mode.has_start:
            if self._watch is None:
                raise ModelError(
                    f"diffusers has no image-to-image by strength for {self._details['pipeline']}; "
                    "ask for text mode alone, or try the adapter `instruct`"
                )
            self._watch.ask(self._plan.asked_sigma.get(mode))
            options["image"] = [start_at(item, size) for item in batch]
            options["strength"] = self._plan.strength[mode]
        known = options_of(self._from_image if mode.has_start else self._from_noise)
        # Some image-to-image pipelines take the size from the picture and have no argument for it.
        return {name: value for name, value in options.items() if name in known}

    def _found(self, mode: Mode) -> float | None:
        if self._watch is not None and mode.has_start:
            return self._watch.report()
        scheduler = self._from_noise.scheduler
        return sigma_at(scheduler, scheduler.timesteps[0])


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
    settings = read_settings(system, SETTINGS)
    plan = plan_of(settings, protocol)
    dtype = choose_dtype(str(settings["dtype"]), device)
    unsafe = {} if settings["safety_checker"] else NO_CHECKER
    loaded = _load_chosen(system, dtype, unsafe)
    from_image = image_pipeline_of(loaded)
    _check_options(loaded.pipeline, plan, system)
    speed_up(
        loaded.pipeline,
        device,
        channels_last=bool(settings["channels_last"]),
        compiled=bool(settings["compile"]),
    )
    ready(loaded.pipeline, device)
    if from_image is not None:
        ready(from_image, device)
    # The parts are shared, so this holds for the image-to-image pipeline too.
    remember_inputs(loaded.pipeline)
    return DiffusersDecoder(loaded.pipeline, from_image, plan, loaded.details)


def _load_chosen(system: System, dtype: Any, options: Mapping[str, Any]) -> Loaded:
    """Load the text-to-image pipeline of a checkpoint that may have been saved for another task."""
    from diffusers import AutoPipelineForText2Image, DiffusionPipeline

    try:
        return load_pipeline(AutoPipelineForText2Image, system, dtype, **options)
    except ModelError as error:
        unknown = _UNKNOWN.search(str(error))
        if unknown is None:
            raise
        if unknown[1] in _UNCHOSEN:
            return load_pipeline(DiffusionPipeline, system, dtype, **options)
        raise ModelError(
            f"{system.label} is a {unknown[1]}, which is none of the text-to-image pipelines that "
            "this adapter runs; other adapters are in `cmc systems`, and CONTRIBUTING.md "
            "says how to add one"
        ) from error


def image_pipeline_of(loaded: Loaded) -> Any:
    """Return the image-to-image pipeline of the same parts, or None where there is none."""
    import diffusers

    unmapped = _UNMAPPED.get(type(loaded.pipeline).__name__)
    kind = getattr(diffusers, unmapped or "AutoPipelineForImage2Image")
    try:
        pipeline = kind.from_pipe(loaded.pipeline)
    except ValueError:
        return None
    return pipeline if "strength" in options_of(pipeline) else None


def _check_options(pipeline: Any, plan: Plan, system: System) -> None:
    """Refuse what wants more than a file holds, and a setting that would be passed over."""
    known = options_of(pipeline)
    if "control_image" in known or hasattr(pipeline, "controlnet"):
        raise ModelError(
            f"{system.label}: {type(pipeline).__name__} paints after a control picture, and no "
            "file holds one; save its base model alone"
        )
    if "num_frames" in known:
        raise ModelError(f"{system.label}: {type(pipeline).__name__} makes films, and no pictures")
    missing = [name for name in plan.options if name not in known]
    if missing:
        raise ModelError(f"{system.label}: {type(pipeline).__name__} has no {', '.join(missing)}")
    check_true_cfg(known, plan.options, system)
