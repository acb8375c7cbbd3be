"""LIQE: the quality word that fits best, 1 to 5 (Zhang et al. 2023; P figures 7, A4 to A7)."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import architecture, load_network, replaced, untrained_clip
from protocol.rules import Dimension

DIMENSION = Dimension.NR
IMPLEMENTATION = "pyiqa LIQE, KonIQ-10k, 15 patches"
WEIGHTS = "liqe_koniq.pt"
FACTS = Facts(
    paper="Zhang et al., arXiv:2303.14968",
    lowest=1,
    highest=5,
    smallest_side=224,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="",
            licence="MIT (zwx8981/LIQE)",
        ),
    ),
)


def build() -> Any:
    """Return the network with random weights.

    pyiqa keeps the prompts' embeddings in a file of the user's cache, whatever weights they came
    from; a folder that is thrown away takes its place.
    """
    arch = architecture("liqe")
    with (
        TemporaryDirectory() as folder,
        redirect_stdout(io.StringIO()),
        replaced(arch, load=lambda *_: untrained_clip("ViT-B/32"), DEFAULT_CACHE_DIR=folder),
    ):
        return arch.LIQE(pretrained=False)


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights, and the prompts as these embed them."""
    import torch

    network = build()
    indicator = load_network(network, weights, FACTS, device)
    with torch.inference_mode():
        network.text_features = network.get_text_features(network.joint_texts.to(device))
    return indicator
