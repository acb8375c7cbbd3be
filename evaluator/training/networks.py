"""The indicators of table 2 as networks that can be trained, from their weights or from none."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.indicators import find_indicator
from evaluator.indicators._pyiqa import load_topiq
from evaluator.weights import find_weights
from protocol.errors import InputError
from protocol.rules import Dimension

BACKBONE = "resnet50"
"""TOPIQ's own; another one is for trying the training, and no protocol reads its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one indicator is trained."""

    crop: int = 224
    """Side of the square that is cut from a picture, in pixels."""
    is_fixed: bool = False
    """Whether the network sees squares of this side and no other."""
    also_trained: tuple[str, ...] = ()
    """Starts of the names of parameters that the library freezes and that are trained here."""


RECIPES: Mapping[str, Recipe] = {
    "topiq_fr": Recipe(),
    "ahiq": Recipe(is_fixed=True),
    "dists": Recipe(),
    "lpips": Recipe(),
    "pieapp": Recipe(crop=64, is_fixed=True),
    "topiq_nr": Recipe(),
    "clipiqa": Recipe(also_trained=("clip.visual.",)),
    "cnniqa": Recipe(),
    "dbcnn": Recipe(also_trained=("features1.", "features2.")),
    "hyperiqa": Recipe(is_fixed=True),
}
"""Crops and frozen parts are the networks' own; the paper names neither."""


def find_recipe(name: str) -> Recipe:
    """Return how an indicator is trained.

    Raises:
        InputError: it is not one of table 2.
    """
    if name not in RECIPES:
        raise InputError(f"{name} cannot be trained; there are {', '.join(RECIPES)}")
    return RECIPES[name]


def weights_name(name: str, backbone: str) -> str:
    """Return what the trained file is called: as the stock one, so that --weights finds it."""
    if name.startswith("topiq") and backbone != BACKBONE:
        return f"{name.replace('_', '-')}-{backbone}.pth"
    return find_indicator(name).WEIGHTS


def build_network(name: str, weights: Path | None, backbone: str) -> Any:
    """Return a network on the CPU.

    Args:
        name: the indicator.
        weights: folder of published weights to start from; None starts from random ones.
        backbone: TOPIQ's; the others have one.

    Raises:
        InputError: only TOPIQ has a choice of backbone.
        WeightsError: a file is missing or does not fit.
    """
    module: Any = find_indicator(name)
    if name.startswith("topiq"):
        return _topiq(name, weights, backbone)
    if backbone != BACKBONE:
        raise InputError(f"{name} has no choice of backbone; only TOPIQ has")
    if weights is None:
        network = module.build()
    else:
        network = module.load(find_weights(module.WEIGHTS, weights).path, "cpu").network
    for parameter, values in network.named_parameters():
        if parameter.startswith(find_recipe(name).also_trained or ("\0",)):
            values.requires_grad_(True)
    return network


def _topiq(name: str, weights: Path | None, backbone: str) -> Any:
    from pyiqa.archs.topiq_arch import CFANet

    module: Any = find_indicator(name)
    has_reference = module.DIMENSION is Dimension.FR
    if weights is not None:
        if backbone != BACKBONE:
            raise InputError(f"published weights of {name} are for {BACKBONE}, not {backbone}")
        path = find_weights(module.WEIGHTS, weights).path
        return load_topiq(path, has_reference=has_reference, device="cpu")
    return CFANet(
        semantic_model_name=backbone,
        backbone_pretrain=False,
        use_ref=has_reference,
        pretrained=False,
    )


def calibrated(name: str, network: Any) -> Any:
    """Return the network with a line behind it, from its score to the opinions' scale.

    A distance between 0 and 1 can learn to order pictures, but not to say 3.7.
    """
    import torch
    from torch import nn

    turn = getattr(find_indicator(name), "to_score", lambda value: value)

    class Calibrated(nn.Module):
        """`forward` returns `(N,)`, higher is better."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network
            self.scale = nn.Parameter(torch.ones(()))
            self.offset = nn.Parameter(torch.zeros(()))

        def forward(self, inputs: Any) -> Any:
            raw = self.network(*inputs).reshape(len(inputs[0]))
            return self.scale * turn(raw) + self.offset

    return Calibrated()


def exported(name: str, model: Any) -> dict[str, Any]:
    """Return what a trained indicator's file holds.

    TOPIQ's is of the form of the benchmark's released files: the line is put into its last layer.
    """
    state = {key: value.detach().cpu() for key, value in model.network.state_dict().items()}
    scale, offset = (float(value.detach()) for value in (model.scale, model.offset))
    if not name.startswith("topiq"):
        return {"params": state, "calibration": [scale, offset]}
    last = max(
        (key for key in state if key.startswith("score_linear.") and key.endswith(".weight")),
        key=lambda key: int(key.split(".")[1]),
    ).removesuffix(".weight")
    state[f"{last}.weight"] = scale * state[f"{last}.weight"]
    state[f"{last}.bias"] = scale * state[f"{last}.bias"] + offset
    return {"params": state}
