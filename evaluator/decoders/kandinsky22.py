"""Kandinsky 2.2: a prior paints the caption as an image embedding, a decoder paints that.

The two are folders or Hub ids of their own: `kandinsky22:DECODER?adapter=PRIOR`. Text mode starts
the decoder from noise, the other modes from the start picture by strength. Both stages draw from
the picture's own generator, the prior first. `steps` and `guidance` are the decoder's.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._noise import StartWatch, sigma_at
from evaluator.decoders._painting import finish, generators_of, start_at, start_size, text_size
from evaluator.decoders._pipelines import Loaded, load_pipeline, load_second, ready
from evaluator.decoders._plan import OWN, Plan, is_own, plan_of
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
IN_BATCHES = True

SETTINGS: Mapping[str, Value] = {
    "adapter": "",  # the prior; there is none in the decoder's own folder
    "steps": 0,  # the protocol's
    "guidance": OWN,
    "prior_steps": 0,  # the prior's own
    "prior_guidance": OWN,
    "strength": OWN,
    "strength_pixel": OWN,
    "strength_image": OWN,
    "strength_full": OWN,
    "strength_match": "none",
    "negative_prompt": "",  # goes through the prior, like the caption
    "prompt_suffix": "",
    "dtype": "",
}


class KandinskyDecoder:
    """A prior, and the decoder's pipelines from noise and from a picture."""

    def __init__(
        self,
        prior: partial[Any],
        from_noise: Any,
        from_image: Any,
        plan: Plan,
        details: Mapping[str, str],
    ) -> None:
        """Keep the pipelines; the prior has its steps and its guidance with it."""
        self._prior = prior
        self._from_noise = from_noise
        self._from_image = from_image
        self._plan = plan
        self._details = details
        # The pipeline from noise rounds up to what the UNet's three halvings of latents need.
        self._unit = int(from_noise.movq_scale_factor) ** 2
        self._watch = StartWatch(from_image)
        self._started: dict[Mode, float | None] = {}

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Run both stages on the batch, at the model's working size."""
        import torch

        mode, size = batch[0].mode, self._working_size(batch[0])
        generators = generators_of(batch)
        options = {k: v for k, v in self._plan.options.items() if k != "negative_prompt"}
        pipeline = self._from_noise
        if mode.has_start:
            pipeline = self._from_image
            options["image"] = [start_at(item, size) for item in batch]
            options["strength"] = self._plan.strength[mode]
            self._watch.ask(self._plan.asked_sigma.get(mode))
        with torch.inference_mode(), running(pipeline):
            output = pipeline(
                **self._embed(batch, generators),
                generator=generators,
                num_inference_steps=self._plan.steps,
                width=size[0],
                height=size[1],
                output_type="np",
                **options,
            )
        self._started[mode] = self._found(mode)
        return [finish(values, item) for values, item in zip(output.images, batch, strict=True)]

    def account(self, item: Received) -> Account:
        """Return the working size and the noise level that the last run of this mode began at."""
        size = self._working_size(item)
        return Account(
            width=size[0],
            height=size[1],
            start_sigma=self._started.get(item.mode),
            asked_sigma=self._plan.asked_sigma.get(item.mode),
            caption_is_cut=is_cut(self._prior.func, self._plan.prompt(item)),
            details=self._details,
        )

    def _embed(self, batch: Sequence[Received], generators: list[Any]) -> dict[str, Any]:
        """Return the image embeddings to paint and to stay away from."""
        options: dict[str, Any] = {}
        negative = self._plan.options.get("negative_prompt")
        if negative is not None:
            # The prior runs on the prompts and the negative ones in one batch of twice the size.
            options["negative_prompt"] = [negative] * len(batch)
            generators = generators * 2
        output = self._prior(
            prompt=[self._plan.prompt(item) for item in batch], generator=generators, **options
        )
        return {
            "image_embeds": output.image_embeds,
            "negative_image_embeds": output.negative_image_embeds,
        }

    def _working_size(self, item: Received) -> tuple[int, int]:
        fit = start_size if item.mode.has_start else text_size
        return fit(item, self._plan.longest_side, self._unit)

    def _found(self, mode: Mode) -> float | None:
        if mode.has_start:
            return self._watch.report()
        scheduler = self._from_noise.scheduler
        return sigma_at(scheduler, scheduler.timesteps[0])


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return what decides a picture of diffusers' pipelines."""
    return describe_diffusers(protocol, mode, device)


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load decoder and prior, each from a folder or a Hub id at its commit."""
    settings: Mapping[str, Any] = read_settings(system, SETTINGS)
    plan = plan_of(settings, protocol)
    _check_steps(settings, plan)
    dtype = choose_dtype(settings["dtype"], device)
    from diffusers import KandinskyV22Pipeline

    prior = _load_prior(system, settings["adapter"], dtype)
    loaded = load_pipeline(KandinskyV22Pipeline, system, dtype)
    _check_fit(system, prior.pipeline, loaded.pipeline)
    asked = {
        "num_inference_steps": settings["prior_steps"] or OWN,
        "guidance_scale": settings["prior_guidance"],
    }
    chosen = {name: value for name, value in asked.items() if not is_own(value)}
    return KandinskyDecoder(
        partial(ready(prior.pipeline, device), **chosen),
        ready(loaded.pipeline, device),
        ready(_image_pipeline_of(loaded.pipeline), device),
        plan,
        {**loaded.details, **{f"prior_{name}": prior.details[name] for name in prior.details}},
    )


def _load_prior(system: System, pinned: str, dtype: Any) -> Loaded:
    """Load a prior that is named as `FOLDER@HASH` or `ID@COMMIT`."""
    if not pinned:
        raise ModelError(
            f"{system.label} has no prior with it; name one with adapter=FOLDER_OR_ID, for example "
            "adapter=kandinsky-community/kandinsky-2-2-prior"
        )
    from diffusers import KandinskyV22PriorPipeline

    return load_second(KandinskyV22PriorPipeline, system, pinned, dtype)


def _image_pipeline_of(from_noise: Any) -> Any:
    """Return the image-to-image pipeline of the same parts."""
    from diffusers import KandinskyV22Img2ImgPipeline
    from diffusers.image_processor import VaeImageProcessor

    pipeline = KandinskyV22Img2ImgPipeline(**from_noise.components)
    # diffusers 0.42 passes width and height to its processor in the wrong order, which turns the
    # sides of a picture round. Start pictures come at their working size: nothing is to be resized.
    pipeline.image_processor = VaeImageProcessor(
        vae_scale_factor=from_noise.movq_scale_factor,
        vae_latent_channels=from_noise.movq.config.latent_channels,
        do_resize=False,
    )
    return pipeline


def _check_steps(settings: Mapping[str, Any], plan: Plan) -> None:
    if settings["prior_steps"] < 0 or settings["prior_steps"] == 1:
        raise ModelError(f"prior_steps={settings['prior_steps']}: wanted a number from 2")
    for mode, strength in plan.strength.items():
        if mode not in plan.asked_sigma and int(plan.steps * strength) < 1:
            raise ModelError(
                f"strength {strength} of {plan.steps} steps in {mode} mode leaves none to run; "
                "give more steps or a higher strength"
            )


def _check_fit(system: System, prior: Any, decoder: Any) -> None:
    """Refuse a prior of another model, and a decoder that wants more than an embedding."""
    made, wanted = prior.prior.config.embedding_dim, decoder.unet.config.encoder_hid_dim
    if made != wanted:
        raise ModelError(
            f"{system.label}: the prior makes embeddings of {made} numbers, the decoder takes "
            f"{wanted}; name the prior that belongs to it with adapter=FOLDER_OR_ID"
        )
    channels, latents = decoder.unet.config.in_channels, decoder.movq.config.latent_channels
    if channels != latents:
        raise ModelError(
            f"{system.label} takes {channels} channels where its autoencoder has {latents}: a "
            "decoder for inpainting or with a ControlNet; wanted the plain one"
        )
