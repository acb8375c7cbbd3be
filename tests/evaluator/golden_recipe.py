"""Weights by a key's name, as /shared/golden makes them: any layout can be filled."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file


def make_weights(
    layout: Mapping[str, Sequence[int]], part: str, seed: int
) -> dict[str, torch.Tensor]:
    return {key: _weight(key, tuple(shape), part, seed) for key, shape in layout.items()}


def _weight(key: str, shape: tuple[int, ...], part: str, seed: int) -> torch.Tensor:
    digest = hashlib.sha256(f"{seed}:{part}:{key}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    drawn = torch.randn(shape, generator=generator)
    if len(shape) > 1:
        return drawn / math.sqrt(math.prod(shape[1:]))
    return 0.05 * drawn + (1 if key.endswith("weight") else 0)


class Golden:
    """One system's file of settings, layouts, inputs and outputs.

    Tensors are double: the stored values are single precision answers of values up to about 12,
    so another machine's single precision differs from them by 1e-5, and the exact answer by less.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.settings: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        self.values = {
            key: value.double() if value.is_floating_point() else value
            for key, value in load_file(folder / f"{name}.safetensors").items()
        }

    def weights(self, part: str) -> dict[str, torch.Tensor]:
        return make_weights(self.settings["layouts"][part], part, self.settings["seed"])
