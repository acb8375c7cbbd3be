"""PASD, pixel-aware stable diffusion (Yang et al. 2024): a start picture restored as one sees it.

    pasd:FOLDER[?checkpoint=pasd/checkpoint-100000&steps=20&…]

FOLDER is Stable Diffusion 1.5 as diffusers saves it, with PASD's checkpoint inside, so that one
hash covers both: `checkpoint` names a folder in it that holds `unet/` and `controlnet/`, each with
its `config.json` and one weights file. A Hub repository of that form does as well. Settings are
the released script's, with these differences: the file's caption stands where a captioning model's
answer would, and in image mode the protocol's prompt. Attention is not tiled.

The protocol's steps and strength do not apply: the model has its own start, the picture's latents
noised to the first of its time steps and again to `noise_level`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._room import is_cut
from evaluator.devices import dtype_on
from evaluator.loading import loading
from evaluator.restoration.colour_fix import wavelet_fix
from evaluator.restoration.pasd_unet import add_pixel_attentions, drop_unused
from evaluator.restoration.pictures import (
    draw,
    encode,
    enlarged_size,
    finish,
    own_generators,
    stack_starts,
)
from evaluator.restoration.state_dicts import (
    build_filled,
    find_inside,
    model_folder,
    read_state_dict,
)
from protocol.errors import DecodeError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import Value, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Generator, Tensor

MODES = frozenset({Mode.IMAGE, Mode.FULL})
IN_BATCHES = True

SETTINGS: Mapping[str, Value] = {
    "checkpoint": "pasd/checkpoint-100000",
    "steps": 20,
    "guidance": 9.0,
    "conditioning_scale": 1.0,
    "noise_level": 900,
    "shortest_side": 768,
    "added_prompt": "clean, high-resolution, 8k",
    "negative_prompt": ("blurry, dotted, noise, raster lines, unclear, lowres, over-smoothed"),
}
_MULTIPLE = 8


class PasdDecoder:
    """Diffusers' ControlNet pipeline with PASD's two networks in it."""

    def __init__(self, pipeline: Any, protocol: Protocol, settings: Mapping[str, Any]) -> None:
        """Keep the pipeline and what it is run with."""
        self._pipeline = pipeline
        self._protocol = protocol
        self._settings = settings

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Restore the start pictures at the working size."""
        import torch

        starts = stack_starts(batch, self.working_size(batch[0].width, batch[0].height))
        starts = starts.to(self._pipeline.device)
        settings = self._settings
        with torch.inference_mode():
            latents = self._start(starts, own_generators(batch))
            output = self._pipeline(
                prompt=[self._prompt(item) for item in batch],
                negative_prompt=[settings["negative_prompt"]] * len(batch),
                image=starts,
                latents=latents.to(self._pipeline.unet.dtype),
                height=starts.shape[2],
                width=starts.shape[3],
                num_inference_steps=settings["steps"],
                guidance_scale=settings["guidance"],
                controlnet_conditioning_scale=settings["conditioning_scale"],
                output_type="latent",
            )
            values = self._paint(output.images)
            fixed = wavelet_fix(values, starts)
        return [finish(value, item) for value, item in zip(fixed, batch, strict=True)]

    def account(self, item: Received) -> Account:
        """Return the working size, and the noise of both noisings together."""
        width, height = self.working_size(item.width, item.height)
        alpha = math.prod(self._start_alphas())
        return Account(
            width=width,
            height=height,
            start_sigma=math.sqrt((1 - alpha) / alpha),
            caption_is_cut=is_cut(self._pipeline, self._prompt(item)),
        )

    def working_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size that the model paints at, in multiples of 8."""
        size = enlarged_size(
            width,
            height,
            longest_side=self._protocol.longest_side,
            shortest_side=self._settings["shortest_side"],
        )
        across, down = (max(side // _MULTIPLE, 1) * _MULTIPLE for side in size)
        return across, down

    def _start(self, starts: "Tensor", generators: "Sequence[Generator]") -> "Tensor":
        """Return the latents that the first step gets."""
        latents = encode(self._pipeline.vae, starts, generators)
        for alpha in self._start_alphas():
            noise = draw(latents, generators)
            latents = math.sqrt(alpha) * latents + math.sqrt(1 - alpha) * noise
        return latents

    def _start_alphas(self) -> tuple[float, float]:
        """Return the cumulative alphas of the first step and of `noise_level`.

        Not the scheduler's `add_noise`, which knows the levels of its own steps only.
        """
        scheduler = self._pipeline.scheduler
        scheduler.set_timesteps(self._settings["steps"])
        first, second = int(scheduler.timesteps[0]), self._settings["noise_level"]
        return float(scheduler.alphas_cumprod[first]), float(scheduler.alphas_cumprod[second])

    def _paint(self, latents: "Tensor") -> "Tensor":
        vae = self._pipeline.vae
        decoded: Tensor = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        return decoded.float() / 2 + 0.5

    def _prompt(self, item: Received) -> str:
        caption = self._protocol.image_prompt if item.caption is None else item.caption
        return ", ".join(part for part in (caption, self._settings["added_prompt"]) if part)


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the defaults, the precision and the libraries."""
    return {
        "defaults": dict(SETTINGS),
        "longest_side": protocol.longest_side,
        "image_prompt": protocol.image_prompt if mode is Mode.IMAGE else "",
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("diffusers", "torch", "transformers")},
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load the base model and the checkpoint inside it."""
    settings = read_settings(system, SETTINGS)
    from diffusers import StableDiffusionControlNetPipeline, UniPCMultistepScheduler

    folder = model_folder(system)
    checkpoint = find_inside(folder, str(settings["checkpoint"]), "PASD's unet/ and controlnet/")
    dtype = dtype_on(device)
    with loading("diffusers", system):
        pipeline = StableDiffusionControlNetPipeline.from_pretrained(
            folder,
            unet=_load_unet(find_inside(checkpoint, "unet", "PASD's UNet")).to(dtype),
            controlnet=_load_controlnet(
                find_inside(checkpoint, "controlnet", "PASD's ControlNet")
            ).to(dtype),
            # The checkpoint's own is another; "linspace" is what PASD gets from SD 1.5's file.
            scheduler=UniPCMultistepScheduler.from_pretrained(
                folder, subfolder="scheduler", timestep_spacing="linspace"
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            use_safetensors=True,
            dtype=dtype,
        )
    # Not `ready`, which counts operations: the UNet's attention keeps tensors between two calls.
    pipeline.set_progress_bar_config(disable=True)
    return PasdDecoder(pipeline.to(device), protocol, settings)


def _load_unet(folder: Path) -> Any:
    from diffusers import UNet2DConditionModel

    def build() -> Any:
        unet = UNet2DConditionModel.from_config(_config(folder))
        add_pixel_attentions(unet)
        return unet

    return build_filled(build, read_state_dict(folder), "PASD UNet")


def _load_controlnet(folder: Path) -> Any:
    from diffusers import ControlNetModel

    state, _ = drop_unused(read_state_dict(folder))
    return build_filled(
        lambda: ControlNetModel.from_config(_config(folder)), state, "PASD ControlNet"
    )


def _config(folder: Path) -> dict[str, Any]:
    path = find_inside(folder, "config.json", "the network's configuration")
    config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return config
