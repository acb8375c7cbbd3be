"""Single-image restoration networks behind one call; the only file that imports spandrel."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.operations import watch
from evaluator.restoration.tensors import resize
from evaluator.restoration.weight_files import read_tensors
from protocol.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601, of R, G and B: the grey that grey-scale networks are trained on."""


# An architecture is read off shapes and keys; one that is almost right fails in any of these ways.
_REFUSALS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Network:
    """One network on one device, in single precision."""

    def __init__(self, descriptor: Any, device: str, *, per_channel: bool) -> None:
        """Keep spandrel's descriptor; `per_channel` is for networks of one channel."""
        self._descriptor = descriptor
        self._device = device
        self._per_channel = per_channel

    def restore(self, pictures: "Tensor") -> "Tensor":
        """Return the restored pictures, of the same size, not clamped.

        A network that enlarges is asked for the enlarged picture, which is then shrunk.

        Args:
            pictures: `(N, 3, H, W)` in [0, 1].
        """
        import torch

        outputs = [self._restore_one(picture.unsqueeze(0)) for picture in pictures]
        return torch.cat(outputs).to(pictures)

    def _restore_one(self, picture: "Tensor") -> "Tensor":
        picture = picture.to(self._device).float()
        if self._descriptor.input_channels == 3:
            return self._run(picture)
        if self._per_channel:
            return self._run(picture.transpose(0, 1)).transpose(0, 1)
        luma = (picture * picture.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        # Adding the same to R, G and B changes luma by it and leaves both chroma as they are.
        return picture + self._run(luma) - luma

    def _run(self, planes: "Tensor") -> "Tensor":
        """Run the network on `(M, C, H, W)`; spandrel pads to the sizes that it can do."""
        import torch

        height, width = planes.shape[-2:]
        outputs = [self._descriptor(plane.unsqueeze(0)) for plane in planes]
        return torch.cat([resize(output, height, width) for output in outputs])


def load_network(path: Path, device: str, *, per_channel: bool = True) -> Network:
    """Return the network of a weight file, whose architecture spandrel finds by its keys.

    Raises:
        ModelError: no architecture has these keys, or it restores no whole RGB or grey picture.
    """
    import warnings

    from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError

    tensors = read_tensors(path)
    try:
        with warnings.catch_warnings():
            # Of torch, about how SwinIR in spandrel calls meshgrid.
            warnings.simplefilter("ignore", UserWarning)
            descriptor = ModelLoader("cpu").load_from_state_dict(tensors)
    except UnsupportedModelError as error:
        raise ModelError(f"spandrel knows no network with the keys of {path.name}") from error
    except _REFUSALS as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"spandrel cannot load {path.name}: {reason}") from error
    name, channels = descriptor.architecture.name, descriptor.input_channels
    if not isinstance(descriptor, ImageModelDescriptor) or descriptor.purpose == "FaceSR":
        raise ModelError(f"{path.name} is {name}, for {descriptor.purpose}: no whole pictures")
    if channels not in (1, 3) or descriptor.output_channels != channels:
        raise ModelError(
            f"{path.name} is {name} from {channels} to {descriptor.output_channels} channels; "
            "wanted 3 or 1 on both sides"
        )
    watch(descriptor.model)
    return Network(descriptor.to(device).eval(), device, per_channel=per_channel)
