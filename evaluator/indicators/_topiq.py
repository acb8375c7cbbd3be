"""TOPIQ with each reference's features computed once.

pyiqa's network asks its backbone for the features of the picture and then of the reference. Here
the backbone runs apart, once for a picture and with its normalisations folded, and the network is
handed what came out; everything after the backbone is pyiqa's own code on its own weights.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evaluator.convolutions import fold_batch_norms, keep_laid_out_weights
from evaluator.indicators import Features
from evaluator.indicators._pyiqa import require_same_size, to_tensor

if TYPE_CHECKING:
    from PIL.Image import Image

_MEMORY_BYTES = 1 << 30
"""For references' features; a reference of 512x512 has 48 MB, one of 1024x1024 193 MB."""


class Topiq:
    """One of the two networks on one device."""

    def __init__(self, network: Any, device: str, *, has_reference: bool) -> None:
        """Take the backbone out of the network.

        Args:
            network: pyiqa's CFANet, in evaluation mode on its device.
            device: `cpu` or `cuda`.
            has_reference: whether it compares.
        """
        import torch

        self._device = device
        self._has_reference = has_reference
        with torch.no_grad():
            fold_batch_norms(network.semantic_model)
        if device == "cpu":
            keep_laid_out_weights(network)
        # Convolutions of one picture on a CPU, and all in half precision on a GPU, are faster so.
        network = network.to(memory_format=torch.channels_last)
        self._backbone = network.semantic_model
        self._hand = _hand_over()
        network.semantic_model = self._hand
        self._network = network
        self._memory: OrderedDict[str, list[Any]] = OrderedDict()
        self._remembering = threading.Lock()
        self._store: Features | None = None
        self._weights = ""

    def keep_features(self, store: Features | None, weights_sha256: str) -> None:
        """Look in `store` for references' features from now on, and keep what is not there."""
        if store != self._store:
            # Another store may have another precision.
            with self._remembering:
                self._memory.clear()
        self._store = store
        self._weights = weights_sha256

    def score(
        self, pictures: "Sequence[Image]", references: "Sequence[Image] | None"
    ) -> list[float]:
        """Return one score a picture: together on a GPU, one by one on a CPU.

        A batch would gain a CPU little, and its pictures would move each other's last digits.
        """
        import torch

        size = 1 if self._device == "cpu" else max(1, len(pictures))
        scores: list[float] = []
        with torch.inference_mode():
            for start in range(0, len(pictures), size):
                part = slice(start, start + size)
                truths = None if references is None else references[part]
                scores += self._score(pictures[part], truths)
        return scores

    def _score(
        self, pictures: "Sequence[Image]", references: "Sequence[Image] | None"
    ) -> list[float]:
        import torch

        batch = torch.cat([to_tensor(picture, self._device) for picture in pictures])
        given = [self._features(batch)]
        if references is not None:
            for picture, reference in zip(pictures, references, strict=True):
                require_same_size(picture, reference)
            given.append(_stack(self._of_references(references)))
        self._hand.given.features = given
        answers = self._network(batch, batch if references is not None else None)
        return [float(answer) for answer in answers.flatten()]

    def _features(self, batch: Any) -> list[Any]:
        import torch

        values = self._network.preprocess(batch).to(memory_format=torch.channels_last)
        return list(self._backbone(values))

    def _of_references(self, references: "Sequence[Image]") -> list[list[Any]]:
        """Return the features of each; those that are not known yet go through together."""
        import torch

        keys = [
            hashlib.sha256(reference.tobytes() + repr(reference.size).encode()).hexdigest()
            for reference in references
        ]
        unique = dict(zip(keys, references, strict=True))
        known: dict[str, list[Any]] = {}
        for key in unique:
            features = self._recall(key) or self._from_store(key)
            if features is not None:
                known[key] = features
        missing = [key for key in unique if key not in known]
        if missing:
            batch = torch.cat([to_tensor(unique[key], self._device) for key in missing])
            for key, made in zip(missing, _apart(self._features(batch)), strict=True):
                known[key] = self._keep(key, made)
        for key, features in known.items():
            self._remember(key, features)
        return [known[key] for key in keys]

    def _recall(self, key: str) -> list[Any] | None:
        with self._remembering:
            if key in self._memory:
                self._memory.move_to_end(key)
            return self._memory.get(key)

    def _keep(self, key: str, features: list[Any]) -> list[Any]:
        """Put features into the store, and return what is used."""
        if self._store is None:
            return features
        named = {str(level): values for level, values in enumerate(features)}
        self._store.keep(self._weights + key, named)
        # What is read later is what is used now: the same scores, cold or warm.
        return self._from_store(key) or features

    def _from_store(self, key: str) -> list[Any] | None:
        import torch

        found: Mapping[str, Any] | None = None
        if self._store is not None:
            found = self._store.find(self._weights + key)
        if found is None:
            return None
        levels = [found[str(level)] for level in range(len(found))]
        return [v.to(self._device, memory_format=torch.channels_last) for v in levels]

    def _remember(self, key: str, features: list[Any]) -> None:
        with self._remembering:
            self._memory[key] = features
            held = sum(_bytes_of(kept) for kept in self._memory.values())
            while held > _MEMORY_BYTES and len(self._memory) > 1:
                _, dropped = self._memory.popitem(last=False)
                held -= _bytes_of(dropped)


def _hand_over() -> Any:
    """Return a module in the backbone's place, which answers with what its thread was given."""
    from torch import nn

    class HandOver(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.given = threading.local()

        def forward(self, values: Any) -> Any:
            del values
            return self.given.features.pop(0)

    return HandOver()


def _stack(features: Sequence[list[Any]]) -> list[Any]:
    import torch

    if len(features) == 1:
        return features[0]
    return [torch.cat(level) for level in zip(*features, strict=True)]


def _apart(features: list[Any]) -> list[list[Any]]:
    """Return the features of each picture of a batch, which hold no other's memory."""
    import torch

    if len(features[0]) == 1:
        return [features]
    return [
        [level[at : at + 1].clone(memory_format=torch.channels_last) for level in features]
        for at in range(len(features[0]))
    ]


def _bytes_of(features: Sequence[Any]) -> int:
    return sum(values.numel() * values.element_size() for values in features)
