"""Controls: what the score of a picture is that no model painted. Never ranked.

`?kind=` copy: what was sent. blur, sharpen: the same through a Gaussian or an unsharp mask of
`radius` pixels. mean-colour: one colour, the mean of what was sent. An indicator that prefers one
of them to a model's picture says something about the indicator.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluator.decoders import Account, Decoder, Received
from protocol.errors import DecodeError, ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import Value, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = frozenset({Mode.PIXEL, Mode.IMAGE, Mode.FULL})
IN_BATCHES = False
SETTINGS: Mapping[str, Value] = {"kind": "copy", "radius": 2.0}
KINDS = ("copy", "blur", "sharpen", "mean-colour")


class Control:
    """One kind of filter."""

    def __init__(self, kind: str, radius: float) -> None:
        """Keep the filter's kind and its radius in pixels."""
        self._kind = kind
        self._radius = radius

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Return the start pictures through the filter."""
        return [
            DecodeError("NO_START", "text mode sends no picture to start from")
            if item.start is None
            else self._filtered(item.start)
            for item in batch
        ]

    def account(self, item: Received) -> Account:
        """Return the picture's own size: nothing is scaled."""
        return Account(width=item.width, height=item.height)

    def _filtered(self, start: "Image") -> "Image":
        from PIL import Image, ImageFilter, ImageStat

        if self._kind == "blur":
            return start.filter(ImageFilter.GaussianBlur(self._radius))
        if self._kind == "sharpen":
            return start.filter(ImageFilter.UnsharpMask(self._radius, percent=150, threshold=0))
        if self._kind == "mean-colour":
            red, green, blue = (round(mean) for mean in ImageStat.Stat(start).mean)
            return Image.new("RGB", start.size, (red, green, blue))
        return start


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the filters' version; their settings are the system's."""
    from PIL import __version__

    del protocol, mode, device
    return {"pillow": __version__}


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Return the filter that the settings name.

    Raises:
        ModelError: there is no such kind, or the radius is not above 0.
    """
    del protocol, device
    settings = read_settings(system, SETTINGS)
    kind, radius = str(settings["kind"]), float(settings["radius"])
    if kind not in KINDS:
        raise ModelError(f"control?kind={kind}: wanted one of {', '.join(KINDS)}")
    if not radius > 0:
        raise ModelError(f"control?radius={radius}: wanted a number above 0")
    return Control(kind, radius)
