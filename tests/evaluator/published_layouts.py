"""Networks' tensors as files in the layouts that their authors publish."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def keep(folder: Path, name: str, tensors: Mapping[str, Any]) -> Path:
    """Write a weights file and its line among the sums."""
    import torch
    from safetensors.torch import save_file

    path = folder / name
    if path.suffix == ".safetensors":
        save_file(dict(tensors), path)
    else:
        torch.save(dict(tensors), path)
    with (folder / "sha256sums.txt").open("a") as sums:
        sums.write(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return path


def part(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Return the tensors below a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor.clone()
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


def publish_ahiq(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    heads = {
        "deform_net_model_state_dict": part(state, "deform_net."),
        "regressor_model_state_dict": part(state, "regressor."),
        "epoch": 33,
    }
    keep(folder, files[0], heads)
    keep(folder, files[1], part(state, "resnet50."))
    keep(folder, files[2], part(state, "vit."))


def publish_trunk(state: Mapping[str, Any], folder: Path, file: str, prefix: str) -> None:
    """Write a backbone as torchvision does: `features.N`, with layers that nobody asks for."""
    trunk = {
        f"features.{name.split('.', 1)[1]}": tensor for name, tensor in part(state, prefix).items()
    }
    keep(folder, file, {**trunk, "classifier.0.bias": trunk["features.0.bias"]})


def publish_lpips(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    keep(folder, files[0], {name: state[name] for name in state if name.startswith("lin0")})
    heads = {name: state[name] for name in state if name[:3] == "lin" and name[3].isdigit()}
    (folder / "sha256sums.txt").unlink()
    keep(folder, files[0], heads)
    publish_trunk(state, folder, files[1], "net.slice")


def publish_dists(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    keep(folder, files[0], {name: state[name] for name in ("alpha", "beta")})
    publish_trunk(state, folder, files[1], "stage")


def publish_clipiqa(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    import torch

    keep(folder, files[0], {**part(state, "clip."), "context_length": torch.tensor(77)})


def publish_params(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    keep(folder, files[0], {"params": dict(state)})


def publish_plain(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    keep(folder, files[0], {f"module.{name}": tensor for name, tensor in state.items()})


def publish_state(state: Mapping[str, Any], folder: Path, files: list[str]) -> None:
    keep(folder, files[0], state)


PUBLISH: Mapping[str, Callable[[Mapping[str, Any], Path, list[str]], None]] = {
    "ahiq": publish_ahiq,
    "lpips": publish_lpips,
    "dists": publish_dists,
    "clipiqa": publish_clipiqa,
    "cnniqa": publish_params,
    "dbcnn": publish_params,
    "hyperiqa": publish_params,
    "liqe": publish_params,
    "musiq": publish_plain,
    "pieapp": publish_plain,
    "clipsim": publish_state,
}
