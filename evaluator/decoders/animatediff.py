"""AnimateDiff as a painter of single pictures: a motion module in a Stable Diffusion 1.5 model.

Text mode makes a film of one frame; the other modes take the start picture for a film of one frame
and repaint it by strength. How many frames the paper made, and which it kept, it does not say.

The model is a saved AnimateDiff pipeline, or a Stable Diffusion 1.5 folder or Hub id with the
motion module named beside it: `animatediff:BASE?adapter=FOLDER_OR_ID`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._noise import StartWatch, sigma_at
from evaluator.decoders._painting import finish, generators_of, start_at, start_size, text_size
from evaluator.decoders._pipelines import load_pipeline, load_second, ready, size_unit
from evaluator.decoders._plan import OWN, Plan, plan_of
from evaluator.decoders._room import is_cut
from evaluator.decoders.diffusers import describe as describe_diffusers
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
IN_BATCHES = False

SETTINGS: Mapping[str, Value] = {
    "adapter": "",  # the motion module; empty: it lies in the model's own folder
    "scheduler": "linear",  # what motion modules were trained with; checkpoint: the base's own
    "steps": 0,
    "guidance": OWN,
    "strength": OWN,
    "strength_pixel": OWN,
    "strength_image": OWN,
    "strength_full": OWN,
    "strength_match": "none",
    "negative_prompt": "",
    "prompt_suffix": "",
    "dtype": "",
}


class AnimateDiffDecoder:
    """A film pipeline from noise and one from a film, of the same parts."""

    def __init__(
        self, from_noise: Any, from_film: Any, plan: Plan, details: Mapping[str, str]
    ) -> None:
        """Keep the pipelines."""
        self._from_noise = from_noise
        self._from_film = from_film
        self._plan = plan
        self._details = details
        self._unit = size_unit(from_noise)
        self._watch = StartWatch(from_film)
        self._started: dict[Mode, float | None] = {}

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Make one film after the other: the pipelines take a single start film."""
        return [self._paint(item) for item in batch]

    def account(self, item: Received) -> Account:
        """Return the working size and the noise level that the last film of this mode began at."""
        size = self._working_size(item)
        return Account(
            width=size[0],
            height=size[1],
            start_sigma=self._started.get(item.mode),
            asked_sigma=self._plan.asked_sigma.get(item.mode),
            caption_is_cut=is_cut(self._from_noise, self._plan.prompt(item)),
            details=self._details,
        )

    def _paint(self, item: Received) -> "Image | DecodeError":
        import torch

        size = self._working_size(item)
        options: dict[str, Any] = {**self._plan.options, "width": size[0], "height": size[1]}
        if item.mode.has_start:
            pipeline = self._from_film
            options["video"] = [start_at(item, size)]
            options["strength"] = self._plan.strength[item.mode]
            self._watch.ask(self._plan.asked_sigma.get(item.mode))
        else:
            pipeline = self._from_noise
            options["num_frames"] = 1
        with torch.inference_mode(), running(pipeline):
            output = pipeline(
                prompt=self._plan.prompt(item),
                generator=generators_of([item])[0],
                num_inference_steps=self._plan.steps,
                output_type="np",
                **options,
            )
        if item.mode.has_start:
            self._started[item.mode] = self._watch.report()
        else:
            scheduler = pipeline.scheduler
            self._started[item.mode] = sigma_at(scheduler, scheduler.timesteps[0])
        return finish(output.frames[0][0], item)

    def _working_size(self, item: Received) -> tuple[int, int]:
        fit = start_size if item.mode.has_start else text_size
        return fit(item, self._plan.longest_side, self._unit)


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return what decides a picture of diffusers' pipelines."""
    return describe_diffusers(protocol, mode, device)


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load the base and the motion module, each from a folder or a Hub id at its commit."""
    settings = read_settings(system, SETTINGS)
    plan = plan_of(settings, protocol)
    if settings["scheduler"] not in ("linear", "checkpoint"):
        raise ModelError(f"scheduler={settings['scheduler']}: wanted linear or checkpoint")
    dtype = choose_dtype(str(settings["dtype"]), device)
    from diffusers import (
        AnimateDiffPipeline,
        AnimateDiffVideoToVideoPipeline,
        DDIMScheduler,
        MotionAdapter,
    )

    parts = {}
    if pinned := str(settings["adapter"]):
        parts["motion_adapter"] = load_second(MotionAdapter, system, pinned, dtype).pipeline
    loaded = load_pipeline(AnimateDiffPipeline, system, dtype, **parts)
    from_noise = loaded.pipeline
    if from_noise.motion_adapter is None:
        raise ModelError(
            f"{system.label} brings no motion module; name one with adapter=FOLDER_OR_ID"
        )
    if settings["scheduler"] == "linear":
        from_noise.scheduler = DDIMScheduler.from_config(
            from_noise.scheduler.config,
            beta_schedule="linear",
            clip_sample=False,
            timestep_spacing="linspace",
            steps_offset=1,
        )
    ready(from_noise, device)
    from_film = AnimateDiffVideoToVideoPipeline(**from_noise.components)
    details = {**loaded.details, "scheduler": type(from_noise.scheduler).__name__}
    return AnimateDiffDecoder(from_noise, ready(from_film, device), plan, details)
