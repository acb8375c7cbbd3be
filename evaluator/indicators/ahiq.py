"""AHIQ: a ViT and a ResNet compare patches, about 0 to 1 (Lao et al. 2022; P table 2)."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import (
    State,
    architecture,
    file_beside,
    load_network,
    plain_names,
    replaced,
    untrained_timm,
)
from protocol.rules import Dimension

DIMENSION = Dimension.FR
IMPLEMENTATION = "pyiqa AHIQ, PIPAL, mean of 20 crops"
WEIGHTS = "AHIQ_vit_p8_epoch33-da3ea303.pth"
_TIMM = "Apache-2.0 (timm); trained on ImageNet"
FACTS = Facts(
    paper="Lao et al., arXiv:2204.10485",
    lowest=None,
    highest=None,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="da3ea303",
            licence="MIT (IIGROUP/AHIQ)",
        ),
        WeightsFile(
            name="resnet50.a1_in1k.safetensors",
            url="https://huggingface.co/timm/resnet50.a1_in1k/resolve/main/model.safetensors",
            sha256="",
            licence=_TIMM,
        ),
        WeightsFile(
            name="vit_base_patch8_224.augreg2_in21k_ft_in1k.safetensors",
            url="https://huggingface.co/timm/vit_base_patch8_224.augreg2_in21k_ft_in1k"
            "/resolve/main/model.safetensors",
            sha256="",
            licence=_TIMM,
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights; its backbones stop where it stops looking.

    It sees the first five of the ViT's twelve blocks and the first of the ResNet's four stages.
    """
    arch = architecture("ahiq")
    with replaced(arch, timm=untrained_timm()):
        network = arch.AHIQ(pretrained=False)
    for backbone, last in ((network.vit, 4), (network.resnet50, 1)):
        backbone.forward = partial(
            backbone.forward_intermediates,
            indices=[last],
            stop_early=True,
            intermediates_only=True,
        )
    return network


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights and those of its two backbones."""
    return load_network(guarded(build()), weights, FACTS, device, complete=_complete)


def guarded(network: Any) -> Any:
    """Return the network, for one thread at a time: its hooks keep what they saw in it."""
    lock, forward = threading.Lock(), network.forward

    def forward_alone(*pictures: Any) -> Any:
        with lock:
            return forward(*pictures)

    network.forward = forward_alone
    return network


def _complete(state: State, weights: Path) -> State:
    parts = {
        "deform_net": state["deform_net_model_state_dict"],
        "regressor": state["regressor_model_state_dict"],
        "resnet50": file_beside(weights, FACTS, 1),
        "vit": file_beside(weights, FACTS, 2),
    }
    return {
        f"{part}.{name}": tensor
        for part, tensors in parts.items()
        for name, tensor in plain_names(tensors).items()
    }
