"""From pictures to files: captions, references, and the container around them."""

import base64
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.bench import Bench
from evaluator.bitstream import Bitstream
from evaluator.cache import CaptionEntry, ReferenceEntry, cache_key
from evaluator.captioners import Captioner, CaptionerModule, NamedPicture, find_captioner
from evaluator.codecs import load_codec
from evaluator.pictures import read_picture
from evaluator.pixels import encode_pixels
from evaluator.text_coders import encode_caption
from evaluator.text_prior import TextPrior
from protocol.files import sha256_of_file
from protocol.records import Request, System
from protocol.rules import Mode
from protocol.samples import Sample
from protocol.versions import Protocol, find_protocol

if TYPE_CHECKING:
    from PIL.Image import Image


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
    protocol = find_protocol(request.protocol)
    shas = {s.name: sha256_of_file(bench.images / s.name) for s in samples}
    captions: dict[str, CaptionEntry] = {}
    if request.i2t is not None and any(mode.has_caption for mode in request.modes):
        captions = _caption_all(request.i2t, protocol, samples, shas, bench)
    setting = codec_setting(request, protocol)
    references: dict[str, ReferenceEntry] = {}
    if any(mode.has_image for mode in request.modes):
        references = _reference_all(setting, samples, shas, bench)
    files = []
    for sample in samples:
        picture = read_picture(bench.images / sample.name)
        caption, reference = captions.get(sample.name), references.get(sample.name)
        for mode in request.modes:
            text = caption if mode.has_caption else None
            image = reference if mode.has_image else None
            stream = compose(
                picture,
                mode,
                caption=text.text if text else None,
                text_coder=protocol.text_coder,
                image=(setting.codec, base64.b64decode(image.stream)) if image else None,
            )
            files.append(
                Encoded(
                    sample=sample,
                    mode=mode,
                    data=stream.pack(),
                    stream=stream,
                    caption=text.text if text else None,
                    caption_tokens=text.tokens if text else None,
                    source_sha256=shas[sample.name],
                    seconds=sum(entry.seconds for entry in (text, image) if entry),
                )
            )
    return files


def codec_setting(request: Request, protocol: Protocol) -> CodecSetting:
    """Return the image codec that a request's files carry."""
    if request.codec is not None:
        return CodecSetting(request.codec.adapter, int(request.codec.model))
    return CodecSetting("vvc", protocol.vvc_qp)


def _caption_all(
    system: System,
    protocol: Protocol,
    samples: Sequence[Sample],
    shas: dict[str, str],
    bench: Bench,
) -> dict[str, CaptionEntry]:
    module = find_captioner(system.adapter)
    keys = _caption_keys(system, module, protocol, shas, bench)
    captions = {
        name: entry for name, key in keys.items() if (entry := bench.cache.find(CaptionEntry, key))
    }
    waiting = [sample for sample in samples if sample.name not in captions]
    size = bench.batch_size if module.IN_BATCHES else 1
    with bench.report("caption", len(samples)) as advance:
        advance(len(samples) - len(waiting))
        if not waiting:
            return captions
        captioner = module.load(system, protocol, bench.device)
        for start in range(0, len(waiting), size):
            batch = waiting[start : start + size]
            for name, entry in _caption_batch(captioner, batch, bench).items():
                captions[name] = entry
                if name in keys:
                    bench.cache.keep(keys[name], entry)
            advance(len(batch))
    return captions


def _caption_keys(
    system: System,
    module: CaptionerModule,
    protocol: Protocol,
    shas: dict[str, str],
    bench: Bench,
) -> dict[str, str]:
    """Return each picture's cache key by its name; none where captions are not to be kept."""
    described = dict(module.describe(protocol, bench.device))
    if not described:
        return {}
    settings = {k: v for k, v in system.settings.items() if k not in module.UNKEYED}
    identity = {**system.identity, "settings": settings}
    return {
        name: cache_key({"image": sha, "i2t": identity, "settings": described})
        for name, sha in shas.items()
    }


def _caption_batch(
    captioner: Captioner, batch: Sequence[Sample], bench: Bench
) -> dict[str, CaptionEntry]:
    pictures = [NamedPicture(s.name, read_picture(bench.images / s.name)) for s in batch]
    started = time.perf_counter()
    captions = captioner.caption(pictures)
    seconds = (time.perf_counter() - started) / len(batch)
    return {
        sample.name: CaptionEntry(
            text=caption.text,
            seconds=seconds,
            tokens=caption.tokens,
            is_cut=caption.is_cut,
            model=caption.model,
            answered_at=caption.answered_at,
        )
        for sample, caption in zip(batch, captions, strict=True)
    }


def _reference_all(
    setting: CodecSetting, samples: Sequence[Sample], shas: dict[str, str], bench: Bench
) -> dict[str, ReferenceEntry]:
    codec = load_codec(setting.codec)
    encoder = codec.description()

    def encode(sample: Sample) -> ReferenceEntry:
        key = cache_key({"image": shas[sample.name], "codec": setting, "encoder": encoder})
        entry = bench.cache.find(ReferenceEntry, key)
        if entry is None:
            picture = read_picture(bench.images / sample.name)
            started = time.perf_counter()
            stream = codec.encode(picture, setting.quality)
            seconds = time.perf_counter() - started
            entry = ReferenceEntry(base64.b64encode(stream).decode(), seconds)
            bench.cache.keep(key, entry)
        return entry

    references: dict[str, ReferenceEntry] = {}
    # One single-threaded ffmpeg a core: VVenC finds little to share out in one small picture.
    with (
        bench.report(f"{setting.codec} {setting.quality}", len(samples)) as advance,
        ThreadPoolExecutor(os.cpu_count()) as pool,
    ):
        for sample, entry in zip(samples, pool.map(encode, samples), strict=True):
            references[sample.name] = entry
            advance(1)
    return references
