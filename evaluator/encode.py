"""From pictures to files: captions, references, and the container around them."""

import base64
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.batches import group_by_shape
from evaluator.bench import Bench
from evaluator.bitstream import Bitstream
from evaluator.cache import CaptionEntry, ReferenceEntry, cache_key
from evaluator.captioning import Captions
from evaluator.codecs import load_codec
from evaluator.pictures import picture_size, read_known
from evaluator.pixels import encode_pixels
from evaluator.stages import ahead, close, in_pool
from evaluator.text_coders import encode_caption
from evaluator.text_prior import TextPrior
from evaluator.timesheet import Timesheet
from protocol.files import sha256_of_file
from protocol.records import Request
from protocol.rules import Mode
from protocol.samples import Sample
from protocol.versions import Protocol, find_protocol

if TYPE_CHECKING:
    from PIL.Image import Image


_GROUPS_AHEAD = 4
"""Captions that may be ready before they are needed, in groups."""


@dataclass(frozen=True, slots=True)
class CodecSetting:
    """An image codec at a quality."""

    codec: str
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One file of one mode, with what it was made from."""

    sample: Sample
    mode: Mode
    data: bytes
    """The `.cmc` file."""
    stream: Bitstream
    caption: str | None
    caption_tokens: int | None
    """Pieces that the I2T model generated; None without a caption or where nobody counted."""
    source_sha256: str
    """Of the ground truth's PNG."""
    seconds: float
    """Captioning and picture coding; writing the container takes microseconds."""


def compose(
    picture: "Image",
    mode: Mode,
    *,
    caption: str | None,
    text_coder: str,
    image: tuple[str, bytes] | None,
    text_prior: TextPrior | None = None,
) -> Bitstream:
    """Return the contents of the file that sends `picture` in `mode`.

    Args:
        picture: the ground truth, RGB.
        mode: decides the sections.
        caption: for every mode but image.
        text_coder: how the caption becomes bytes.
        image: the codec's name and its stream of the picture, for image and full mode.
        text_prior: for the text coder that takes one.
    """
    text = None
    if mode.has_caption and caption is not None:
        text = encode_caption(caption, text_coder, text_prior)
    codec, stream = image if image is not None else (None, None)
    return Bitstream(
        width=picture.width,
        height=picture.height,
        mode=mode,
        text_coder=None if text is None else text_coder,
        text=text,
        pixels=encode_pixels(picture) if mode is Mode.PIXEL else None,
        image_codec=codec,
        image=stream,
    )


def encode_all(request: Request, samples: Sequence[Sample], bench: Bench) -> list[Encoded]:
    """Return the files of a request, sample by sample and mode by mode.

    Raises:
        CMCError: a picture is damaged, a caption is missing, or a codec refused.
    """
    groups = encode_groups(request, plan_groups(samples, bench), bench, Timesheet())
    files = {(file.sample.name, file.mode): file for group in groups for file in group}
    return [files[sample.name, mode] for sample in samples for mode in request.modes]


def plan_groups(samples: Sequence[Sample], bench: Bench) -> list[list[Sample]]:
    """Return the samples that go together: as many as a batch holds, of one picture size."""
    sizes = {sample.name: picture_size(bench.images / sample.name) for sample in samples}
    return group_by_shape(samples, lambda sample: sizes[sample.name], bench.batch_size)


