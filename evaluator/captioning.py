"""The captions of a run, batch by batch, from the cache or from the I2T model."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from evaluator.batches import BatchSizes
from evaluator.bench import Bench
from evaluator.cache import CaptionEntry, cache_key
from evaluator.captioners import Captioner, NamedPicture, find_captioner
from evaluator.pictures import read_known
from evaluator.stages import LOADING
from evaluator.timesheet import Timesheet
from protocol.errors import ModelError
from protocol.records import System
from protocol.samples import Sample
from protocol.versions import Protocol


class Captions:
    """An I2T model that is loaded when the first caption is not in the cache."""

    def __init__(
        self, system: System, protocol: Protocol, bench: Bench, timesheet: Timesheet
    ) -> None:
        """Find the adapter; nothing is loaded."""
        self._system = system
        self._protocol = protocol
        self._bench = bench
        self._timesheet = timesheet
        self._module = find_captioner(system.adapter)
        self._sizes = BatchSizes(bench.batch_size if self._module.IN_BATCHES else 1)
        self._loaded: Captioner | None = None
        # Empty where a caption goes by name and is not to be kept.
        self._described = dict(self._module.describe(protocol, bench.device))

    def of_batches(
        self, batches: Iterable[Sequence[Sample]], shas: Mapping[str, str]
    ) -> Iterator[dict[str, CaptionEntry]]:
        """Yield the captions of each batch by picture name.

        Args:
            batches: samples that go through the model together.
            shas: sha256 of each picture by name.

        Raises:
            CMCError: the model cannot be loaded, or a caption is missing.
        """
        for batch in batches:
            yield self._of_batch(batch, shas)

    def release(self) -> None:
        """Give the model's memory back; it is loaded again when it is needed."""
        self._loaded = None

    def _of_batch(
        self, batch: Sequence[Sample], shas: Mapping[str, str]
    ) -> dict[str, CaptionEntry]:
        keys = {sample.name: self._key(shas[sample.name]) for sample in batch}
        found = {
            name: entry
            for name, key in keys.items()
            if key and (entry := self._bench.cache.find(CaptionEntry, key))
        }
        self._timesheet.found("caption", len(found))
        missing = [sample for sample in batch if sample.name not in found]
        if not missing:
            return found
        # A model's whole batch again: an answer depends, by rounding, on what it is padded with.
        asked = list(batch) if self._module.IN_BATCHES and found else missing
        entries = self._sizes.run(partial(self._ask, shas), asked, 1, too_large=self._too_large)
        self._timesheet.made("caption", len(missing))
        for sample, entry in zip(asked, entries, strict=True):
            if sample.name in found:
                continue
            found[sample.name] = entry
            if keys[sample.name]:
                self._bench.cache.keep(keys[sample.name], entry)
        return found

    def _key(self, sha256: str) -> str:
        if not self._described:
            return ""
        unkeyed = self._module.UNKEYED
        settings = {k: v for k, v in self._system.settings.items() if k not in unkeyed}
        identity = {**self._system.identity, "settings": settings}
        return cache_key({"image": sha256, "i2t": identity, "settings": self._described})

    def _too_large(self, sample: Sample, reason: str) -> CaptionEntry:
        raise ModelError(
            f"{self._system.label} does not fit in memory with {sample.name} alone ({reason}); "
            "captions made before are kept"
        )

    def _ask(self, shas: Mapping[str, str], batch: Sequence[Sample]) -> list[CaptionEntry]:
        if self._loaded is None:
            with LOADING:
                self._loaded = self._module.load(self._system, self._protocol, self._bench.device)
        folder = self._bench.images
        pictures = [NamedPicture(s.name, read_known(folder / s.name, shas[s.name])) for s in batch]
        started = time.perf_counter()
        with self._timesheet.working("caption", len(batch)):
            captions = self._loaded.caption(pictures)
        seconds = (time.perf_counter() - started) / len(batch)
        return [
            CaptionEntry(
                text=caption.text,
                seconds=seconds,
                tokens=caption.tokens,
                is_cut=caption.is_cut,
                model=caption.model,
                answered_at=caption.answered_at,
            )
            for caption in captions
        ]
