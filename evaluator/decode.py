"""From files back to pictures: batches, and what a decoder made of them."""

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.batches import BatchSizes, group_by_shape
from evaluator.bench import Bench
from evaluator.cache import PictureEntry, cache_key
from evaluator.decoders import (
    Account,
    Decoder,
    DecodingStopped,
    Received,
    find_decoder,
)
from evaluator.encode import Encoded
from evaluator.pictures import png_bytes
from evaluator.receive import StartPictures, receive, seed_of
from evaluator.stages import LOADING, ahead, close, in_pool
from evaluator.timesheet import Timesheet
from protocol.errors import DecodeError
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


def decode_all(
    system: System, protocol: Protocol, files: Sequence[Encoded], bench: Bench
) -> list[Decoded]:
    """Return the pictures of files, in their order; those in the cache are not decoded again."""
    groups = [
        group
        for mode in Mode
        for group in group_by_shape(
            [file for file in files if file.mode is mode],
            lambda file: (file.stream.width, file.stream.height),
            bench.batch_size,
        )
    ]
    stage = DecodeStage(system, protocol, bench, Timesheet())
    decoded = [item for group in stage.of_groups(groups) for item in group]
    by_file = {(item.encoded.sample.name, item.encoded.mode): item for item in decoded}
    return [by_file[file.sample.name, file.mode] for file in files]


class DecodeStage:
    """A T2I model that is loaded when the first picture is not in the cache."""

    def __init__(
        self, system: System, protocol: Protocol, bench: Bench, timesheet: Timesheet
    ) -> None:
        """Find the adapter; nothing is loaded."""
        self._system = system
        self._protocol = protocol
        self._bench = bench
        self._timesheet = timesheet
        self._module = find_decoder(system.adapter)
        self.sizes = BatchSizes(bench.batch_size)
        self._described: dict[Mode, Mapping[str, object]] = {}
        # A lane is a thread with a copy of the model: pipelines keep state between steps.
        self._lane = threading.local()
        self._starts = StartPictures(timesheet)

    def of_groups(self, groups: Iterable[Sequence[Encoded]]) -> Iterator[list[Decoded]]:
        """Yield the pictures of groups of files, in their order.

        Args:
            groups: files of one picture size, at most a batch of each mode.

        Raises:
            CMCError: the model cannot be loaded, or can do nothing any more.
        """
        prepared: Iterator[_Group] = (self._prepare(group) for group in groups)
        if self._bench.overlap:
            prepared = ahead(prepared, 1)
        lanes = self._bench.lanes
        try:
            if lanes > 1:
                yield from in_pool(self._decode, prepared, workers=lanes, window=lanes)
            else:
                yield from map(self._decode, prepared)
        finally:
            close(prepared)
            close(groups)

    def _prepare(self, files: Sequence[Encoded]) -> "_Group":
        """Look in the cache, and read the files whose pictures are not there."""
        keys = [self._key(file) for file in files]
        entries = {key: self._bench.cache.find_picture(key) for key in keys}
        received = {}
        for mode in dict.fromkeys(file.mode for file in files):
            batch = {k: f for k, f in zip(keys, files, strict=True) if f.mode is mode}
            missing = {k: f for k, f in batch.items() if entries[k] is None}
            self._timesheet.found("picture", len(batch) - len(missing))
            self._timesheet.made("picture", len(missing))
            # A model's whole batch again: it decides the rounding of every picture in it.
            wanted = batch if missing and self._module.IN_BATCHES else missing
            for key, file in wanted.items():
                received[key] = receive(
                    file.data, self._protocol, self._bench.text_prior, starts=self._starts
                )
        return _Group(list(zip(keys, files, strict=True)), entries, received)

    def _key(self, file: Encoded) -> str:
        if file.mode not in self._described:
            self._described[file.mode] = dict(
                self._module.describe(self._protocol, file.mode, self._bench.device)
            )
        parts: dict[str, object] = {
            "bytes": hashlib.sha256(file.data).hexdigest(),
            "t2i": self._system.identity,
            "settings": self._described[file.mode],
            "seed": self._protocol.seed,
        }
        if self._protocol.text_prior:
            parts["text_prior"] = self._protocol.text_prior
        return cache_key(parts)

    def _decode(self, group: "_Group") -> list[Decoded]:
        for mode in dict.fromkeys(file.mode for _, file in group.files):
            # By key: two names may stand for one file.
            batch = {
                key: Job(key=key, received=group.received[key], kept=group.entries[key] is not None)
                for key, file in group.files
                if file.mode is mode and key in group.received
            }
            said = [job for job in batch.values() if not job.is_empty]
            made = {key: _empty_caption(job) for key, job in batch.items() if job.is_empty}
            if said:
                made |= self._decode_jobs(said)
            group.entries.update({k: e for k, e in made.items() if not batch[k].kept})
        return [
            Decoded(encoded=file, key=key, entry=entry, seed=seed_of(file.data, self._protocol))
            for key, file in group.files
            if (entry := group.entries[key]) is not None
        ]

    def _decode_jobs(self, batch: "Sequence[Job]") -> dict[str, PictureEntry]:
        if getattr(self._lane, "decoder", None) is None:
            with LOADING:
                self._lane.decoder = self._module.load(
                    self._system, self._protocol, self._bench.device
                )

        def work(jobs: list[Job]) -> list[tuple[str, PictureEntry]]:
            with self._timesheet.working("decode", len(jobs)):
                outcomes = _decode_batch(self._lane.decoder, jobs)
            return _keep(jobs, outcomes, self._bench)

        def too_large(job: Job, reason: str) -> tuple[str, PictureEntry]:
            return job.key, _failed(
                job, "OUT_OF_MEMORY", f"a single picture does not fit: {reason}"
            )

        pixels = batch[0].received.width * batch[0].received.height
        return dict(self.sizes.run(work, batch, pixels, too_large=too_large))


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that go through a decoder together, each with its key, and what is known by key."""

    files: Sequence[tuple[str, Encoded]]
    entries: dict[str, PictureEntry | None]
    received: dict[str, Received]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One picture to decode."""

    key: str
    received: Received
    kept: bool
    """Whether the cache has it, so that it is here to fill its batch only."""

    @property
    def is_empty(self) -> bool:
        """Whether the I2T model said nothing: there is a caption, and no letter in it."""
        caption = self.received.caption
        return caption is not None and not caption.strip()


