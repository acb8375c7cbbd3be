"""Where models run, and in which precision."""

import sys
from typing import Any

from protocol.errors import InputError, ModelError
from protocol.gpus import find_gpu

DTYPES = ("float16", "bfloat16", "float32")


def choose_device(name: str) -> str:
    """Return `cuda` or `cpu` for `auto`, else the name itself.

    Raises:
        InputError: the device is not here.
    """
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if gpus else "cpu"
    names = ["cpu", *(["cuda"] if gpus else []), *(f"cuda:{number}" for number in range(gpus))]
    if name not in names:
        raise InputError(f"no device {name!r} here; choose auto or one of {', '.join(names)}")
    return name


def dtype_on(device: str) -> Any:
    """Return half precision on a GPU, as the benchmark's scripts use, and single on a CPU."""
    import torch

    return torch.float32 if device == "cpu" else torch.float16


def choose_dtype(name: str, device: str) -> Any:
    """Return the torch dtype of this name; an empty one is the device's usual.

    Raises:
        ModelError: it is no floating-point type that models run in.
    """
    import torch

    if not name:
        return dtype_on(device)
    if name not in DTYPES:
        raise ModelError(f"dtype={name}: wanted one of {', '.join(DTYPES)}")
    return getattr(torch, name)


def describe_device(device: str) -> str:
    """Return a device's name for the record of a run."""
    import platform

    import torch

    if device == "cpu":
        return f"cpu ({platform.machine()}, {torch.get_num_threads()} threads)"
    return str(torch.cuda.get_device_name(device))


def peak_flops(name: str) -> float | None:
    """Return a GPU's dense bf16 peak (T4: fp16) in operations a second; None where not known."""
    gpu = find_gpu(name)
    return None if gpu is None else gpu.tera_operations * 1e12


def loaded_cuda() -> Any:
    """Return `torch.cuda` where torch was imported and sees a GPU; None elsewhere."""
    torch = sys.modules.get("torch")
    # Another thread may be importing torch at this moment: the module is then half there.
    if torch is None or getattr(torch.__spec__, "_initializing", False):
        return None
    return torch.cuda if torch.cuda.is_available() else None
