"""GPUs that users have: how much they compute and how fast their memory is."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind, from NVIDIA's data sheet."""

    label: str
    """Stands in the name that the driver gives."""
    tera_operations: float
    """10^12 dense bf16 operations a second, without sparsity; a T4's are fp16."""
    giga_bytes: float
    """10^9 bytes of memory a second."""


GPUS: Mapping[str, Gpu] = {
    "t4": Gpu("T4", 65, 320),
    "l4": Gpu("L4", 121, 300),
    "a10g": Gpu("A10G", 70, 600),
    "rtx-4090": Gpu("RTX 4090", 165, 1008),
    "l40s": Gpu("L40S", 362, 864),
    "a100": Gpu("A100", 312, 2039),
    "h100-pcie": Gpu("H100 PCIe", 756, 2000),
    "h100": Gpu("H100", 989, 3350),
    "h200": Gpu("H200", 989, 4800),
    "b200": Gpu("B200", 2250, 8000),
}


def find_gpu(name: str) -> Gpu | None:
    """Return the GPU of a driver's name, the longest label that stands in it; None: not known."""
    fitting = [gpu for gpu in GPUS.values() if gpu.label in name]
    return max(fitting, key=lambda gpu: len(gpu.label), default=None)
