"""DiffBIR (Lin et al., ECCV 2024): Stable Diffusion steered by the latent of the sent picture.

    diffbir:FOLDER?control=v1_general.pth&cleaner=realesrgan_s4_swinir_100k.pth
    diffbir:OWNER/SD21-BASE@COMMIT?control=lxq007/DiffBIR-v2@COMMIT:v1_general.pth

The model is a diffusers folder of Stable Diffusion 2.1-base: VAE, tokenizer, text encoder, UNet.
`control` is DiffBIR's own checkpoint as released, `cleaner` (optional) any network that spandrel
knows, which prepares the picture before the diffusion; without one the sent picture is taken as it
is. Both are names of files in the folder, so that its hash pins them, or name a file of a Hub
repository with its commit. The noise schedule and what the UNet predicts are the folder's: with the
zero-SNR base of version 2.1 and its control, v-prediction follows.

Parameters are DiffBIR's, not the protocol's strength: MISC (Li et al. 2024, by this benchmark's
authors) states 40 spaced steps from pure noise, guidance 7, "Blurry, Low Quality" as the negative
prompt, the short side raised to 1024 and the wavelet fix; the paper states none. `short_side=0` is
the protocol's working size, which cmc-1 sets to 1024 and the demo's do not set. `positive` is
appended to the caption. Image mode has the protocol's prompt.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from evaluator.decoders import Account, Decoder, Received
from evaluator.decoders._noise import start_sigma
from evaluator.decoders._pipelines import ready
from evaluator.decoders._room import is_cut
from evaluator.devices import dtype_on
from evaluator.loading import loading
from evaluator.restoration.colour_fix import adain_fix, wavelet_fix
from evaluator.restoration.control import load_control
from evaluator.restoration.network import Network, load_network
from evaluator.restoration.tensors import pad_to, resize, to_picture, to_tensor
from evaluator.restoration.weight_files import find_weight_file, read_tensors
from protocol.errors import DecodeError, ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import read_settings

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

MODES = frozenset({Mode.IMAGE, Mode.FULL})
IN_BATCHES = True

SETTINGS: Mapping[str, str | int | float] = {
    "control": "",
    "cleaner": "",
    "steps": 40,
    "guidance": 7.0,
    "control_scale": 1.0,
    "positive": "",
    "negative": "Blurry, Low Quality",
    "short_side": 0,
    "colour_fix": "wavelet",
}
_FIXES: "Mapping[str, Callable[[Tensor, Tensor], Tensor]]" = {
    "wavelet": wavelet_fix,
    "adain": adain_fix,
    "none": lambda sample, _: sample,
}
_MULTIPLE = 64
"""Sides that the UNet halves three times on latents of an eighth of the picture."""


@dataclass(frozen=True, slots=True)
class DiffBIR:
    """The pipeline with its control, the cleaner, and the settings that they run with."""

    pipeline: Any
    cleaner: Network | None
    settings: Mapping[str, Any]
    image_prompt: str

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Clean, diffuse, fix the colours and return to the exact size."""
        import torch

        missing = DecodeError("NO_START", "there is no picture to restore in text mode")
        starts = [to_tensor(item.start) for item in batch if item.start is not None]
        if len(starts) < len(batch):
            return [missing for _ in batch]
        with torch.inference_mode():
            clean = self._clean(torch.cat(starts).to(self.pipeline.device))
            height, width = clean.shape[-2:]
            painted = self._paint(pad_to(clean, _MULTIPLE), batch)[..., :height, :width]
            fixed = _FIXES[self.settings["colour_fix"]](painted.float(), clean)
            fixed = resize(fixed, batch[0].height, batch[0].width)
        return [to_picture(values) for values in fixed]

    def account(self, item: Received) -> Account:
        """Return the raised size, and the noise that every picture starts from: all of it."""
        height, width = self._raised(item.height, item.width)
        return Account(
            width=width,
            height=height,
            start_sigma=start_sigma(self.pipeline.scheduler, self.settings["steps"], 1.0),
            caption_is_cut=is_cut(self.pipeline, self._prompt(item)),
        )

    def _clean(self, pictures: "Tensor") -> "Tensor":
        """Return the pictures with the short side raised and the cleaner's work done."""
        height, width = self._raised(*pictures.shape[-2:])
        pictures = resize(pictures, height, width).clamp(0, 1)
        return self.cleaner.restore(pictures).clamp(0, 1) if self.cleaner else pictures

    def _raised(self, height: int, width: int) -> tuple[int, int]:
        scale = max(1.0, self.settings["short_side"] / min(height, width))
        return round(height * scale), round(width * scale)

    def _paint(self, clean: "Tensor", batch: Sequence[Received]) -> "Tensor":
        """Return what the diffusion makes of padded pictures; the same shape, about [0, 1]."""
        import torch

        vae, dtype = self.pipeline.vae, self.pipeline.unet.dtype
        # The distribution's mode and no draw from it, as DiffBIR was trained.
        condition = vae.encode((clean * 2 - 1).to(dtype)).latent_dist.mode()
        generators = [torch.Generator("cpu").manual_seed(item.seed) for item in batch]
        noise = [torch.randn(condition.shape[1:], generator=own) for own in generators]
        latents = self.pipeline(
            prompt=[self._prompt(item) for item in batch],
            negative_prompt=[self.settings["negative"]] * len(batch),
            image=condition * vae.config.scaling_factor,
            # Without these the pipeline would take the condition's size for the picture's.
            latents=torch.stack(noise).to(clean.device, dtype),
            generator=generators,
            num_inference_steps=self.settings["steps"],
            guidance_scale=self.settings["guidance"],
            controlnet_conditioning_scale=self.settings["control_scale"],
            output_type="latent",
        ).images
        painted: Tensor = vae.decode(latents / vae.config.scaling_factor).sample
        return (painted + 1) / 2

    def _prompt(self, item: Received) -> str:
        caption = self.image_prompt if item.caption is None else item.caption
        return ", ".join(text for text in (caption, self.settings["positive"]) if text)


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the settings that hold where none are given, and what the protocol decides."""
    return {
        "defaults": dict(SETTINGS),
        "longest_side": protocol.longest_side,
        "image_prompt": protocol.image_prompt if mode is Mode.IMAGE else "",
        "device": device.partition(":")[0],
        "libraries": {
            name: version(name) for name in ("diffusers", "spandrel", "torch", "transformers")
        },
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load Stable Diffusion, the control and the cleaner."""
    settings: dict[str, Any] = read_settings(system, SETTINGS)
    settings["short_side"] = settings["short_side"] or protocol.longest_side or 0
    _check(settings)
    control_file = find_weight_file(system, settings["control"])
    cleaner = None
    if settings["cleaner"]:
        cleaner = load_network(find_weight_file(system, settings["cleaner"]), device)
    base = _load_base(system, device)
    control = load_control(read_tensors(control_file), base.unet, control_file.name)
    return DiffBIR(_steer(base, control, device), cleaner, settings, protocol.image_prompt)


