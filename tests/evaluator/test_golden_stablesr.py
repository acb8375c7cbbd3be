"""StableSR's UNet, structure encoder and fusion layers answer what the original's answer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from golden_recipe import Golden, make_weights
from ldm_layout import fusion_layout

from evaluator.restoration.stablesr_cfw import _fusion_layer, fuse
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


def test_a_fusion_layer_answers_what_the_originals_answers() -> None:
    """Values of the original's fusion block on these weights; it is in no golden file."""
    weights = make_weights(fusion_layout("f", width=32, blocks=2, growth=8), "cfw", seed=5)
    layer = _fusion_layer(32, [8, 8])
    layer.load_state_dict({key[2:]: value for key, value in weights.items()})
    generator = torch.Generator().manual_seed(1)
    encoded, decoded = (torch.randn(1, 32, 6, 5, generator=generator) for _ in range(2))
    with torch.inference_mode():
        found = fuse(layer, encoded, decoded)[0, ::4, 3, 2]
    wanted = [-1.42036, -0.74171, 0.91477, -1.31147, 0.87126, 3.27366, 4.475, -0.98345]
    torch.testing.assert_close(found, torch.tensor(wanted), atol=2e-5, rtol=0)
