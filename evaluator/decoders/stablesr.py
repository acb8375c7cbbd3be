"""StableSR (Wang et al. 2024): a start picture restored by Stable Diffusion 2.1 with its structure.

    stablesr:FOLDER[?checkpoint=stablesr_000117.ckpt&cfw=vqgan_cfw_00011.ckpt&steps=200&…]

FOLDER is Stable Diffusion 2.1 base as diffusers saves it, with StableSR's two files inside, so that
one hash covers all; `checkpoint` and `cfw` name them, as `.ckpt` or `.safetensors`. From the base
come the tokenizer, the text encoder, the scheduler with its kind of prediction, and the
configurations of UNet and autoencoder; their weights come from the two files. A Hub repository of
that form does as well.

The prompt is empty: image and full mode differ by their seeds. The protocol's steps and strength do
not apply: sampling starts from noise, and the picture steers it through the structure encoder. The
released weights are for non-commercial use (S-Lab licence 1.0) and are the user's to bring.
"""

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from evaluator.decoders import Account, Decoder, Received
from evaluator.devices import dtype_on
from evaluator.loading import loading
from evaluator.restoration.colour_fix import adain_fix
from evaluator.restoration.pictures import (
    draw,
    enlarged_size,
    finish,
    own_generators,
    stack_starts,
)
from evaluator.restoration.stablesr_cfw import FusingAutoencoder, add_fusion
from evaluator.restoration.stablesr_keys import (
    ENCODER,
    UNET,
    convert_unet,
    convert_vae,
    split_checkpoint,
)
from evaluator.restoration.stablesr_structure import StructureEncoder
from evaluator.restoration.stablesr_unet import StructuredUNet, add_spade
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
    "checkpoint": "stablesr_000117.ckpt",
    "cfw": "vqgan_cfw_00011.ckpt",
    "steps": 200,
    "cfw_weight": 0.5,
    "shortest_side": 512,
}
_MULTIPLE = 64
"""Eight for the autoencoder, eight for the UNet's levels."""


class Networks(NamedTuple):
    """What a picture goes through."""

    unet: StructuredUNet
    structure: StructureEncoder
    autoencoder: FusingAutoencoder
    scheduler: Any
    empty_prompt: "Tensor"
    """The text encoder's answer to nothing, `(1, tokens, channels)`."""


class StableSRDecoder:
    """All steps of ancestral sampling, each with the structure for its time."""

    def __init__(self, networks: Networks, protocol: Protocol, settings: Mapping[str, Any]) -> None:
        """Keep the networks and what they are run with."""
        self._networks = networks
        self._protocol = protocol
        self._settings = settings

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Restore the start pictures at the working size."""
        import torch

        width, height = self.working_size(batch[0].width, batch[0].height)
        autoencoder = self._networks.autoencoder
        starts = stack_starts(batch, (width, height)).to(autoencoder.vae.device)
        padded = _pad(starts)
        generators = own_generators(batch)
        with torch.inference_mode():
            clean, features = autoencoder.encode(padded, generators)
            latents = self._sample(clean, generators)
            values = autoencoder.decode(latents, features)[:, :, :height, :width]
            fixed = adain_fix(values, starts)
        return [finish(value, item) for value, item in zip(fixed, batch, strict=True)]

    def account(self, item: Received) -> Account:
        """Return the working size, and the noise of the first time step, which is noise alone."""
        width, height = self.working_size(item.width, item.height)
        scheduler = self._networks.scheduler
        scheduler.set_timesteps(self._settings["steps"])
        alpha = float(scheduler.alphas_cumprod[int(scheduler.timesteps[0])])
        return Account(width=width, height=height, start_sigma=math.sqrt((1 - alpha) / alpha))

    def working_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the size that the model paints at, before padding."""
        return enlarged_size(
            width,
            height,
            longest_side=self._protocol.longest_side,
            shortest_side=self._settings["shortest_side"],
        )

    def _sample(self, clean: "Tensor", generators: "Sequence[Generator]") -> "Tensor":
        """Return restored latents, from noise, steered by the clean ones."""
        unet, structure, autoencoder, scheduler, prompt = self._networks
        dtype = autoencoder.vae.dtype
        text = prompt.expand(len(clean), -1, -1)
        latents = draw(clean, generators)
        scheduler.set_timesteps(self._settings["steps"])
        for timestep in scheduler.timesteps.tolist():
            times = clean.new_full((len(clean),), timestep).long()
            seen = structure(clean.to(dtype), times)
            predicted = unet(latents.to(dtype), times, text, seen)
            latents = scheduler.step(
                predicted.float(), timestep, latents, generator=list(generators)
            ).prev_sample
        return latents


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the defaults, the precision and the libraries."""
    del mode
    return {
        "defaults": dict(SETTINGS),
        "longest_side": protocol.longest_side,
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("diffusers", "torch", "transformers")},
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load the base model and the two files inside it."""
    settings = read_settings(system, SETTINGS)
    folder = model_folder(system)
    with loading("diffusers", system):
        networks = _load_networks(folder, settings, device)
    return StableSRDecoder(networks, protocol, settings)


