"""Golden values of original implementations: weights by the recipe, inputs and outputs."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file


@dataclass(frozen=True)
class Golden:
    config: dict[str, Any]
    values: dict[str, torch.Tensor]
    scale: float
    seed: int
    layouts: dict[str, dict[str, list[int]]]

    def weights(self, part: str) -> dict[str, torch.Tensor]:
        """Return a part's weights, each made from its own key."""
        return {key: self._weight(part, key, shape) for key, shape in self.layouts[part].items()}

    def _weight(self, part: str, key: str, shape: list[int]) -> torch.Tensor:
        digest = hashlib.sha256(f"{self.seed}:{part}:{key}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
        drawn = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            return drawn / math.sqrt(math.prod(shape[1:]))
        return 1 + 0.05 * drawn if key.endswith("weight") else 0.05 * drawn


def read_golden(folder: Path, name: str) -> Golden:
    recipe = json.loads((folder / f"{name}.json").read_text())
    return Golden(
        config=recipe["config"],
        values=load_file(folder / f"{name}.safetensors"),
        scale=recipe.get("conditioning_scale", 1.0),
        seed=recipe["seed"],
        layouts=recipe["layouts"],
    )
