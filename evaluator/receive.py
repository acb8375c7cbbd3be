"""What a decoder is told: the contents of a file, and a seed that follows from its bytes."""

import hashlib
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from evaluator.bitstream import Bitstream, unpack
from evaluator.codecs import load_codec
from evaluator.decoders import Received
from evaluator.pixels import decode_pixels
from evaluator.text_coders import decode_caption
from evaluator.text_prior import TextPrior
from evaluator.timesheet import Timesheet
from protocol.errors import BitstreamError, CodecError
from protocol.versions import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

_KEPT_STARTS = 64


class StartPictures:
    """Start pictures of the last files: image and full mode send the same one."""

    def __init__(self, timesheet: Timesheet) -> None:
        """Keep nothing yet."""
        self._timesheet = timesheet
        self._kept: OrderedDict[bytes, tuple[Image, float]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, stream: Bitstream) -> "Image | None":
        """Return the picture that a file sends; None where it sends none."""
        if stream.image is None:
            return _start_picture(stream)
        with self._lock:
            if stream.image in self._kept:
                return self._kept[stream.image][0]
        started = time.perf_counter()
        with self._timesheet.working(f"{stream.image_codec} decode"):
            picture = _start_picture(stream)
        if picture is not None:
            with self._lock:
                self._kept[stream.image] = picture, time.perf_counter() - started
                if len(self._kept) > _KEPT_STARTS:
                    self._kept.popitem(last=False)
        return picture

    def seconds(self, stream: Bitstream) -> float:
        """Return how long the picture that a file sends took; 0 where that is no time."""
        if stream.image is None:
            return 0.0
        with self._lock:
            kept = self._kept.get(stream.image)
        return kept[1] if kept else 0.0


def receive(
    data: bytes,
    protocol: Protocol,
    text_prior: TextPrior | None = None,
    *,
    starts: StartPictures | None = None,
) -> Received:
    """Read a file: all that a decoder knows, but for a prior that the file may name.

    Raises:
        BitstreamError: the file, or the stream in it, cannot be read.
    """
    stream = unpack(data)
    caption = None
    if stream.text is not None and stream.text_coder is not None:
        caption = decode_caption(stream.text, stream.text_coder, text_prior)
    return Received(
        mode=stream.mode,
        width=stream.width,
        height=stream.height,
        caption=caption,
        start=starts.of(stream) if starts else _start_picture(stream),
        seed=seed_of(data, protocol),
    )


def seed_of(data: bytes, protocol: Protocol) -> int:
    """Return the seed of a picture's own generator, 63 bits.

    It comes from the protocol's seed and the file's bytes, which is all that a decoder knows; so a
    picture depends on no other picture, no order and no point of resumption.
    """
    digest = hashlib.sha256(protocol.seed.to_bytes(8, "big") + hashlib.sha256(data).digest())
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def _start_picture(stream: Bitstream) -> "Image | None":
    if stream.pixels is not None:
        return decode_pixels(stream.pixels, stream.width, stream.height)
    if stream.image is not None and stream.image_codec is not None:
        codec = load_codec(stream.image_codec)
        try:
            return codec.decode(stream.image, stream.width, stream.height)
        except CodecError as error:
            raise BitstreamError(f"the image section cannot be decoded: {error}") from error
    return None
