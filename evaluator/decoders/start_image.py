"""The honest baseline: the decoder returns what it starts from, and no model runs.

In image and full mode that is the VVC picture, in pixel mode the enlarged pixels. Any T2I model
should do better than this, at the same rate.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluator.decoders import Account, Decoder, Received
from protocol.errors import DecodeError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import Value, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = frozenset({Mode.PIXEL, Mode.IMAGE, Mode.FULL})
IN_BATCHES = False
SETTINGS: Mapping[str, Value] = {}


class StartImage:
    """There is no model."""

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Return the start pictures unchanged."""
        return [
            item.start or DecodeError("NO_START", "text mode sends no picture to start from")
            for item in batch
        ]

    def account(self, item: Received) -> Account:
        """Return the picture's own size: no noise is added and nothing is scaled."""
        return Account(width=item.width, height=item.height)


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return nothing: the bytes decide the picture alone."""
    del protocol, mode, device
    return {}


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Ignore all three; there is nothing to load and nothing to set."""
    read_settings(system, SETTINGS)
    del protocol, device
    return StartImage()
