"""From the released archives to a dataset folder, a picture in memory at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from evaluator.captioners.file import read_captions
from evaluator.dataset.archives import PictureArchive
from evaluator.dataset.faults import Faults
from evaluator.dataset.folder import finish, staged, write_shard
from evaluator.dataset.labels import Labels, read_labels
from evaluator.progress import Reporter, silent
from protocol.errors import CaptionError, DatasetError, PictureError
from protocol.samples import Sample, parse_name

GROUND_TRUTH_ZIP = "ground-truth.zip"
REFERENCE_ZIPS = {"image": "reference-image.zip", "pixel": "reference-pix.zip"}
MOS_REFERENCES_ZIP, MOS_ZIP = "iqa-original.zip", "iqa-distort.zip"
CAPTION_FOLDERS = (".", "Text", "captions")
"""Where a caption file may lie: beside the archives, or as in the authors' repository."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sources:
    """A release's files, opened and looked through."""

    ground_truth: PictureArchive
    references: Mapping[str, PictureArchive]
    captions: Mapping[str, Mapping[str, str]]
    mos_references: PictureArchive | None
    mos: PictureArchive | None
    labels: Labels | None


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
        sources = _open(folder, release, faults, stack)
        _compare_names(sources, release, faults)
        faults.check(str(folder))
        with staged(out) as staging:
            _Import(staging, sources, release, faults).run(report)
            faults.check(f"{folder}; whole shards are kept in {staging}")
            return finish(staging, CMC_BENCH)


def _open(folder: Path, release: Release, faults: Faults, stack: ExitStack) -> Sources:
    def archive(name: str) -> PictureArchive:
        opened = PictureArchive(folder / name, faults)
        stack.callback(opened.close)
        return opened

    captions = {}
    for i2t in release.captions:
        paths = [folder / place / f"{i2t}.csv" for place in CAPTION_FOLDERS]
        path = next((path for path in paths if path.is_file()), paths[0])
        try:
            captions[i2t] = read_captions(path)
        except CaptionError as error:
            faults.add(path.name, error)
            captions[i2t] = {}
    return Sources(
        ground_truth=archive(GROUND_TRUTH_ZIP),
        references={kind: archive(REFERENCE_ZIPS[kind]) for kind in release.references},
        captions=captions,
        mos_references=archive(MOS_REFERENCES_ZIP) if release.mos_references else None,
        mos=archive(MOS_ZIP) if release.mos else None,
        labels=read_labels(folder, faults) if release.mos else None,
    )


def _compare_names(sources: Sources, release: Release, faults: Faults) -> None:
    """Refuse what is missing and what nobody asked for."""
    wanted = release.expected_names
    _compare(sources.ground_truth.path.name, sources.ground_truth.names, wanted, faults)
    for archive in sources.references.values():
        _compare(archive.path.name, archive.names, wanted, faults)
    for i2t, texts in sources.captions.items():
        for name in sorted(wanted - texts.keys()):
            faults.add(f"{i2t}.csv, {name}", "the picture has no caption")
        for name in sorted(texts.keys() - wanted):
            faults.add(f"{i2t}.csv, {name}", "a caption for no picture")
        for name in sorted(wanted & texts.keys()):
            if not texts[name]:
                faults.add(f"{i2t}.csv, {name}", "the caption is empty")
    if sources.mos_references is not None:
        found = len(sources.mos_references.names)
        if found != release.mos_references:
            faults.add(MOS_REFERENCES_ZIP, f"{found} pictures; wanted {release.mos_references}")
    if sources.mos is not None and sources.labels is not None:
        _compare(MOS_ZIP, sources.mos.names, frozenset(sources.labels.mos), faults)
        if len(sources.labels.mos) != release.mos:
            faults.add("mos.csv", f"{len(sources.labels.mos)} pictures; wanted {release.mos}")
        viewers = {row["viewer"] for row in sources.labels.ratings}
        if len(viewers) != release.viewers:
            faults.add("ratings.csv", f"{len(viewers)} viewers; wanted {release.viewers}")
        known = sources.mos_references.names if sources.mos_references else frozenset()
        for name, row in sources.labels.mos.items():
            if row["reference"] not in known:
                faults.add(f"mos.csv, {name}", f"its reference {row['reference']} is missing")


def _compare(where: str, found: frozenset[str], wanted: frozenset[str], faults: Faults) -> None:
    for name in sorted(wanted - found):
        faults.add(f"{where}, {name}", "missing")
    for name in sorted(found - wanted):
        faults.add(f"{where}, {name}", "is not one of this release's pictures")


