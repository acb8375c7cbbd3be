"""Networks of pyiqa with weights from files: no download, no pickle, every tensor accounted for."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from evaluator.indicators._facts import Facts, require_side
from evaluator.indicators._pyiqa import PyiqaIndicator
from evaluator.weights import find_weights
from protocol.errors import WeightsError
from protocol.files import sha256_of_file

if TYPE_CHECKING:
    from PIL.Image import Image

State = dict[str, Any]
"""Tensors by name."""

PUBLISHED_ARCHIVES = {"afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"}
"""sha256 of OpenAI's RN50.pt, which is TorchScript: the address it is published at holds it."""


class SizedIndicator(PyiqaIndicator):
    """A network that cannot look at pictures below a size."""

    def __init__(
        self,
        network: Any,
        device: str,
        to_score: Callable[[float], float],
        *,
        smallest_side: int,
    ) -> None:
        """Keep the size beside the network."""
        super().__init__(network, device, to_score)
        self.network = network
        self._smallest_side = smallest_side

    def score(
        self, pictures: Sequence["Image"], references: Sequence["Image"] | None
    ) -> list[float]:
        """Score picture by picture.

        Raises:
            PictureError: a side is too short.
        """
        for picture in pictures:
            require_side(picture.size, self._smallest_side, "this indicator")
        return super().score(pictures, references)


def architecture(name: str) -> Any:
    """Return pyiqa's file `archs/<name>_arch.py`, imported alone."""
    with _packaging_for_clip():
        return import_module(f"pyiqa.archs.{name}_arch")


@contextmanager
def _packaging_for_clip() -> Iterator[None]:
    """Let OpenAI's `clip` be imported without `pkg_resources`, which setuptools 81 took away.

    It wants nothing of it but `packaging`.
    """
    if find_spec("pkg_resources") is not None:
        yield
        return
    stand_in = ModuleType("pkg_resources")
    stand_in.__dict__["packaging"] = import_module("packaging")
    import_module("packaging.version")
    sys.modules["pkg_resources"] = stand_in
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]


@contextmanager
def replaced(module: Any, **names: Any) -> Iterator[None]:
    """Let a module's names stand for other things, to build a network of it without a download.

    Several of pyiqa's networks fetch a backbone whenever they are built.
    """
    before = {name: getattr(module, name) for name in names}
    try:
        for name, value in names.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


def untrained_torchvision(*names: str) -> Any:
    """Return a stand-in for `torchvision.models` whose networks have random weights."""
    from torchvision import models

    def build(name: str) -> Callable[..., Any]:
        return lambda **_: getattr(models, name)(weights=None)

    return SimpleNamespace(**{name: build(name) for name in names})


def untrained_timm() -> Any:
    """Return a stand-in for `timm` whose networks have random weights."""
    import timm

    def create_model(name: str, *, pretrained: bool = True, **options: Any) -> Any:
        del pretrained
        return timm.create_model(name, pretrained=False, **options)

    return SimpleNamespace(create_model=create_model)


def untrained_clip(model: str) -> Any:
    """Return OpenAI's CLIP with random weights: `RN50` or `ViT-B/32`."""
    clip = import_module("pyiqa.archs.clip_model")
    sizes = {
        "RN50": (1024, 224, (3, 4, 6, 3), 64, None, 77, 49408, 512, 8, 12),
        "ViT-B/32": (512, 224, 12, 768, 32, 77, 49408, 512, 8, 12),
    }
    return clip.CLIP(*sizes[model]).float()


def read_tensors(path: Path) -> State:
    """Return what a file of weights holds, without running anything that is in it.

    Raises:
        WeightsError: the file is no plain file of tensors.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        if is_torchscript(path):
            return _torchscript_tensors(path)
        held = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    # torch and safetensors raise whatever a damaged file makes them raise.
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0][:150]
        raise WeightsError(f"{path} is no plain file of tensors: {reason}") from error
    if not isinstance(held, Mapping):
        raise WeightsError(f"{path} holds a {type(held).__name__}; wanted tensors by name")
    return dict(held)


def is_torchscript(path: Path) -> bool:
    """Say whether a file is a TorchScript archive, which holds code beside its tensors."""
    import zipfile

    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _torchscript_tensors(path: Path) -> State:
    """Return the tensors of OpenAI's archives, and of no others: their code is not looked into."""
    import torch

    found = sha256_of_file(path)
    if found not in PUBLISHED_ARCHIVES:
        raise WeightsError(
            f"{path} is a TorchScript archive with sha256 {found}, which nobody here knows; save "
            "its state_dict() with torch.save instead"
        )
    load: Any = torch.jit.load
    return dict(load(path, map_location="cpu").state_dict())


def plain_names(state: Mapping[str, Any]) -> State:
    """Return tensors without the prefix that parallel training puts before their names."""
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def file_beside(weights: Path, facts: Facts, position: int) -> State:
    """Return the tensors of another file that an indicator declares.

    Raises:
        WeightsError: it is not beside the first, or not the one wanted.
    """
    return read_tensors(find_weights(facts.files[position].name, weights.parent).path)


def require_weights(weights: Path | None, facts: Facts) -> Path:
    """Return the file's path.

    Raises:
        WeightsError: none is given; the message says where it is to be had.
    """
    if weights is None:
        find_weights(facts.files[0].name, None)
        raise WeightsError(f"no path for {facts.files[0].name}")
    return weights


def load_network(
    network: Any,
    weights: Path | None,
    facts: Facts,
    device: str,
    *,
    complete: Callable[[State, Path], State] = lambda state, _: plain_names(state),
    to_score: Callable[[float], float] = lambda value: value,
) -> PyiqaIndicator:
    """Return an indicator whose every tensor comes from its files.

    A file that `cmc indicators train` wrote holds the whole network under `params`, and under
    `calibration` the line from the stock score to the mean opinion score.

    Args:
        network: of random weights.
        weights: the first of the declared files.
        facts: what the indicator declares.
        device: where it computes.
        complete: turns the published file's tensors into the network's, with the other files.
        to_score: from the network's answer to higher is better.

    Raises:
        WeightsError: a file is missing, is no plain file of tensors, or does not fit.
    """
    weights = require_weights(weights, facts)
    held = read_tensors(weights)
    scale, offset = 1.0, 0.0
    if "calibration" in held:
        scale, offset = map(float, held["calibration"])
        state = dict(held["params"])
    else:
        state = complete(held.get("params", held), weights)
    load_state(network, state, weights)
    return SizedIndicator(
        network.to(device).eval(),
        device,
        lambda value: scale * to_score(value) + offset,
        smallest_side=facts.smallest_side,
    )


def load_state(network: Any, state: State, path: Path) -> None:
    """Give a network all its tensors.

    Raises:
        WeightsError: one is missing, additional, or of another shape.
    """
    kind = type(network).__name__
    try:
        found = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{path} does not fit {kind}: {str(error)[:300]}") from error
    # Counters of training steps, which play no part here; files before 2018 do not have them.
    missing = [name for name in found.missing_keys if not name.endswith("num_batches_tracked")]
    unexpected = found.unexpected_keys
    if missing or unexpected:
        raise WeightsError(
            f"{path} does not fit {kind}: {len(missing)} tensors missing {missing[:3]}, "
            f"{len(unexpected)} that it has no place for {unexpected[:3]}"
        )
