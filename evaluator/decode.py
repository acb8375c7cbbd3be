"""From files back to pictures: batches, and what a decoder made of them."""

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from evaluator.batches import BatchSizes, fitting, group_by_shape
from evaluator.bench import Bench
from evaluator.cache import PictureEntry, cache_key
from evaluator.decoders import Account, Received, find_decoder
from evaluator.encode import Encoded
from evaluator.operations import counting
from evaluator.outcomes import Job, decode_batch, entry_of, failed, keep
from evaluator.receive import StartPictures, receive, seed_of
from evaluator.stages import LOADING, ahead, close, in_pool
from evaluator.timesheet import Timesheet
from protocol.errors import DecodeError
from protocol.records import System
from protocol.rules import Mode
from protocol.versions import Protocol

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
        self._writers: ThreadPoolExecutor
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
        painted: Iterator[_Group]
        with ThreadPoolExecutor(os.cpu_count()) as self._writers:
            if lanes > 1:
                # A lane that is done goes on while the group before its own is not.
                painted = in_pool(self._paint, prepared, workers=lanes, window=2 * lanes)
            else:
                painted = (self._paint(group) for group in prepared)
            if self._bench.overlap:
                painted = ahead(painted, 1)
            try:
                yield from map(self._finish, painted)
            finally:
                close(painted)
                close(prepared)
                close(groups)

    def _prepare(self, files: Sequence[Encoded]) -> "_Group":
        """Look in the cache, and read the files whose pictures are not there."""
        keys = [self._key(file) for file in files]
        entries = {key: self._bench.cache.find_picture(key) for key in keys}
        received: dict[str, tuple[Received, float]] = {}
        for mode in dict.fromkeys(file.mode for file in files):
            batch = {k: f for k, f in zip(keys, files, strict=True) if f.mode is mode}
            missing = {k: f for k, f in batch.items() if entries[k] is None}
            self._timesheet.found("picture", len(batch) - len(missing))
            self._timesheet.made("picture", len(missing))
            # A model's whole batch again: it decides the rounding of every picture in it.
            wanted = batch if missing and self._module.IN_BATCHES else missing
            for key, file in wanted.items():
                told = receive(
                    file.data, self._protocol, self._bench.text_prior, starts=self._starts
                )
                received[key] = told, self._starts.seconds(file.stream)
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

    def _paint(self, group: "_Group") -> "_Group":
        """Decode what is missing; a batch is written while the next one is decoded."""
        for mode in dict.fromkeys(file.mode for _, file in group.files):
            # By key: two names may stand for one file.
            batch = {
                key: Job(
                    key=key,
                    received=group.received[key][0],
                    start_seconds=group.received[key][1],
                    kept=group.entries[key] is not None,
                )
                for key, file in group.files
                if file.mode is mode and key in group.received
            }
            said = [job for job in batch.values() if not job.is_empty]
            for key, job in batch.items():
                if job.is_empty and not job.kept:
                    group.entries[key] = failed(
                        job, "EMPTY_CAPTION", "the I2T model said nothing of this picture"
                    )
            if said:
                group.pending.extend(self._paint_jobs(said))
        return group

    def _paint_jobs(self, batch: Sequence[Job]) -> "list[_Pending]":
        if getattr(self._lane, "decoder", None) is None:
            with LOADING, fitting(self._system.label):
                self._lane.decoder = self._module.load(
                    self._system, self._protocol, self._bench.device
                )
                self._lane.unwritten = []

        def work(jobs: list[Job]) -> list[_Pending]:
            with self._timesheet.working("decode", len(jobs)), counting() as tally:
                outcomes = decode_batch(self._lane.decoder, jobs)
            self._timesheet.operated(tally)
            # One batch may wait to be written, and no more: what a crash costs stays bounded.
            for earlier in self._lane.unwritten:
                earlier.result()
            self._lane.unwritten = [
                self._writers.submit(keep, outcome, self._bench.cache) for outcome in outcomes.made
            ]
            if outcomes.stopped is not None:
                raise outcomes.stopped
            return list(self._lane.unwritten)

        def too_large(job: Job, reason: str) -> _Pending:
            entry = failed(job, "OUT_OF_MEMORY", f"a single picture does not fit: {reason}")
            answer = _Pending()
            answer.set_result((job.key, entry))
            return answer

        pixels = batch[0].received.width * batch[0].received.height
        return self.sizes.run(work, batch, pixels, too_large=too_large)

    def _finish(self, group: "_Group") -> list[Decoded]:
        """Return a group's pictures once they are written."""
        for written in group.pending:
            key, made = written.result()
            group.entries[key] = group.entries[key] or made
        return [
            Decoded(encoded=file, key=key, entry=entry, seed=seed_of(file.data, self._protocol))
            for key, file in group.files
            if (entry := group.entries[key]) is not None
        ]


_Pending = Future[tuple[str, PictureEntry]]
"""An entry by its key, once it is in the cache."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Files that go through a decoder together, each with its key, and what is known by key."""

    files: Sequence[tuple[str, Encoded]]
    entries: dict[str, PictureEntry | None]
    received: dict[str, tuple[Received, float]]
    """And the seconds that its start took to decode."""
    pending: list[_Pending] = field(default_factory=list)
    """What was decoded and is being written."""


def lost(file: Encoded, protocol: Protocol, message: str) -> Decoded:
    """Return the record of a file whose decoder's process died."""
    account = Account(width=file.stream.width, height=file.stream.height)
    entry = entry_of(DecodeError("WORKER_LOST", message), b"", 0.0, account)
    return Decoded(encoded=file, key="", entry=entry, seed=seed_of(file.data, protocol))
