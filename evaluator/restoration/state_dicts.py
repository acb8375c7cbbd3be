"""Checkpoint files to networks: every tensor of a file is used or is named as left out."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from protocol.errors import ModelError
from protocol.records import System
from submission.hub_errors import hub_errors

if TYPE_CHECKING:
    from torch import Tensor

_SHOWN = 6
"""Keys that a message lists at most."""


def model_folder(system: System) -> Path:
    """Return the folder of a model: the one on this machine, or a Hub repository at its commit.

    Raises:
        ModelError: the repository cannot be fetched.
    """
    if system.path:
        return Path(system.path)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(system.model, revision=system.revision))
    except hub_errors(ValueError) as error:
        raise ModelError(
            f"{system.label} cannot be fetched from the Hub ({type(error).__name__}); "
            "check the network, or give a folder"
        ) from error


def find_inside(folder: Path, name: str, wanted: str) -> Path:
    """Return a file or folder of a model, by its path inside the model's folder.

    What lies elsewhere is refused: the hash that pins the model would not cover it.

    Args:
        folder: the model's folder.
        name: relative path.
        wanted: what should be there, for the message.

    Raises:
        ModelError: there is no such thing inside the folder.
    """
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or not path.exists():
        found = ", ".join(sorted(entry.name for entry in folder.iterdir())[:12]) or "nothing"
        raise ModelError(f"{folder} has no {name} inside it; wanted {wanted}; it holds {found}")
    return path


def read_state_dict(path: Path) -> "dict[str, Tensor]":
    """Return the tensors of a checkpoint file, or of the one weights file in a folder.

    `.safetensors` is read as such; any other file is unpickled with tensors and plain containers
    allowed and nothing else. A `state_dict` inside is unwrapped.

    Raises:
        ModelError: there is no such file, or it holds something else.
    """
    if path.is_dir():
        path = _weights_in(path)
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        return _unpickle(path)
    except ModelError:
        raise
    # torch and safetensors raise whatever a damaged file makes them raise.
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ModelError(
            f"{path} is no checkpoint of tensors only ({reason}); save its tensors as .safetensors"
        ) from error


def build_filled(build: Callable[[], Any], state: "Mapping[str, Tensor]", name: str) -> Any:
    """Return the network that `build` makes, holding exactly the tensors of `state`.

    Args:
        build: makes the network; its own first weights are never allocated.
        state: tensors by the network's own keys.
        name: what the network is called in messages.

    Raises:
        ModelError: a tensor is missing, is left over or has another shape.
    """
    import torch

    with torch.device("meta"):
        network = build()
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    problems = {
        "missing": wanted.keys() - found.keys(),
        "not used": found.keys() - wanted.keys(),
        "of another shape": {k for k in wanted.keys() & found.keys() if wanted[k] != found[k]},
    }
    if any(problems.values()):
        told = "; ".join(f"{what}: {list_keys(keys)}" for what, keys in problems.items() if keys)
        raise ModelError(f"the checkpoint is not one of this {name}: {told}")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def list_keys(keys: Iterable[str]) -> str:
    """Return the first few keys, and how many more there are."""
    ordered = sorted(keys)
    more = len(ordered) - _SHOWN
    return ", ".join(ordered[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _weights_in(folder: Path) -> Path:
    for pattern in ("*.safetensors", "*.bin"):
        paths = sorted(folder.glob(pattern))
        if len(paths) == 1:
            return paths[0]
    found = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
    raise ModelError(f"{folder}: wanted one .safetensors or .bin file; it holds {found}")


def _unpickle(path: Path) -> "dict[str, Tensor]":
    import torch

    content = torch.load(path, map_location="cpu", weights_only=True)
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise ModelError(f"{path} holds no dictionary of tensors")
    return dict(state)
