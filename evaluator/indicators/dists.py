"""1 - DISTS, 0 to 1; DISTS itself is a distance (Ding et al. 2020; P table 2, G)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, VGG16, Facts, WeightsFile
from evaluator.indicators._networks import (
    State,
    architecture,
    file_beside,
    load_network,
    replaced,
    untrained_torchvision,
)
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "1 - pyiqa DISTS"
WEIGHTS = "DISTS_weights-f5e65c96.pth"
FACTS = Facts(
    paper="Ding et al., arXiv:2004.07728",
    lowest=0,
    highest=1,
    lower_is_better=True,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
            licence="MIT (dingkeyan93/DISTS)",
        ),
        VGG16,
    ),
)
_LAYERS = {"stage1": (0, 4), "stage2": (5, 9), "stage3": (10, 16), "stage4": (17, 23)}
_LAYERS["stage5"] = (24, 30)


def to_score(value: Any) -> Any:
    """Return the higher-is-better score of the network's answer."""
    return 1 - value


def build() -> Any:
    """Return the network with random weights."""
    arch = architecture("dists")
    with replaced(arch, models=untrained_torchvision("vgg16")):
        return arch.DISTS(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights and VGG-16's."""
    network = build()
    # Windows and ImageNet's mean are computed; the published file holds alpha and beta alone.
    fixed = dict(network.named_buffers())

    def complete(state: State, weights: Path) -> State:
        trunk = file_beside(weights, FACTS, 1)
        layers = {
            f"{stage}.{layer}.{part}": trunk[f"features.{layer}.{part}"]
            for stage, (first, end) in _LAYERS.items()
            for layer in range(first, end)
            for part in ("weight", "bias")
            if f"features.{layer}.{part}" in trunk
        }
        return {**fixed, **layers, "alpha": state["alpha"], "beta": state["beta"]}

    return load_network(network, weights, FACTS, device, complete=complete, to_score=to_score)
