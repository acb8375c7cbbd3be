"""Weight files of a system: found in its folder or repository, and read without unpickling code."""

import re
from pathlib import Path
from typing import Any

from protocol.errors import ModelError
from protocol.records import System
from submission.hub_errors import hub_errors

SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin")
_ELSEWHERE = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40}):(?P<name>.+)")


def find_weight_file(system: System, name: str) -> Path:
    """Return a system's weight file.

    Args:
        system: a file, a folder or a Hub id at its pinned commit.
        name: the file's name in the folder or repository, or `owner/name@COMMIT:file` for one in
            another Hub repository; empty where the system is that one file or its folder holds one.

    Raises:
        ModelError: there is none, there are several and no name, or the Hub does not give it.
    """
    if elsewhere := _ELSEWHERE.fullmatch(name):
        return _fetch(elsewhere["repo"], elsewhere["name"], elsewhere["commit"])
    if not system.path:
        if not name:
            raise ModelError(f"{system.model} is a Hub id; name its weight file with ?file=NAME")
        return _fetch(system.model, name, system.revision)
    path = Path(system.path)
    if path.is_file():
        if name and name != path.name:
            raise ModelError(f"{path} is a file itself; there is no {name} in it")
        return path
    return _in_folder(path, name)


def read_tensors(path: Path) -> dict[str, Any]:
    """Return what a weight file holds; of a pickle nothing but tensors and plain containers.

    Raises:
        ModelError: the file has an unknown suffix, is damaged, or would run code when unpickled.
    """
    import torch
    from safetensors.torch import load_file

    if path.suffix not in SUFFIXES:
        raise ModelError(f"{path.name} is no weight file; wanted {', '.join(SUFFIXES)}")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        held = torch.load(path, map_location="cpu", weights_only=True)
    # torch and safetensors raise whatever a damaged file makes them raise.
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{path.name} is no plain file of tensors: {reason}") from error
    if not isinstance(held, dict):
        raise ModelError(f"{path.name} holds a {type(held).__name__}; wanted tensors by name")
    return held


def _in_folder(folder: Path, name: str) -> Path:
    if name:
        path = (folder / name).resolve()
        # What lies outside the folder is not in the hash that pins the system.
        if not path.is_file() or not path.is_relative_to(folder.resolve()):
            raise ModelError(f"{folder} holds no {name}; copy the file there, it is pinned with it")
        return path
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    if len(files) != 1:
        found = ", ".join(path.name for path in files) or "none"
        raise ModelError(f"{folder}: wanted one weight file, found {found}; choose with ?file=NAME")
    return files[0]


def _fetch(repo: str, name: str, commit: str) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(repo, name, revision=commit))
    except hub_errors(ValueError) as error:
        raise ModelError(
            f"{name} of {repo}@{commit[:12]} cannot be fetched ({type(error).__name__}); check the "
            "name and the network, or give a folder"
        ) from error
