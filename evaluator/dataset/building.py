"""From ground truth alone to a dataset folder: references and captions are made here."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset_cards.cards import Inventory, dataset_of, is_dataset
from dataset_cards.cmc_bench.build import (
    built_reference_row,
    caption_row,
    picture_row,
    sample_row,
)
from dataset_cards.cmc_bench.features import CAPTIONS, CMC_BENCH, GROUND_TRUTH, REFERENCES
from dataset_cards.layout import cut, list_shards, slug
from dataset_cards.parquet import read_row, read_rows
from dataset_cards.requests.build import system_text
from evaluator.captioners import Captioner, NamedPicture
from evaluator.codec import open_captioner
from evaluator.codecs import load_codec
from evaluator.dataset.archives import check_png
from evaluator.dataset.folder import finish, locked, staged, write_shard
from evaluator.dataset.runs import add_runs
from evaluator.pictures import fingerprint, open_picture, png_bytes
from evaluator.pixels import decode_pixels, encode_pixels
from evaluator.progress import Reporter, silent
from protocol.errors import DatasetError
from protocol.records import System
from protocol.rules import PIXEL_BITS_PER_CHANNEL, VVC_QP, Role
from protocol.samples import Sample, list_samples, parse_name
from protocol.versions import Protocol
from submission.systems import pin_system, resolve

if TYPE_CHECKING:
    from PIL.Image import Image

Row = dict[str, Any]
PIXELS_ENCODER = f"block means, {PIXEL_BITS_PER_CHANNEL} bits a channel, bicubic"


@dataclass(frozen=True, slots=True)
class Truth:
    """One ground truth: its file, and what says that it is this file."""

    sample: Sample
    data: Callable[[], bytes]
    mark: str

    def picture(self) -> "Image":
        """Return the picture, RGB."""
        return open_picture(self.data(), self.sample.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be made."""

    references: bool = True
    i2t: Sequence[str] = ()
    """Systems that write captions."""
    runs: Sequence[Path] = ()
    """Folders that `cmc evaluate --out` wrote."""
    protocol: Protocol
    """Decides what an I2T model is asked."""
    device: str = "cpu"
    """Where it runs."""


def build(
    source: Path,
    out: Path,
    wanted: Wanted,
    report: Reporter = silent,
) -> Inventory:
    """Make or extend a dataset folder.

    Args:
        source: a folder of ground-truth PNG files, or a dataset folder.
        out: a new folder; where `source` is a dataset folder, that itself.
        wanted: what to make beside the ground truth.
        report: is told how far it is.

    Raises:
        CMCError: something cannot be used; what was finished is kept for the next time.
    """
    is_extended = _is_extended(source, out)
    # Before hours of coding: what is no model is said at once.
    systems = {text: pin_system(resolve(text, Role.I2T)) for text in wanted.i2t}
    place: AbstractContextManager[Path | None]
    place = locked(source) if is_extended else staged(out)
    with place as staging:
        folder = staging or source
        if not is_extended:
            _write_ground_truth(source, folder, report)
        by_content = _truths(folder)
        if wanted.references:
            _write_references(folder, by_content, report)
        for text, system in systems.items():
            captioner = open_captioner(text, wanted.protocol, wanted.device)
            _write_captions(
                folder, by_content, captioner, system, protocol=wanted.protocol, report=report
            )
        pictures = _fingerprint(by_content)
        if wanted.runs:
            add_runs(folder, wanted.runs, CMC_BENCH.config("distorted"), pictures, report)
        return finish(folder, CMC_BENCH)


def _is_extended(source: Path, out: Path) -> bool:
    """Return whether a dataset folder is extended, and not made from a folder of pictures."""
    is_in_place = out.resolve() == source.resolve()
    if not is_dataset(source):
        if is_in_place and source.is_dir():
            raise DatasetError(f"{source} is no dataset folder; name the one to be made with --out")
        return False
    if (found := dataset_of(source)) is not CMC_BENCH:
        raise DatasetError(f"{source} holds {found.name}; wanted {CMC_BENCH.name}, or pictures")
    if not is_in_place:
        raise DatasetError(
            f"{source} is a dataset folder and is extended in place; leave --out out"
        )
    return True


def _write_ground_truth(images: Path, folder: Path, report: Reporter) -> None:
    by_content: dict[str, list[Sample]] = defaultdict(list)
    for sample in list_samples(images):
        by_content[sample.content].append(sample)

    def rows(samples: Sequence[Sample]) -> Iterator[Row]:
        for sample in samples:
            png = check_png((images / sample.name).read_bytes(), sample.name)
            yield {**sample_row(sample), **picture_row(sample.name, *png)}

    with report("pictures", sum(map(len, by_content.values()))) as advance:
        for shard, samples in cut(GROUND_TRUTH, (), by_content):
            stats = [(s.name, (images / s.name).stat()) for s in samples]
            marks = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]
            write_shard(folder, shard, rows(samples), marks)
            advance(len(samples))


