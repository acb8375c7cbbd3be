"""What a decoder made of a batch, and the entries that the cache keeps of it."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.cache import Cache, PictureEntry
from evaluator.decoders import Account, Decoder, DecodingStopped, Received
from evaluator.pictures import png_bytes
from protocol.errors import DecodeError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture to decode."""

    key: str
    received: Received
    start_seconds: float
    """That the picture it starts from took to decode."""
    kept: bool
    """Whether the cache has it, so that it is here to fill its batch only."""

    @property
    def is_empty(self) -> bool:
        """Whether the I2T model said nothing: there is a caption, and no letter in it."""
        caption = self.received.caption
        return caption is not None and not caption.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one picture."""

    job: Job
    picture: "Image | DecodeError"
    account: Account
    seconds: float
    """Of the T2I model and of the picture it starts from."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What a decoder made of a batch, or of its first pictures."""

    made: Sequence[Outcome]
    stopped: DecodingStopped | None
    """Why there are no more of them."""


def decode_batch(decoder: Decoder, batch: Sequence[Job]) -> Outcomes:
    """Decode a batch; each of its pictures took an equal share of the time."""
    started = time.perf_counter()
    stopped = None
    try:
        pictures = decoder.decode([job.received for job in batch])
    except DecodingStopped as error:
        pictures, stopped = list(error.done), error
    seconds = (time.perf_counter() - started) / max(1, len(pictures))
    done = batch if stopped is None else batch[: len(pictures)]
    made = [
        Outcome(
            job=job,
            picture=picture,
            account=decoder.account(job.received),
            seconds=job.start_seconds + seconds,
        )
        for job, picture in zip(done, pictures, strict=True)
    ]
    return Outcomes(made, stopped)


def keep(outcome: Outcome, cache: Cache) -> tuple[str, PictureEntry]:
    """Write a picture that the cache has not, and return its key and its entry."""
    job, picture = outcome.job, outcome.picture
    png = b"" if isinstance(picture, DecodeError) else png_bytes(picture)
    entry = entry_of(picture, png, outcome.seconds, outcome.account)
    if not job.kept:
        cache.keep_picture(job.key, entry, png)
    return job.key, entry


def failed(job: Job, code: str, message: str) -> PictureEntry:
    """Return the entry of a picture that was not decoded; it is not kept."""
    account = Account(width=job.received.width, height=job.received.height)
    return entry_of(DecodeError(code, message), b"", 0.0, account)


def entry_of(
    outcome: "Image | DecodeError", png: bytes, seconds: float, account: Account
) -> PictureEntry:
    """Return the entry of a picture whose PNG is `png`, or of a failure."""
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
        caption_is_cut=account.caption_is_cut,
    )
