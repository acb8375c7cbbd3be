"""PASD's two networks answer what the original's answer."""

from pathlib import Path
from typing import Any

import pytest
import torch
from golden_recipe import Golden

from evaluator.restoration.pasd_unet import add_pixel_attentions, drop_unused
from evaluator.restoration.state_dicts import build_filled

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def golden(shared: Path) -> Golden:
    return Golden(shared / "golden", "pasd")


@pytest.fixture(scope="module")
def config(golden: Golden) -> dict[str, Any]:
    names = set(golden.settings["config"]) - {"conditioning_embedding_out_channels"}
    return {name: golden.settings["config"][name] for name in names}


@pytest.fixture(scope="module")
def controls(
    golden: Golden, config: dict[str, Any]
) -> tuple[list[torch.Tensor], torch.Tensor, list[str]]:
    from diffusers import ControlNetModel

    state, dropped = drop_unused(golden.weights("controlnet"))
    embedding = tuple(golden.settings["config"]["conditioning_embedding_out_channels"])
    network = build_filled(
        lambda: ControlNetModel(**config, conditioning_embedding_out_channels=embedding),
        state,
        "ControlNet",
    )
    values = golden.values
    down, mid = network.double()(
        values["x"],
        values["timestep"],
        encoder_hidden_states=values["text"],
        controlnet_cond=values["image"],
        conditioning_scale=golden.settings["conditioning_scale"],
        return_dict=False,
    )
    return down, mid, dropped


@pytest.fixture(scope="module")
def unet(golden: Golden, config: dict[str, Any]) -> Any:
    from diffusers import UNet2DConditionModel

    def build() -> Any:
        network = UNet2DConditionModel(**config)
        add_pixel_attentions(network)
        return network

    return build_filled(build, golden.weights("unet"), "UNet").double()


def predict(unet: Any, golden: Golden, down: list[torch.Tensor], mid: torch.Tensor) -> torch.Tensor:
    values = golden.values
    prediction: torch.Tensor = unet(
        values["x"],
        values["timestep"],
        encoder_hidden_states=values["text"],
        down_block_additional_residuals=down,
        mid_block_additional_residual=mid,
        return_dict=False,
    )[0]
    return prediction


def test_the_control_network_answers_as_the_original(golden: Golden, controls: Any) -> None:
    down, mid, _ = controls
    assert len(down) == 12
    for number, answer in enumerate(down):
        difference = (answer - golden.values[f"down_{number:02d}"]).abs().max()
        assert difference < TOLERANCE, f"down_{number:02d}"
    assert (mid - golden.values["mid"]).abs().max() < TOLERANCE


def test_the_unet_answers_as_the_original(golden: Golden, unet: Any, controls: Any) -> None:
    down, mid, _ = controls
    eps = predict(unet, golden, down, mid)
    assert (eps - golden.values["eps"]).abs().max() < TOLERANCE


def test_the_unet_listens_to_the_control_beyond_the_skips(
    golden: Golden, unet: Any, controls: Any
) -> None:
    down, mid, _ = controls
    without = predict(unet, golden, [0 * answer for answer in down], 0 * mid)
    assert (without - golden.values["eps"]).std() > 0.1


def test_what_only_training_used_is_dropped_by_name(controls: Any) -> None:
    assert controls[2] == [
        f"controlnet_cond_embedding.to_rgbs.{number}.{kind}"
        for number in range(3)
        for kind in ("bias", "weight")
    ]
