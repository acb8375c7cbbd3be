"""From the released archives to a dataset folder, a picture in memory at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from dataset_cards.cards import Inventory
from dataset_cards.cmc_bench.build import (
    caption_row,
    picture_row,
    released_reference_row,
    sample_row,
)
from dataset_cards.cmc_bench.features import (
    CAPTIONS,
    CMC_BENCH,
    GROUND_TRUTH,
    MOS,
    MOS_REFERENCES,
    RATINGS,
    REFERENCES,
)
from dataset_cards.cmc_bench.release import Release
from dataset_cards.layout import Shard, cut, slug
from dataset_cards.parquet import read_rows
from dataset_cards.schema import TEST
from evaluator.dataset.archives import PictureArchive
from evaluator.dataset.faults import Faults
from evaluator.dataset.folder import finish, staged, write_shard
from evaluator.dataset.sources import (
    GROUND_TRUTH_ZIP,
    Opinions,
    Sources,
    compare_names,
    open_sources,
)
from evaluator.progress import Advance, Reporter, silent
from protocol.errors import DatasetError, PictureError
from protocol.samples import Sample, parse_name

Row = dict[str, Any]
T = TypeVar("T")


def import_release(
    folder: Path, out: Path, release: Release, report: Reporter = silent
) -> Inventory:
    """Make the dataset folder `out` from a folder of released archives.

    Every name, count and path is looked at before anything is written. A picture that turns out to
    be broken stops its own shard; the others are made, and all faults are named in the end.

    Raises:
        DatasetError: something is missing or broken; `out` is not made then.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder; wanted one with {GROUND_TRUTH_ZIP} and so on")
    faults = Faults()
    with ExitStack() as stack:
        sources = open_sources(folder, release, faults, stack)
        compare_names(sources, release, faults)
        faults.check(str(folder))
        with staged(out) as staging:
            total = len(release.expected_names) * (1 + len(release.references))
            with report("import", total + release.mos + release.mos_references) as advance:
                _Import(staging, release, faults, advance).write(sources)
            faults.check(f"{folder}; whole shards are kept in {staging}")
            return finish(staging, CMC_BENCH)


class _Import:
    """One import: where to, and what is known so far."""

    def __init__(self, out: Path, release: Release, faults: Faults, advance: Advance) -> None:
        self._out, self._release, self._faults, self._advance = out, release, faults, advance
        self._sizes: dict[str, tuple[int, int]] = {}
        self._shas: dict[str, str] = {}
        self._by_content: dict[str, list[Sample]] = defaultdict(list)
        for name in sorted(release.expected_names):
            sample = parse_name(name)
            self._by_content[sample.content].append(sample)

    def write(self, sources: Sources) -> None:
        """Write every table that there is a source for."""
        self._ground_truth(sources.ground_truth)
        for kind, archive in sources.references.items():
            self._references(kind, archive)
        for i2t, texts in sources.captions.items():
            self._captions(i2t, texts)
        if sources.opinions is not None:
            self._opinions(sources.opinions)

    def _ground_truth(self, archive: PictureArchive) -> None:
        def row(sample: Sample) -> Row:
            made = {**sample_row(sample), **_picture(archive, sample.name)}
            self._check_ground_truth(made)
            return made

        for shard, samples in cut(GROUND_TRUTH, (), self._by_content):
            named = {f"{GROUND_TRUTH_ZIP}, {s.name}": s for s in samples}
            marks = [archive.mark(sample.name) for sample in samples]
            if not self._write(shard, named, row, marks):
                columns = ["name", "width", "height", "sha256"]
                for done in read_rows(self._out / shard.path, columns):
                    self._check_ground_truth(done)

    def _check_ground_truth(self, row: Row) -> None:
        name, size = row["name"], (row["width"], row["height"])
        where = f"{GROUND_TRUTH_ZIP}, {name}"
        low, high = self._release.shortest_side, self._release.longest_side
        if not (low <= min(size) and max(size) <= high):
            self._faults.add(where, f"{size[0]}x{size[1]}; sides go from {low} to {high}")
        other = self._shas.setdefault(row["sha256"], name)
        if other != name:
            self._faults.add(where, f"a duplicate: the same file as {other}")
        self._sizes[name] = size

    def _references(self, kind: str, archive: PictureArchive) -> None:
        def row(sample: Sample) -> Row:
            picture = _picture(archive, sample.name)
            size, wanted = (picture["width"], picture["height"]), self._sizes.get(sample.name)
            if wanted is not None and size != wanted:
                raise PictureError(
                    f"{size[0]}x{size[1]}; its ground truth has {wanted[0]}x{wanted[1]}"
                )
            return released_reference_row(sample, kind, picture)

        for shard, samples in cut(REFERENCES, ("released", kind), self._by_content):
            named = {f"{archive.path.name}, {s.name}": s for s in samples}
            marks = [f"{archive.mark(s.name)} {self._sizes.get(s.name)}" for s in samples]
            self._write(shard, named, row, marks)

    def _captions(self, i2t: str, texts: Mapping[str, str]) -> None:
        for shard, samples in cut(CAPTIONS, (slug(i2t),), self._by_content):
            rows = [caption_row(s, i2t, texts[s.name], "released") for s in samples]
            write_shard(self._out, shard, rows, map(repr, rows))

    def _opinions(self, opinions: Opinions) -> None:
        archive, labels = opinions.references, opinions.labels
        by_model: dict[str, list[str]] = defaultdict(list)
        for name in sorted(labels.mos):
            # By folder: two names can be written as one.
            by_model[slug(str(labels.mos[name]["t2i"]))].append(name)

        def reference_row(name: str) -> Row:
            return {"name": name, **_picture(archive, name)}

        def row(name: str) -> Row:
            return {**labels.mos[name], **_picture(opinions.pictures, name)}

        for shard, names in cut(MOS_REFERENCES, (), {TEST: sorted(archive.names)}):
            named = {f"{archive.path.name}, {name}": name for name in names}
            self._write(shard, named, reference_row, [archive.mark(name) for name in names])
        archive = opinions.pictures
        for t2i, group in sorted(by_model.items()):
            for shard, names in cut(MOS, (t2i,), {TEST: group}):
                named = {f"{archive.path.name}, {name}": name for name in names}
                marks = [f"{archive.mark(name)} {labels.mos[name]}" for name in names]
                self._write(shard, named, row, marks)
        shard = Shard(RATINGS, (), TEST, 0)
        write_shard(self._out, shard, labels.ratings, map(repr, labels.ratings))

    def _write(
        self,
        shard: Shard,
        named: Mapping[str, T],
        row: Callable[[T], Row],
        marks: Sequence[str],
    ) -> bool:
        """Write a shard of pictures; a broken one is noted and leaves the shard unwritten.

        Args:
            shard: which.
            named: what each row is made of, by where it is from.
            row: makes one.
            marks: all that decides the rows.
        """
        before = len(self._faults)

        def rows() -> Iterator[Row]:
            for where, item in named.items():
                try:
                    yield row(item)
                except (DatasetError, PictureError) as error:
                    self._faults.add(where, error)
                self._advance(1)
            if len(self._faults) > before:
                raise _BrokenShardError

        try:
            written = write_shard(self._out, shard, rows(), marks)
        except _BrokenShardError:
            return True
        if not written:
            self._advance(len(named))
        return written


def _picture(archive: PictureArchive, name: str) -> Row:
    return picture_row(name, *archive.read(name))


class _BrokenShardError(DatasetError):
    """A shard that is not to be written; its faults are noted."""
