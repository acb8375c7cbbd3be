"""pyiqa's networks and formulas behind the one `score` call; the only file that imports it."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.errors import PictureError, WeightsError

if TYPE_CHECKING:
    from PIL.Image import Image


class PyiqaIndicator:
    """One network or formula on one device."""

    def __init__(
        self, network: Any, device: str, to_score: Callable[[float], float] = lambda x: x
    ) -> None:
        """Keep the network; `to_score` turns its answer into a higher-is-better score."""
        self._network = network
        self._device = device
        self._to_score = to_score

    def score(
        self, pictures: Sequence["Image"], references: Sequence["Image"] | None
    ) -> list[float]:
        """Score picture by picture, as pyiqa's own command does."""
        import torch

        scores = []
        with torch.inference_mode():
            for position, picture in enumerate(pictures):
                inputs = [to_tensor(picture, self._device)]
                if references is not None:
                    require_same_size(picture, references[position])
                    inputs.append(to_tensor(references[position], self._device))
                scores.append(self._to_score(float(self._network(*inputs))))
        return scores


def load_formula(name: str, architecture: str, device: str) -> Any:
    """Return one of pyiqa's metrics that need no weights.

    The file that holds it, `archs/<architecture>_arch.py`, is imported first: where pyiqa cannot
    guess that name it imports all its files, which takes ten seconds and, with Q-Align's, replaces
    the layers of every Llama that transformers loads in this process afterwards.
    """
    import pyiqa

    import_module(f"pyiqa.archs.{architecture}_arch")
    return pyiqa.create_metric(name, device=device)


def load_piqe() -> Any:
    """Return pyiqa's PIQE as a function of a picture.

    Its module keeps its answer in itself before it returns it: of two threads one could get the
    other's.
    """
    formula = import_module("pyiqa.archs.piqe_arch").piqe
    return lambda picture: formula(picture)[0]


def load_ssim(name: str, device: str) -> Any:
    """Return pyiqa's `ssim` or `ms_ssim` with its window applied along rows and then columns.

    In double precision torch convolves on a CPU by writing down all 121 neighbours of each pixel:
    a gigabyte for 1024x1024, five times a scale, and most of the time goes into finding the memory.
    pyiqa's own function stays replaced; what it answers differs by less than 1e-9.
    """
    metric = load_formula(name, "ssim", device)
    import_module("pyiqa.archs.ssim_arch").__dict__["filter2"] = filter_by_rows_and_columns
    return metric


def filter_by_rows_and_columns(pictures: Any, window: Any, shape: str = "valid") -> Any:
    """Correlate with a window that is the product of a row and a column, as a Gaussian is.

    Args:
        pictures: `(N, C, H, W)`.
        window: `(C, 1, h, w)`, the same for all channels.
        shape: only `valid`: `(N, C, H - h + 1, W - w + 1)` is returned.
    """
    if shape != "valid":
        raise ValueError(f"shape {shape!r}; only 'valid' is computed here")
    plane = window[0, 0]
    for axis, weights in ((3, plane.sum(0)), (2, plane.sum(1) / plane.sum())):
        kept = pictures.shape[axis] - len(weights) + 1
        first, *others = weights.tolist()
        summed = pictures.narrow(axis, 0, kept) * first
        for start, weight in enumerate(others, 1):
            summed.add_(pictures.narrow(axis, start, kept), alpha=weight)
        pictures = summed
    return pictures


def load_topiq(weights: Path | None, *, has_reference: bool, device: str) -> Any:
    """Return TOPIQ (pyiqa's CFANet on ResNet-50) with the benchmark's weights.

    pyiqa's own loader would fetch a backbone first and unpickle without `weights_only`.

    Raises:
        WeightsError: no weights are given, the file is no plain state dict, or a tensor that the
            network needs is missing or of another shape.
    """
    import torch
    from pyiqa.archs.topiq_arch import CFANet

    if weights is None:
        raise WeightsError("TOPIQ needs the benchmark's weights; give their folder with --weights")
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    # torch raises whatever a damaged file makes it raise.
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:150]
        raise WeightsError(f"{weights} is no plain file of tensors: {reason}") from error
    if not isinstance(state, Mapping):
        raise WeightsError(f"{weights} holds a {type(state).__name__}; wanted tensors by name")
    state = {
        name.removeprefix("module."): tensor for name, tensor in state.get("params", state).items()
    }
    network = CFANet(
        semantic_model_name="resnet50",
        backbone_pretrain=False,
        use_ref=has_reference,
        pretrained=False,
    )
    try:
        missing, _ = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{weights} does not fit TOPIQ: {str(error)[:300]}") from error
    if missing:
        raise WeightsError(f"{weights} lacks {len(missing)} tensors of TOPIQ, first {missing[0]}")
    return network.to(device).eval()


def to_tensor(picture: "Image", device: str) -> Any:
    """Return `(1, 3, H, W)` float32 in [0, 1]."""
    import numpy as np
    import torch

    # As bytes to the device, which are a quarter of what floats would be.
    values = torch.from_numpy(np.asarray(picture, dtype=np.uint8).copy()).to(device)
    return values.permute(2, 0, 1).unsqueeze(0).to(torch.float32) / 255


def require_same_size(picture: "Image", reference: "Image") -> None:
    """Refuse a pair that cannot be compared.

    Raises:
        PictureError: the sizes differ.
    """
    if picture.size != reference.size:
        raise PictureError(
            f"a picture of {picture.width}x{picture.height} cannot be compared with a reference of "
            f"{reference.width}x{reference.height}"
        )
