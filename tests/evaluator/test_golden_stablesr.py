"""StableSR's UNet and structure encoder answer what the original's answer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from golden_recipe import Golden

from evaluator.restoration.stablesr_keys import convert_unet
from evaluator.restoration.stablesr_structure import StructureEncoder
from evaluator.restoration.stablesr_unet import StructuredUNet, add_spade
from evaluator.restoration.state_dicts import build_filled

TOLERANCE = 1e-5
WIDTHS = (32, 16, 8, 4)


@pytest.fixture(scope="module")
def golden(shared: Path) -> Golden:
    return Golden(shared / "golden", "stablesr")


@pytest.fixture(scope="module")
def unet(golden: Golden) -> StructuredUNet:
    from diffusers import UNet2DConditionModel

    original = golden.settings["config"]["unet"]
    channels = [original["model_channels"] * factor for factor in original["channel_mult"]]
    config = {
        "block_out_channels": channels,
        # diffusers' name for the number of heads.
        "attention_head_dim": [width // original["num_head_channels"] for width in channels],
        "cross_attention_dim": original["context_dim"],
        "layers_per_block": original["num_res_blocks"],
        "use_linear_projection": original["use_linear_in_transformer"],
    }
    lookups: list[dict[int, torch.Tensor]] = []

    def build() -> Any:
        network = UNet2DConditionModel(**config)
        lookups.append(add_spade(network, original["semb_channels"]))
        return network

    network = build_filled(build, convert_unet(golden.weights("unet"), config), "UNet")
    return StructuredUNet(network.double(), lookups[0])


def predict(unet: StructuredUNet, golden: Golden, factor: float) -> torch.Tensor:
    values = golden.values
    structure = {width: factor * values[f"structure_{width}"] for width in WIDTHS}
    return unet(values["x"], values["timesteps"], values["text"], structure)


def test_the_unet_answers_as_the_original(golden: Golden, unet: StructuredUNet) -> None:
    assert (predict(unet, golden, 1) - golden.values["eps"]).abs().max() < TOLERANCE


def test_the_unet_listens_to_the_structure(golden: Golden, unet: StructuredUNet) -> None:
    assert (predict(unet, golden, 0) - golden.values["eps"]).std() > 0.1


def test_the_structure_encoder_answers_as_the_original(golden: Golden) -> None:
    encoder = StructureEncoder(golden.weights("structure_encoder"))
    encoder.network.double()
    encoded = encoder(golden.values["latent"], golden.values["timesteps"])
    assert tuple(encoded) == WIDTHS
    for width, features in encoded.items():
        assert (features - golden.values[f"encoded_{width}"]).abs().max() < TOLERANCE, width
