"""Where models run, and in which precision."""

import sys
from typing import Any

from protocol.errors import InputError


def choose_device(name: str) -> str:
    """Return `cuda` or `cpu` for `auto`, else the name itself.

    Raises:
        InputError: the device is not here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name != "cpu" and not (name.startswith("cuda") and torch.cuda.is_available()):
        raise InputError(f"no device {name!r} here; choose cpu or auto")
    return name


def dtype_on(device: str) -> Any:
    """Return half precision on a GPU, as the benchmark's scripts use, and single on a CPU."""
    import torch

    return torch.float32 if device == "cpu" else torch.float16


def describe_device(device: str) -> str:
    """Return a device's name for the record of a run."""
    import platform

    import torch

    if device == "cpu":
        return f"cpu ({platform.machine()}, {torch.get_num_threads()} threads)"
    return str(torch.cuda.get_device_name(device))


_PEAK_TFLOPS = {
    # Dense bf16 without sparsity, from NVIDIA's data sheets; the first that fits the name counts.
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100": 989.0,
    "B200": 2250.0,
    "A100": 312.0,
    "L40S": 362.0,
    "L4": 121.0,
    "A10G": 70.0,
    "RTX 4090": 165.0,
    "T4": 65.0,
}


def peak_flops(name: str) -> float | None:
    """Return a GPU's dense bf16 peak (T4: fp16) in operations a second; None where not known."""
    for part, tera in _PEAK_TFLOPS.items():
        if part in name:
            return tera * 1e12
    return None


def loaded_cuda() -> Any:
    """Return `torch.cuda` where torch was imported and sees a GPU; None elsewhere."""
    torch = sys.modules.get("torch")
    # Another thread may be importing torch at this moment: the module is then half there.
    if torch is None or getattr(torch.__spec__, "_initializing", False):
        return None
    return torch.cuda if torch.cuda.is_available() else None