class _Import:
    """One import: what is known so far, and each table."""

    def __init__(self, out: Path, sources: Sources, release: Release, faults: Faults) -> None:
        self._out, self._sources, self._release, self._faults = out, sources, release, faults
        self._sizes: dict[str, tuple[int, int]] = {}
        self._shas: dict[str, str] = {}
        self._by_content: dict[str, list[Sample]] = defaultdict(list)
        for name in sorted(release.expected_names):
            sample = parse_name(name)
            self._by_content[sample.content].append(sample)

    def run(self, report: Reporter) -> None:
        """Write every table that is expected."""
        count = len(self._release.expected_names)
        total = count * (1 + len(self._release.references)) + self._release.mos
        with report("import", total + self._release.mos_references) as advance:
            self._ground_truth(advance)
            for kind, archive in self._sources.references.items():
                self._references(kind, archive, advance)
            for i2t, texts in self._sources.captions.items():
                self._captions(i2t, texts)
            self._mos(advance)

    def _ground_truth(self, advance: Callable[[int], None]) -> None:
        archive = self._sources.ground_truth

        def row(sample: Sample) -> Row:
            made = {**sample_row(sample), **self._picture(archive, sample.name)}
            self._check_ground_truth(made)
            return made

        for shard, samples in cut(GROUND_TRUTH, (), self._by_content):
            marks = [archive.mark(sample.name) for sample in samples]
            if not self._write(shard, samples, row, marks, archive, advance):
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

    def _references(
        self, kind: str, archive: PictureArchive, advance: Callable[[int], None]
    ) -> None:
        def row(sample: Sample) -> Row:
            picture = self._picture(archive, sample.name)
            size, wanted = (picture["width"], picture["height"]), self._sizes.get(sample.name)
            if wanted is not None and size != wanted:
                raise PictureError(
                    f"{size[0]}x{size[1]}; its ground truth has {wanted[0]}x{wanted[1]}"
                )
            return released_reference_row(sample, kind, picture)

        for shard, samples in cut(REFERENCES, ("released", kind), self._by_content):
            marks = [
                f"{archive.mark(sample.name)} {self._sizes.get(sample.name)}" for sample in samples
            ]
            self._write(shard, samples, row, marks, archive, advance)

    def _captions(self, i2t: str, texts: Mapping[str, str]) -> None:
        for shard, samples in cut(CAPTIONS, (slug(i2t),), self._by_content):
            rows = [caption_row(s, i2t, texts[s.name], "released") for s in samples]
            write_shard(self._out, shard, rows, map(repr, rows))

    def _mos(self, advance: Callable[[int], None]) -> None:
        references, pictures = self._sources.mos_references, self._sources.mos
        if references is not None:

            def reference_row(name: str) -> Row:
                return {"name": name, **self._picture(references, name)}

            for shard, names in cut(MOS_REFERENCES, (), {TEST: sorted(references.names)}):
                marks = [references.mark(name) for name in names]
                self._write(shard, names, reference_row, marks, references, advance)
        if pictures is None or self._sources.labels is None:
            return
        labels = self._sources.labels

        def row(name: str) -> Row:
            return {**labels.mos[name], **self._picture(pictures, name)}

        by_model: dict[str, list[str]] = defaultdict(list)
        for name in sorted(labels.mos):
            by_model[str(labels.mos[name]["t2i"])].append(name)
        for t2i, group in sorted(by_model.items()):
            for shard, names in cut(MOS, (slug(t2i),), {TEST: group}):
                marks = [f"{pictures.mark(name)} {labels.mos[name]}" for name in names]
                self._write(shard, names, row, marks, pictures, advance)
        shard = Shard(RATINGS, (), TEST, 0)
        write_shard(self._out, shard, labels.ratings, map(repr, labels.ratings))

    def _picture(self, archive: PictureArchive, name: str) -> Row:
        file = archive.read(name)
        return picture_row(name, file.data, file.width, file.height)

    def _write(
        self,
        shard: Shard,
        items: Sequence[Any],
        row: Callable[[Any], Row],
        marks: Sequence[str],
        archive: PictureArchive,
        advance: Callable[[int], None],
    ) -> bool:
        """Write a shard of pictures; a broken one is noted and leaves the shard unwritten."""
        before = len(self._faults)

        def rows() -> Iterator[Row]:
            for item in items:
                try:
                    yield row(item)
                except (DatasetError, PictureError) as error:
                    name = item.name if isinstance(item, Sample) else item
                    self._faults.add(f"{archive.path.name}, {name}", error)
                advance(1)
            if len(self._faults) > before:
                raise _BrokenShardError

        try:
            written = write_shard(self._out, shard, rows(), marks)
        except _BrokenShardError:
            return True
        if not written:
            advance(len(items))
        return written


class _BrokenShardError(DatasetError):
    """A shard that is not to be written; its faults are noted."""
