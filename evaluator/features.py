"""References' features on disk: content-addressed safetensors beside the cache's other entries."""

from collections.abc import Mapping
from typing import Any

from evaluator.cache import Cache, cache_key


class FeatureStore:
    """Tensors by key, in half or single precision.

    Half precision takes half the room and changes a score by about its rounding, 1e-3.
    """

    def __init__(self, cache: Cache, dtype: str) -> None:
        """Keep tensors in `cache` as `float16` or `float32`."""
        self._cache = cache
        self._dtype = dtype

    def __eq__(self, other: object) -> bool:
        """Say whether both keep the same tensors: what one has in memory holds for the other."""
        if not isinstance(other, FeatureStore):
            return NotImplemented
        return (self._cache.folder, self._dtype) == (other._cache.folder, other._dtype)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self._cache.folder, self._dtype))

    @property
    def is_half(self) -> bool:
        """Whether tensors lose precision here."""
        return self._dtype == "float16"

    def find(self, key: str) -> Mapping[str, Any] | None:
        """Return the tensors under a key in single precision; None where there are none."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load

        content = self._cache.find_bytes("features", self._key(key))
        if content is None:
            return None
        try:
            tensors = load(content)
        except SafetensorError:
            return None
        return {name: tensor.to(torch.float32) for name, tensor in tensors.items()}

    def keep(self, key: str, tensors: Mapping[str, Any]) -> None:
        """Write tensors under a key."""
        import torch
        from safetensors.torch import save

        dtype = getattr(torch, self._dtype)
        content = save({name: t.to("cpu", dtype).contiguous() for name, t in tensors.items()})
        self._cache.keep_bytes("features", self._key(key), content)

    def _key(self, key: str) -> str:
        return cache_key({"features": key, "dtype": self._dtype})