def _decode_batch(decoder: Decoder, batch: Sequence[Job]) -> "_Outcomes":
    started = time.perf_counter()
    stopped = None
    try:
        pictures = decoder.decode([job.received for job in batch])
    except DecodingStopped as error:
        pictures, stopped = list(error.done), error
    seconds = (time.perf_counter() - started) / max(1, len(pictures))
    accounts = [decoder.account(job.received) for job in batch[: len(pictures)]]
    return _Outcomes(pictures, accounts, seconds, stopped)


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """What a decoder made of a batch, or of its first pictures."""

    pictures: "Sequence[Image | DecodeError]"
    accounts: Sequence[Account]
    seconds: float
    """A picture."""
    stopped: DecodingStopped | None


def _keep(batch: Sequence[Job], made: _Outcomes, bench: Bench) -> list[tuple[str, PictureEntry]]:
    """Write what was made to the cache, and raise what stopped the decoder."""
    entries = []
    done = batch if made.stopped is None else batch[: len(made.pictures)]
    for job, outcome, account in zip(done, made.pictures, made.accounts, strict=True):
        png = b"" if isinstance(outcome, DecodeError) else png_bytes(outcome)
        entry = _entry(outcome, png, made.seconds, account)
        if not job.kept:
            bench.cache.keep_picture(job.key, entry, png)
        entries.append((job.key, entry))
    if made.stopped is not None:
        raise made.stopped
    return entries


def _empty_caption(job: Job) -> PictureEntry:
    return _failed(job, "EMPTY_CAPTION", "the I2T model said nothing of this picture")


def lost(file: Encoded, protocol: Protocol, message: str) -> Decoded:
    """Return the record of a file whose decoder's process died."""
    account = Account(width=file.stream.width, height=file.stream.height)
    entry = _entry(DecodeError("WORKER_LOST", message), b"", 0.0, account)
    return Decoded(encoded=file, key="", entry=entry, seed=seed_of(file.data, protocol))


def _failed(job: Job, code: str, message: str) -> PictureEntry:
    """Return the entry of a picture that was not decoded; it is not kept."""
    account = Account(width=job.received.width, height=job.received.height)
    return _entry(DecodeError(code, message), b"", 0.0, account)


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