def _truths(folder: Path) -> Mapping[str, Sequence[Truth]]:
    """Return the ground truths of a dataset folder; a file is read when it is asked for."""
    by_content: dict[str, list[Truth]] = defaultdict(list)
    for shard in list_shards(folder, GROUND_TRUTH):
        path = folder / shard.path
        for number, row in enumerate(read_rows(path, ["name", "sha256"])):
            by_content[shard.split].append(
                Truth(parse_name(row["name"]), _reader(path, number), row["sha256"])
            )
    return by_content


def _fingerprint(by_content: Mapping[str, Sequence[Truth]]) -> str:
    """Return what `fingerprint_images` says of the same pictures as files."""
    truths = [truth for group in by_content.values() for truth in group]
    return fingerprint({truth.sample.name: truth.mark for truth in truths})


def _reader(path: Path, number: int) -> Callable[[], bytes]:
    def read() -> bytes:
        data: bytes = read_row(path, number, ["image"])["image"]["bytes"]
        return data

    return read


def _write_references(
    folder: Path, by_content: Mapping[str, Sequence[Truth]], report: Reporter
) -> None:
    encoder = load_codec("vvc").description()
    kinds: Mapping[str, tuple[Callable[[Truth], Row], str]] = {
        "image": (lambda truth: _vvc_row(truth, encoder), encoder),
        "pixel": (_pixel_row, PIXELS_ENCODER),
    }
    total = sum(map(len, by_content.values())) * len(kinds)
    # One single-threaded ffmpeg a core, as in `evaluator.encode`.
    with report("references", total) as advance, ThreadPoolExecutor(os.cpu_count()) as pool:
        for kind, (row, settings) in kinds.items():
            for shard, truths in cut(REFERENCES, ("built", kind), by_content):
                marks = [settings, *(f"{t.sample.name} {t.mark}" for t in truths)]
                write_shard(folder, shard, _in_order(pool, row, truths), marks)
                advance(len(truths))


def _in_order(
    pool: ThreadPoolExecutor, row: Callable[[Truth], Row], truths: Sequence[Truth]
) -> Iterator[Row]:
    """Yield the rows in order, with a few more under way and never all of them."""
    size = 2 * (os.cpu_count() or 1)
    for start in range(0, len(truths), size):
        yield from pool.map(row, truths[start : start + size])


def _vvc_row(truth: Truth, encoder: str) -> Row:
    picture, codec = truth.picture(), load_codec("vvc")
    stream = codec.encode(picture, VVC_QP)
    start = codec.decode(stream, picture.width, picture.height)
    return _built(truth, "image", start, quality=VVC_QP, encoder=encoder, bitstream=stream)


def _pixel_row(truth: Truth) -> Row:
    picture = truth.picture()
    payload = encode_pixels(picture)
    start = decode_pixels(payload, picture.width, picture.height)
    quality = PIXEL_BITS_PER_CHANNEL
    return _built(truth, "pixel", start, quality=quality, encoder=PIXELS_ENCODER, bitstream=payload)


def _built(truth: Truth, kind: str, start: "Image", **made: Any) -> Row:
    name = truth.sample.name
    picture = picture_row(name, png_bytes(start), start.width, start.height)
    return built_reference_row(truth.sample, kind, picture, **made)


def _write_captions(
    folder: Path,
    by_content: Mapping[str, Sequence[Truth]],
    captioner: Captioner,
    system: System,
    *,
    protocol: Protocol,
    report: Reporter,
) -> None:
    name = system_text(system)

    def rows(truths: Sequence[Truth]) -> Iterator[Row]:
        for truth in truths:
            asked = NamedPicture(truth.sample.name, truth.picture())
            (caption,) = captioner.caption([asked])
            yield caption_row(truth.sample, name, caption.text, "built")

    with report("captions", sum(map(len, by_content.values()))) as advance:
        folder_name = slug(f"{system.label}-{system.revision[:8]}")
        for shard, truths in cut(CAPTIONS, (folder_name,), by_content):
            marks = [
                name,
                protocol.caption_prompt,
                *(f"{t.sample.name} {t.mark}" for t in truths),
            ]
            write_shard(folder, shard, rows(truths), marks)
            advance(len(truths))
