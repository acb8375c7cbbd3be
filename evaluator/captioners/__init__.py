"""I2T adapters, one a file: each has SETTINGS, `describe` and `load`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from evaluator.adapters import find_adapter
from protocol.records import System
from protocol.versions import Protocol as ProtocolVersion
from submission.settings import Value

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture with its ground-truth name, which only a caption file looks at."""

    name: str
    picture: "Image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What an I2T model said of a picture."""

    text: str
    """Without space around it."""
    tokens: int | None = None
    """Pieces that the model generated, before any cut; None where nobody counted.

    Here the mark for the end does not count; with some endpoints it does.
    """
    is_cut: bool = False
    """Whether words beyond the length asked for were taken off, or the answer used up its room."""
    model: str = ""
    """The model in an endpoint's own words; empty for one that runs here."""
    answered_at: str = ""
    """When an endpoint answered: UTC, ISO 8601."""


class Captioner(Protocol):
    """A loaded I2T model."""

    def caption(self, batch: Sequence[NamedPicture]) -> list[Caption]:
        """Return one caption a picture.

        Raises:
            CaptionError: there is none for a picture.
        """
        ...


class CaptionerModule(Protocol):
    """What an I2T adapter's file holds."""

    IN_BATCHES: bool
    """Whether it gains from several pictures at once; else each is asked for, and kept, alone."""
    SETTINGS: Mapping[str, Value]
    """The adapter's own settings with their defaults, by which they are typed."""
    UNKEYED: frozenset[str]
    """Settings that change how a caption is come by and not what it says: no part of its key."""

    def describe(self, protocol: ProtocolVersion, device: str) -> Mapping[str, object]:
        """Return all beside the model and the picture that decides a caption, for the cache.

        Nothing, where a caption is not worth keeping or does not follow from the picture.
        """
        ...

    def load(self, system: System, protocol: ProtocolVersion, device: str) -> Captioner:
        """Return the model on a device.

        Raises:
            ModelError: it cannot be loaded.
        """
        ...


def find_captioner(name: str) -> CaptionerModule:
    """Return the I2T adapter of this name; `-` and `_` are the same.

    Raises:
        ModelError: there is none.
    """
    return cast("CaptionerModule", find_adapter(__name__, name.replace("-", "_"), "I2T adapter"))
