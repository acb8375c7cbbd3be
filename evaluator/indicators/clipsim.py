"""CLIPSIM: cosine of two pictures' CLIP embeddings, -1 to 1 (G appendix A: OpenCLIP ViT-B-32).

G does not say with which weights; these are the ones that OpenCLIP shows first for ViT-B-32.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.indicators import Indicator
from evaluator.indicators._facts import Facts, WeightsFile
from evaluator.indicators._networks import load_state, plain_names, read_tensors, require_weights
from protocol.errors import InputError
from protocol.rules import Dimension

if TYPE_CHECKING:
    from PIL.Image import Image

DIMENSION = Dimension.FR
IMPLEMENTATION = "cosine of open_clip ViT-B-32 embeddings, laion2b_s34b_b79k"
WEIGHTS = "CLIP-ViT-B-32-laion2B-s34B-b79K.safetensors"
FACTS = Facts(
    paper="Radford et al., arXiv:2103.00020",
    lowest=-1,
    highest=1,
    code_licence="open_clip: MIT",
    files=(
        WeightsFile(
            name=WEIGHTS,
            url="https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
            "/resolve/main/open_clip_model.safetensors",
            sha256="",
            licence="MIT",
        ),
    ),
)


class ClipSimilarity:
    """OpenCLIP's image tower with its own preprocessing."""

    def __init__(self, network: Any, preprocess: Any, device: str) -> None:
        """Keep the loaded network."""
        self._network = network
        self._preprocess = preprocess
        self._device = device

    def score(
        self, pictures: Sequence["Image"], references: Sequence["Image"] | None
    ) -> list[float]:
        """Return each pair's cosine."""
        import torch

        if references is None:
            raise InputError("CLIPSIM compares a picture with a reference, and there is none")
        scores = []
        with torch.inference_mode():
            for picture, reference in zip(pictures, references, strict=True):
                pair = torch.stack([self._preprocess(picture), self._preprocess(reference)])
                first, second = self._network.encode_image(pair.to(self._device))
                scores.append(float(torch.cosine_similarity(first, second, dim=0)))
        return scores


def build() -> tuple[Any, Any]:
    """Return the network with random weights, and its preprocessing."""
    import logging

    import open_clip

    # It warns that the weights are random, which they are until ours are loaded.
    logging.disable(logging.WARNING)
    try:
        network, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32", pretrained=None)
    finally:
        logging.disable(logging.NOTSET)
    return network, preprocess


def load(weights: Path | None, device: str) -> Indicator:
    """Return the network with its weights."""
    path = require_weights(weights, FACTS)
    network, preprocess = build()
    load_state(network, plain_names(read_tensors(path)), path)
    return ClipSimilarity(network.to(device).eval(), preprocess, device)