def encode_groups(
    request: Request,
    groups: Sequence[Sequence[Sample]],
    bench: Bench,
    timesheet: Timesheet,
    model: Captions | None = None,
) -> Iterator[list[Encoded]]:
    """Yield the files of each group, sample by sample and mode by mode.

    Captions, picture coding and the container overlap; each is at most some groups ahead.

    Args:
        request: what is asked for.
        groups: samples that are captioned together.
        bench: where.
        timesheet: where the time is noted.
        model: what captions; made from the request when not given, and then released at the end.

    Raises:
        CMCError: a picture is damaged, a caption is missing, or a codec refused.
    """
    protocol = find_protocol(request.protocol)
    shas = {s.name: sha256_of_file(bench.images / s.name) for group in groups for s in group}
    setting = codec_setting(request, protocol)
    samples = [sample for group in groups for sample in group]
    given = model is not None
    captions: Iterator[dict[str, CaptionEntry]] = iter([{}] * len(groups))
    if request.i2t is not None and any(mode.has_caption for mode in request.modes):
        model = model or Captions(request.i2t, protocol, bench, timesheet)
        captions = model.of_batches(groups, shas)
        if bench.overlap:
            captions = ahead(captions, _GROUPS_AHEAD)
    references: Iterator[ReferenceEntry | None] = iter([None] * len(samples))
    if any(mode.has_image for mode in request.modes):
        references = _references(setting, samples, shas, bench, timesheet)
    maker = _Maker(request, setting, protocol.text_coder, bench, shas)
    try:
        for group in groups:
            said = next(captions)
            # Taken one by one: later ones are still being coded.
            yield [
                file
                for sample in group
                for file in maker.files(sample, said.get(sample.name), next(references))
            ]
    finally:
        close(captions)
        close(references)
        if model is not None and not given:
            model.release()


def codec_setting(request: Request, protocol: Protocol) -> CodecSetting:
    """Return the image codec that a request's files carry."""
    if request.codec is not None:
        return CodecSetting(request.codec.adapter, int(request.codec.model))
    return CodecSetting("vvc", protocol.vvc_qp)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Writes the container around what was made of a picture."""

    request: Request
    setting: CodecSetting
    text_coder: str
    bench: Bench
    shas: Mapping[str, str]

    def files(
        self, sample: Sample, caption: CaptionEntry | None, reference: ReferenceEntry | None
    ) -> list[Encoded]:
        """Return the files of one picture, mode by mode."""
        picture = read_known(self.bench.images / sample.name, self.shas[sample.name])
        files = []
        for mode in self.request.modes:
            text = caption if mode.has_caption else None
            image = reference if mode.has_image else None
            stream = compose(
                picture,
                mode,
                caption=text.text if text else None,
                text_coder=self.text_coder,
                image=(self.setting.codec, base64.b64decode(image.stream)) if image else None,
                text_prior=self.bench.text_prior,
            )
            files.append(
                Encoded(
                    sample=sample,
                    mode=mode,
                    data=stream.pack(),
                    stream=stream,
                    caption=text.text if text else None,
                    caption_tokens=text.tokens if text else None,
                    source_sha256=self.shas[sample.name],
                    seconds=sum(entry.seconds for entry in (text, image) if entry),
                )
            )
        return files


def _references(
    setting: CodecSetting,
    samples: Sequence[Sample],
    shas: Mapping[str, str],
    bench: Bench,
    timesheet: Timesheet,
) -> Iterator[ReferenceEntry]:
    """Yield each sample's stream, from the cache or from the codec."""
    codec = load_codec(setting.codec)
    encoder = codec.description()

    def encode(sample: Sample) -> ReferenceEntry:
        key = cache_key({"image": shas[sample.name], "codec": setting, "encoder": encoder})
        entry = bench.cache.find(ReferenceEntry, key)
        if entry is not None:
            timesheet.found("reference")
            return entry
        timesheet.made("reference")
        picture = read_known(bench.images / sample.name, shas[sample.name])
        started = time.perf_counter()
        with timesheet.working(setting.codec):
            stream = codec.encode(picture, setting.quality)
        seconds = time.perf_counter() - started
        entry = ReferenceEntry(base64.b64encode(stream).decode(), seconds)
        bench.cache.keep(key, entry)
        return entry

    # One single-threaded ffmpeg a core: VVenC finds little to share out in one small picture.
    workers = os.cpu_count() or 1
    return in_pool(encode, samples, workers=workers, window=workers + bench.batch_size)
