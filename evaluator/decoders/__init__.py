"""T2I adapters, one a file: each has MODES, IN_BATCHES, SETTINGS, `describe` and `load`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, cast

from evaluator.adapters import find_adapter
from protocol.errors import DecodeError, ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol as ProtocolVersion
from submission.settings import Value

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a decoder knows: the contents of one file and what follows from its bytes."""

    mode: Mode
    width: int
    height: int
    caption: str | None
    start: "Image | None"
    """The transmitted picture, enlarged to `width` x `height`; None in text mode."""
    seed: int
    """For this picture's own noise; 63 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """How a picture was made, for the record beside it."""

    width: int
    height: int
    """The size that the model painted at, before the picture was brought to the exact one."""
    start_sigma: float | None = None
    """Noise level that the model started at, sigma / sigma_data; infinite for pure noise."""
    asked_sigma: float | None = None
    """Noise level that was asked for, where the start was chosen by one."""
    caption_is_cut: bool | None = None
    """Whether the model's text encoders read only the beginning of what it was told; None where
    that is not known, or nothing was read."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What is only known once a model is loaded or has answered: precision, scheduler, …"""


class DecodingStopped(ModelError):
    """A decoder cannot go on with a batch; `done` holds the outcomes of its first pictures."""

    def __init__(self, message: str, done: "Sequence[Image | DecodeError]") -> None:
        """Keep `done`, which cost time or money, beside the message."""
        super().__init__(message)
        self.done = done


class Decoder(Protocol):
    """A loaded T2I model."""

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Return one picture for each, of its exact size, or why there is none.

        Args:
            batch: files of one mode and one size. Each has its own seed, so the batch changes a
                picture by rounding only.

        Raises:
            DecodingStopped: the decoder cannot go on; the error holds what was made.
        """
        ...

    def account(self, item: Received) -> Account:
        """Return how `item` was made, right after it was decoded."""
        ...


class DecoderModule(Protocol):
    """What a T2I adapter's file holds."""

    MODES: frozenset[Mode]
    IN_BATCHES: bool
    """Whether a batch is decoded at once, so that it decides the rounding of its pictures."""
    SETTINGS: Mapping[str, Value]
    """The adapter's own settings with their defaults, by which they are typed."""

    def describe(self, protocol: ProtocolVersion, mode: Mode, device: str) -> Mapping[str, object]:
        """Return all beside the model and the bytes that decides a picture, for the cache."""
        ...

    def load(self, system: System, protocol: ProtocolVersion, device: str) -> Decoder:
        """Return the model on a device.

        Raises:
            ModelError: it cannot be loaded.
        """
        ...


def find_decoder(name: str) -> DecoderModule:
    """Return the T2I adapter of this name; `-` and `_` are the same.

    Raises:
        ModelError: there is none.
    """
    return cast("DecoderModule", find_adapter(__name__, name.replace("-", "_"), "T2I adapter"))
