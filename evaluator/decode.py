"""From files back to pictures: what a decoder receives, batches, and what it made."""

import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.bitstream import Bitstream, unpack
from evaluator.cache import PictureEntry, cache_key
from evaluator.codecs import load_codec
from evaluator.decoders import (
    Account,
    Decoder,
    DecoderModule,
    DecodingStopped,
    Received,
    find_decoder,
)
from evaluator.encode import Encoded
from evaluator.pictures import png_bytes
from evaluator.pixels import decode_pixels
from evaluator.text_coders import decode_caption
from evaluator.text_prior import TextPrior
from protocol.errors import BitstreamError, CodecError, DecodeError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

START_IMAGE = System(adapter="start-image", model="", revision="", path="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One file's picture, in the cache."""

    encoded: Encoded
    key: str
    entry: PictureEntry
    seed: int


def receive(data: bytes, protocol: Protocol, text_prior: TextPrior | None = None) -> Received:
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
        start=_start_picture(stream),
        seed=seed_of(data, protocol),
    )


def seed_of(data: bytes, protocol: Protocol) -> int:
    """Return the seed of a picture's own generator, 63 bits.

    It comes from the protocol's seed and the file's bytes, which is all that a decoder knows; so a
    picture depends on no other picture, no order and no point of resumption.
    """
    digest = hashlib.sha256(protocol.seed.to_bytes(8, "big") + hashlib.sha256(data).digest())
    return int.from_bytes(digest.digest()[:8], "big") >> 1


def decode_all(
    system: System, protocol: Protocol, files: Sequence[Encoded], bench: Bench
) -> list[Decoded]:
    """Return the pictures of files, in their order; those in the cache are not decoded again."""
    module = find_decoder(system.adapter)
    keys = [_picture_key(system, protocol, module, file, bench) for file in files]
    entries = {key: bench.cache.find_picture(key) for key in keys}
    waiting = {k: f for k, f in zip(keys, files, strict=True) if entries[k] is None}
    with bench.report("decode", len(files)) as advance:
        advance(len(files) - len(waiting))
        if waiting:
            decoder = module.load(system, protocol, bench.device)
            for batch in _batches(waiting.items(), bench.batch_size):
                entries.update(_decode_batch(decoder, protocol, batch, bench))
                advance(len(batch))
    return [
        Decoded(encoded=file, key=key, entry=entry, seed=seed_of(file.data, protocol))
        for key, file in zip(keys, files, strict=True)
        if (entry := entries[key]) is not None
    ]


def _picture_key(
    system: System, protocol: Protocol, module: DecoderModule, file: Encoded, bench: Bench
) -> str:
    return cache_key(
        {
            "bytes": hashlib.sha256(file.data).hexdigest(),
            "t2i": system.identity,
            "settings": dict(module.describe(protocol, file.mode, bench.device)),
            "seed": protocol.seed,
        }
    )


def _batches(
    waiting: Iterable[tuple[str, Encoded]], size: int
) -> Iterator[list[tuple[str, Encoded]]]:
    """Yield batches of one mode and one picture size."""

    def shape(item: tuple[str, Encoded]) -> tuple[Mode, int, int]:
        return item[1].mode, item[1].stream.width, item[1].stream.height

    for _, group in itertools.groupby(sorted(waiting, key=shape), key=shape):
        members = list(group)
        for start in range(0, len(members), size):
            yield members[start : start + size]


def _decode_batch(
    decoder: Decoder, protocol: Protocol, batch: Sequence[tuple[str, Encoded]], bench: Bench
) -> dict[str, PictureEntry]:
    started = time.perf_counter()
    received = [receive(file.data, protocol) for _, file in batch]
    stopped = None
    try:
        outcomes = decoder.decode(received)
    except DecodingStopped as error:
        outcomes, stopped = list(error.done), error
    seconds = (time.perf_counter() - started) / max(1, len(outcomes))
    entries = {}
    for (key, _), item, outcome in zip(batch, received, outcomes, strict=stopped is None):
        png = b"" if isinstance(outcome, DecodeError) else png_bytes(outcome)
        entries[key] = _entry(outcome, png, seconds, decoder.account(item))
        bench.cache.keep_picture(key, entries[key], png)
    if stopped is not None:
        raise stopped
    return entries


def _entry(
    outcome: "Image | DecodeError", png: bytes, seconds: float, account: Account
) -> PictureEntry:
    failed = isinstance(outcome, DecodeError)
    return PictureEntry(
        png_sha256="" if failed else hashlib.sha256(png).hexdigest(),
        seconds=seconds,
        working_width=account.width,
        working_height=account.height,
        start_sigma=account.start_sigma,
        asked_sigma=account.asked_sigma,
        details=account.details,
        failure_code=outcome.code if isinstance(outcome, DecodeError) else "",
        failure_message=str(outcome) if isinstance(outcome, DecodeError) else "",
    )


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