def spaced_sampler(config: Mapping[str, Any]) -> Any:
    """Return DiffBIR's sampler, DDPM on steps spaced evenly, for a scheduler's noise schedule."""
    from diffusers import DDPMScheduler

    return DDPMScheduler.from_config(
        config,
        variance_type="fixed_small",
        clip_sample=False,
        thresholding=False,
        timestep_spacing="linspace",
    )


def _check(settings: Mapping[str, Any]) -> None:
    if not settings["control"]:
        raise ModelError(
            "diffbir needs its checkpoint, a file in the model's folder: ?control=FILE"
        )
    if settings["colour_fix"] not in _FIXES:
        raise ModelError(f"diffbir?colour_fix={settings['colour_fix']}: wanted {', '.join(_FIXES)}")
    if not 0 < settings["steps"] <= 1000:
        raise ModelError(f"diffbir?steps={settings['steps']}: wanted 1 to 1000")


def _load_base(system: System, device: str) -> Any:
    from diffusers import StableDiffusionPipeline

    pinned = {} if system.path else {"revision": system.revision}
    with loading("diffusers", system):
        return StableDiffusionPipeline.from_pretrained(
            system.path or system.model,
            use_safetensors=True,
            safety_checker=None,
            dtype=dtype_on(device),
            **pinned,
        )


def _steer(base: Any, control: Any, device: str) -> Any:
    from diffusers import StableDiffusionControlNetPipeline

    parts = {**base.components, "scheduler": spaced_sampler(base.scheduler.config)}
    pipeline = StableDiffusionControlNetPipeline(
        **parts, controlnet=control.to(base.unet.dtype), requires_safety_checker=False
    )
    return ready(pipeline, device)
