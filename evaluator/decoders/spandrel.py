"""Any single-image restoration network that spandrel knows: SwinIR, SCUNet, Real-ESRGAN and more.

`spandrel:FILE`, `spandrel:FOLDER[?file=NAME]` or `spandrel:OWNER/NAME?file=NAME`, safetensors or
what torch loads as tensors only. The network sees the picture that was sent, at its own size, and
nothing else: the caption is ignored, so full mode pays for a text that is not used.

A network of one channel runs on R, G and B apart. With `grey=luma` it runs on luma alone, which is
a third of the work, and the chroma that was sent stays; it gains less, see
benchmarks/results/restoration.md.
A network that enlarges is shrunk back to the exact size, bicubically.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from evaluator.decoders import Account, Decoder, Received
from evaluator.restoration.network import Network, load_network
from evaluator.restoration.tensors import to_picture, to_tensor
from evaluator.restoration.weight_files import find_weight_file
from protocol.errors import DecodeError, ModelError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol
from submission.settings import read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = frozenset({Mode.IMAGE, Mode.FULL})
IN_BATCHES = False

SETTINGS = {"file": "", "grey": "channels"}
_GREY = ("channels", "luma")


class SpandrelDecoder:
    """One network."""

    def __init__(self, network: Network) -> None:
        """Keep it."""
        self._network = network

    def decode(self, batch: Sequence[Received]) -> "list[Image | DecodeError]":
        """Restore the start pictures one by one; a batch changes nothing."""
        return [self._restore(item) for item in batch]

    def account(self, item: Received) -> Account:
        """Return the picture's own size: no noise is added."""
        return Account(width=item.width, height=item.height)

    def _restore(self, item: Received) -> "Image | DecodeError":
        if item.start is None:
            return DecodeError("NO_START", "there is no picture to restore in text mode")
        return to_picture(self._network.restore(to_tensor(item.start))[0])


def describe(protocol: Protocol, mode: Mode, device: str) -> Mapping[str, object]:
    """Return the settings that hold where none are given, the device's kind and the libraries."""
    del protocol, mode
    return {
        "defaults": dict(SETTINGS),
        "device": device.partition(":")[0],
        "libraries": {name: version(name) for name in ("spandrel", "torch")},
    }


def load(system: System, protocol: Protocol, device: str) -> Decoder:
    """Load a weight file: the system itself, one in its folder, or one in its Hub repository."""
    del protocol
    settings = read_settings(system, SETTINGS)
    if settings["grey"] not in _GREY:
        raise ModelError(f"spandrel?grey={settings['grey']}: wanted {' or '.join(_GREY)}")
    path = find_weight_file(system, str(settings["file"]))
    return SpandrelDecoder(load_network(path, device, per_channel=settings["grey"] == "channels"))