def _load_networks(folder: Path, settings: Mapping[str, Any], device: str) -> Networks:
    from diffusers import DDPMScheduler

    dtype = dtype_on(device)
    checkpoint = read_state_dict(find_inside(folder, settings["checkpoint"], "StableSR's UNet"))
    parts, _ = split_checkpoint(checkpoint, (UNET, ENCODER))
    structure = StructureEncoder(parts[ENCODER])
    structure.network.to(device, dtype)
    unet = _load_unet(folder, parts[UNET], structure.channels)
    unet.unet.to(device, dtype)
    cfw = read_state_dict(find_inside(folder, settings["cfw"], "StableSR's autoencoder"))
    autoencoder = _load_autoencoder(folder, cfw, settings["cfw_weight"])
    autoencoder.vae.to(device, dtype)
    return Networks(
        unet=unet,
        structure=structure,
        autoencoder=autoencoder,
        # "spaced" sampling of the original: the posterior's variance on evenly spread steps.
        scheduler=DDPMScheduler.from_pretrained(
            folder,
            subfolder="scheduler",
            variance_type="fixed_small",
            clip_sample=False,
            timestep_spacing="linspace",
        ),
        empty_prompt=_encode_nothing(folder).to(device, dtype),
    )


def _load_unet(folder: Path, state: "Mapping[str, Tensor]", channels: int) -> StructuredUNet:
    from diffusers import UNet2DConditionModel

    config = UNet2DConditionModel.load_config(folder, subfolder="unet")
    lookups: list[dict[int, Tensor]] = []

    def build() -> Any:
        unet = UNet2DConditionModel.from_config(config)
        lookups.append(add_spade(unet, channels))
        return unet

    unet = build_filled(build, convert_unet(state, config), "StableSR UNet")
    return StructuredUNet(unet, lookups[0])


def _load_autoencoder(
    folder: Path, state: "Mapping[str, Tensor]", weight: float
) -> FusingAutoencoder:
    from diffusers import AutoencoderKL

    config = AutoencoderKL.load_config(folder, subfolder="vae")
    parts, _ = split_checkpoint(state, ("",))
    converted = convert_vae(parts[""], config)
    lookups: list[dict[int, Tensor]] = []

    def build() -> Any:
        vae = AutoencoderKL.from_config(config)
        lookups.append(add_fusion(vae, converted))
        return vae

    vae = build_filled(build, converted, "StableSR autoencoder")
    return FusingAutoencoder(vae, lookups[0], weight)


def _encode_nothing(folder: Path) -> "Tensor":
    import torch
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    encoder = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder", use_safetensors=True)
    tokens = tokenizer(
        "", padding="max_length", max_length=tokenizer.model_max_length, return_tensors="pt"
    )
    with torch.inference_mode():
        states: Tensor = encoder(tokens.input_ids)[0]
    return states


def _pad(pictures: "Tensor") -> "Tensor":
    """Repeat the last row and column until both sides are multiples of 64."""
    from torch.nn.functional import pad

    height, width = pictures.shape[2:]
    return pad(pictures, (0, -width % _MULTIPLE, 0, -height % _MULTIPLE), mode="replicate")
