"""A release's files, opened and looked through before anything is written."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dataset_cards.cmc_bench.release import Release
from evaluator.captioners.file import read_captions
from evaluator.dataset.archives import PictureArchive
from evaluator.dataset.faults import Faults
from evaluator.dataset.labels import Labels, read_labels
from protocol.errors import CaptionError

GROUND_TRUTH_ZIP = "ground-truth.zip"
REFERENCE_ZIPS = {"image": "reference-image.zip", "pixel": "reference-pix.zip"}
MOS_REFERENCES_ZIP, MOS_ZIP = "iqa-original.zip", "iqa-distort.zip"
CAPTION_FOLDERS = (".", "Text", "captions")
"""Where a caption file may lie: beside the archives, or as in the authors' repository."""


@dataclass(frozen=True, slots=True)
class Opinions:
    """The pictures with mean opinion scores, their references and their labels."""

    references: PictureArchive
    pictures: PictureArchive
    labels: Labels


@dataclass(frozen=True, slots=True)
class Sources:
    """All files of a release."""

    ground_truth: PictureArchive
    references: Mapping[str, PictureArchive]
    """By kind."""
    captions: Mapping[str, Mapping[str, str]]
    """By I2T model and picture name."""
    opinions: Opinions | None


def open_sources(folder: Path, release: Release, faults: Faults, stack: ExitStack) -> Sources:
    """Open what a release must have; what is missing or broken goes to `faults`."""

    def archive(name: str) -> PictureArchive:
        opened = PictureArchive(folder / name, faults)
        stack.callback(opened.close)
        return opened

    opinions = None
    ground_truth = archive(GROUND_TRUTH_ZIP)
    references = {kind: archive(REFERENCE_ZIPS[kind]) for kind in release.references}
    if release.mos:
        opinions = Opinions(
            archive(MOS_REFERENCES_ZIP), archive(MOS_ZIP), read_labels(folder, faults)
        )
    captions = {i2t: _captions(folder, i2t, faults) for i2t in release.captions}
    return Sources(ground_truth, references, captions, opinions)


def compare_names(sources: Sources, release: Release, faults: Faults) -> None:
    """Note what is missing and what nobody asked for."""
    wanted = release.expected_names
    for archive in (sources.ground_truth, *sources.references.values()):
        _compare(archive.path.name, archive.names, wanted, faults)
    for i2t, texts in sources.captions.items():
        _compare_captions(f"{i2t}.csv", texts, wanted, faults)
    if sources.opinions is not None:
        _compare_opinions(sources.opinions, release, faults)


def _compare_captions(
    where: str, texts: Mapping[str, str], wanted: frozenset[str], faults: Faults
) -> None:
    if wanted and not texts:
        faults.add(where, f"has no caption for any of {len(wanted):,} pictures")
        return
    for name in sorted(wanted - texts.keys()):
        faults.add(f"{where}, {name}", "the picture has no caption")
    for name in sorted(texts.keys() - wanted):
        faults.add(f"{where}, {name}", "a caption for no picture")
    for name in sorted(wanted & texts.keys()):
        if not texts[name]:
            faults.add(f"{where}, {name}", "the caption is empty")


def _captions(folder: Path, i2t: str, faults: Faults) -> Mapping[str, str]:
    paths = [folder / place / f"{i2t}.csv" for place in CAPTION_FOLDERS]
    path = next((path for path in paths if path.is_file()), paths[0])
    try:
        return read_captions(path)
    except CaptionError as error:
        faults.add(path.name, error)
        return {}


def _compare_opinions(opinions: Opinions, release: Release, faults: Faults) -> None:
    labels, known = opinions.labels, opinions.references.names
    _compare(MOS_ZIP, opinions.pictures.names, frozenset(labels.mos), faults)
    viewers = {row["viewer"] for row in labels.ratings}
    for where, what, found, wanted in (
        (MOS_REFERENCES_ZIP, "pictures", len(known), release.mos_references),
        ("mos.csv", "pictures", len(labels.mos), release.mos),
        ("ratings.csv", "viewers", len(viewers), release.viewers),
    ):
        if found != wanted:
            faults.add(where, f"{found} {what}; wanted {wanted}")
    for name, row in labels.mos.items():
        if row["reference"] not in known:
            faults.add(f"mos.csv, {name}", f"its reference {row['reference']} is missing")


def _compare(where: str, found: frozenset[str], wanted: frozenset[str], faults: Faults) -> None:
    if wanted and not found:
        # One line: a thousand names would hide what else is wrong.
        faults.add(where, f"has none of {len(wanted):,} pictures")
        return
    for name in sorted(wanted - found):
        faults.add(f"{where}, {name}", "missing")
    for name in sorted(found - wanted):
        faults.add(f"{where}, {name}", "is not one of this release's pictures")
