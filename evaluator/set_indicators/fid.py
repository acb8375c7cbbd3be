"""Minus FID, at most 0: distance of two sets' Inception features (Heusel et al. 2017; P figure 7).

FID = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) over means and covariances of the 2048 features.
With C = A'A for centred features A, tr (C1 C2)^(1/2) is the sum of the singular values of A1 A2':
exact also for fewer pictures than features, where the root of C1 C2 is ill-conditioned. FID depends
on the number of pictures; only values over the same number can be compared.
"""

import warnings
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.indicators._facts import IQA_WEIGHTS, Facts, WeightsFile
from evaluator.indicators._networks import (
    load_state,
    plain_names,
    read_tensors,
    replaced,
    require_weights,
)
from evaluator.set_indicators import SetIndicator
from protocol.errors import PictureError
from protocol.rules import Dimension

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

DIMENSION = Dimension.NR
IMPLEMENTATION = "- FID of pyiqa's InceptionV3, pictures resized as in clean-fid"
WEIGHTS = "pt_inception-2015-12-05-6726825d.pth"
FACTS = Facts(
    paper="Heusel et al., arXiv:1706.08500; Parmar et al., arXiv:2104.11222 (resizing)",
    lowest=None,
    highest=0,
    lower_is_better=True,
    files=(
        WeightsFile(
            name=WEIGHTS,
            url=f"{IQA_WEIGHTS}/{WEIGHTS}",
            sha256="6726825d",
            licence="Apache-2.0 (TensorFlow's Inception, as mseitzer/pytorch-fid converted it)",
        ),
    ),
)
_SIDE = 299


class Fid:
    """Inception with its pool features."""

    def __init__(self, network: Any, device: str) -> None:
        """Keep the loaded network."""
        self._network = network
        self._device = device

    def score(self, pictures: Iterable["Image"], references: Iterable["Image"]) -> float:
        """Return minus the distance of two sets."""
        return -frechet_distance(self.features(pictures), self.features(references))

    def features(self, pictures: Iterable["Image"]) -> "NDArray[np.float64]":
        """Return `(pictures, 2048)`."""
        import numpy as np
        import torch

        rows = []
        with torch.inference_mode():
            for picture in pictures:
                values = torch.from_numpy(_resized(picture)).unsqueeze(0).to(self._device)
                (features,) = self._network((values - 128) / 128, False, False)
                rows.append(features.reshape(-1).double().cpu().numpy())
        if len(rows) < 2:
            raise PictureError(f"{len(rows)} pictures; a set needs two at least")
        return np.stack(rows)


def frechet_distance(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> float:
    """Return the Fréchet distance of the normal distributions with two samples' moments.

    Args:
        first: `(pictures, features)`.
        second: the same number of features.
    """
    import numpy as np

    gap = first.mean(axis=0) - second.mean(axis=0)
    one, two = ((x - x.mean(axis=0)) / np.sqrt(len(x) - 1) for x in (first, second))
    shared = np.linalg.svd(one @ two.T, compute_uv=False).sum()
    return float(gap @ gap + (one**2).sum() + (two**2).sum() - 2 * shared)


def load(weights: Path | None, device: str) -> SetIndicator:
    """Return the network with its weights."""
    path = require_weights(weights, FACTS)
    state = plain_names(read_tensors(path))
    arch = import_module("pyiqa.archs.inception")
    # pyiqa takes the loaded network apart into blocks as it builds it.
    with (
        replaced(arch, load_pretrained_network=lambda net, _: load_state(net, state, path)),
        warnings.catch_warnings(),
    ):
        # torchvision's to pyiqa, about a parameter's new name.
        warnings.simplefilter("ignore", UserWarning)
        network = arch.InceptionV3(output_blocks=[3])
    return Fid(network.to(device).eval(), device)


def _resized(picture: "Image") -> Any:
    """Return `(3, 299, 299)` float32, 0 to 255, each channel resized without rounding."""
    import numpy as np
    from PIL import Image

    channels = [
        np.asarray(
            Image.fromarray(np.asarray(channel, dtype=np.float32)).resize(
                (_SIDE, _SIDE), Image.Resampling.BICUBIC
            )
        ).clip(0, 255)
        for channel in picture.split()
    ]
    return np.stack(channels)
