"""1 - LPIPS on AlexNet, at most 1; LPIPS itself is a distance (Zhang et al. 2018; P table 2)."""

from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import ALEXNET, IQA_WEIGHTS, Facts, WeightsFile
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
IMPLEMENTATION = "1 - pyiqa LPIPS 0.1, AlexNet"
WEIGHTS = "LPIPS_v0.1_alex-df73285e.pth"
FACTS = Facts(
    paper="Zhang et al., arXiv:1801.03924",
    lowest=None,
    highest=1,
    lower_is_better=True,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
            licence="BSD-2-Clause (richzhang/PerceptualSimilarity)",
        ),
        ALEXNET,
    ),
)
_SLICE_OF_LAYER = {0: 1, 3: 2, 6: 3, 8: 4, 10: 5}


def to_score(value: Any) -> Any:
    """Return the higher-is-better score of the network's answer."""
    return 1 - value


def build() -> Any:
    """Return the network with random weights."""
    arch = architecture("lpips")
    with replaced(arch, models=untrained_torchvision("alexnet")):
        return arch.LPIPS(net="alex", version="0.1", pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights and AlexNet's."""
    network = build()
    fixed = dict(network.named_buffers())

    def complete(state: State, weights: Path) -> State:
        trunk = file_beside(weights, FACTS, 1)
        layers = {
            f"net.slice{number}.{layer}.{part}": trunk[f"features.{layer}.{part}"]
            for layer, number in _SLICE_OF_LAYER.items()
            for part in ("weight", "bias")
        }
        # The network holds each head twice, by name and in a list.
        heads = {name.replace("lin", "lins.", 1): tensor for name, tensor in state.items()}
        return {**fixed, **layers, **state, **heads}

    return load_network(network, weights, FACTS, device, complete=complete, to_score=to_score)
