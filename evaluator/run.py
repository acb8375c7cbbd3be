"""One request from pictures to a Result: encode, decode, score, put together."""

import hashlib
import math
import platform
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import TypeVar

from evaluator.bench import Bench, code_version
from evaluator.cache import PictureEntry
from evaluator.captioners.file import read_captions, require_captions
from evaluator.codecs import load_codec
from evaluator.decode import START_IMAGE, Decoded, DecodeStage
from evaluator.decoders import find_decoder
from evaluator.devices import describe_device
from evaluator.encode import Encoded, codec_setting, encode_groups, plan_groups
from evaluator.ffmpeg import ffmpeg_version
from evaluator.lazy_indicator import LazyIndicator
from evaluator.pictures import fingerprint_images
from evaluator.progress import Advance
from evaluator.ray_engine import run_on_ray
from evaluator.requests import require_codec_modes
from evaluator.score import Scored, ScoredRun, ScoreStage, find_indicators
from evaluator.stages import ahead, close
from evaluator.tables import costs_of, per_image_parquet, rates_of, scores_of
from evaluator.text_coders import encode_caption
from evaluator.text_prior import PRIOR_DIGITS
from evaluator.timesheet import Timesheet
from protocol.errors import InputError, OtherPictures
from protocol.records import Provenance, Request, Result
from protocol.rules import Mode, Role
from protocol.samples import Sample, list_samples
from protocol.versions import find_protocol
from submission.store import now

T = TypeVar("T")

SCHEMA_VERSION = 1
LIBRARIES = (
    *("accelerate", "brotli", "diffusers", "imageio-ffmpeg", "numpy", "pillow", "pyiqa"),
    *("safetensors", "tokenizers", "torch", "torchvision", "transformers"),
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A finished run."""

    result: Result
    per_image: bytes
    """The per-image scores as Parquet."""
    decoded: Sequence[Decoded]
    """The pictures, in the cache."""
    not_scored: Sequence[str] = ()
    """A code for each score that there is not."""


def evaluate(
    request: Request,
    bench: Bench,
    *,
    source: str = "verified",
    only: Collection[str] | None = None,
) -> Evaluation:
    """Run a request; everything that the cache holds is taken from there.

    Args:
        request: what is run.
        bench: where.
        source: what the result calls itself.
        only: names of the pictures to run; None runs all of them.

    Raises:
        CMCError: something that the whole request needs cannot be used. A picture that one model
            could not decode is no error: it is recorded as not scored.
    """
    started_at = now()
    check_request(request, bench)
    samples = [s for s in list_samples(bench.images) if only is None or s.name in only]
    # Before anything is computed: a missing caption or missing weights must not be found out after
    # hours of decoding.
    _require_captions(request, samples)
    indicators = find_indicators(request.protocol, bench)
    timesheet = Timesheet()
    ran = _run(request, samples, indicators, bench, timesheet)
    pairs = product(samples, request.modes)
    scored = [item for sample, mode in pairs for item in ran.by_picture[sample.name, mode]]
    decoded = list({id(item.decoded): item.decoded for item in scored}.values())
    per_image = per_image_parquet(scored)
    result = Result(
        schema_version=SCHEMA_VERSION,
        request=request,
        source=source,
        images=len(samples),
        scores=scores_of(scored),
        rates=rates_of([item.encoded for item in decoded]),
        costs=costs_of(decoded),
        provenance=replace(
            _provenance(request, bench, decoded, indicators, started_at),
            calibration=ran.calibration,
        ),
        per_image_sha256=hashlib.sha256(per_image).hexdigest(),
        run=timesheet.report(
            smallest_batch=ran.smallest_batch,
            price_per_hour=bench.price_per_hour,
            device=bench.device,
        ),
    )
    return Evaluation(result, per_image, decoded, _codes_of(scored))


def _codes_of(scored: Sequence[Scored]) -> list[str]:
    return [item.failure_code for item in scored if item.failure_code]


def _run(
    request: Request,
    samples: Sequence[Sample],
    indicators: Sequence[LazyIndicator],
    bench: Bench,
    timesheet: Timesheet,
) -> ScoredRun:
    if bench.actors:
        return run_on_ray(request, samples, bench, timesheet)
    return _run_here(request, samples, indicators, bench, timesheet)


def _run_here(
    request: Request,
    samples: Sequence[Sample],
    indicators: Sequence[LazyIndicator],
    bench: Bench,
    timesheet: Timesheet,
) -> ScoredRun:
    """Return the scores by picture and mode, made in this process."""
    protocol = find_protocol(request.protocol)
    decoder = DecodeStage(request.t2i or START_IMAGE, protocol, bench, timesheet)
    scorer = ScoreStage(indicators, bench, timesheet)
    count = len(samples) * len(request.modes)
    scored: dict[tuple[str, Mode], list[Scored]] = {}
    with (
        bench.report("encode", count) as encoded,
        bench.report("decode", count) as painted,
        bench.report("score", count) as marked,
    ):
        files: Iterator[list[Encoded]]
        files = _told(
            encode_groups(request, plan_groups(samples, bench), bench, timesheet), encoded
        )
        files = ahead(files, 1) if bench.overlap else iter(list(files))
        pictures = _told(decoder.of_groups(files), painted)
        pictures = ahead(pictures, 1) if bench.overlap else iter(list(pictures))
        try:
            for group in pictures:
                scorer.calibrate()
                for item in scorer.of_group(group):
                    file = item.decoded.encoded
                    scored.setdefault((file.sample.name, file.mode), []).append(item)
                marked(len(group))
        finally:
            close(pictures)
    return ScoredRun(scored, decoder.sizes.smallest, scorer.calibration)


def _told(groups: Iterator[list[T]], advance: Advance) -> Iterator[list[T]]:
    """Yield groups, and tell how many items have gone by."""
    try:
        for group in groups:
            advance(len(group))
            yield group
    finally:
        close(groups)


def check_request(request: Request, bench: Bench) -> None:
    """Refuse a request that cannot be run, before anything is computed.

    Raises:
        InputError: the pictures are not those asked for, a part is missing, or the T2I model has
            not the modes.
        CaptionError: the text coder lacks its prior.
    """
    protocol = find_protocol(request.protocol)
    if not request.modes:
        raise InputError("no mode is asked for; choose from text, pixel, image, full")
    found = fingerprint_images(bench.images)
    if found != request.dataset_sha256:
        raise OtherPictures(
            f"{bench.images} does not hold the pictures of the request: sha256 {found[:12]} over "
            f"names and contents, wanted {request.dataset_sha256[:12]} ({request.dataset})"
        )
    if request.role is Role.CODEC:
        require_codec_modes(request.modes)
        return
    if request.t2i is None:
        raise InputError("the request names no T2I model; start-image is the one without weights")
    modes = find_decoder(request.t2i.adapter).MODES
    missing = [mode for mode in request.modes if mode not in modes]
    if missing:
        raise InputError(f"{request.t2i.label} cannot do {', '.join(missing)}; leave it out")
    if request.i2t is None and any(mode.has_caption for mode in request.modes):
        raise InputError("the request names no I2T model; only image mode can do without")
    found = bench.text_prior.sha256[:PRIOR_DIGITS] if bench.text_prior else ""
    if found != protocol.text_prior:
        raise InputError(
            f"{protocol.name} has the text prior {protocol.text_prior or 'none'}, and "
            f"{found or 'none'} is given; --text-prior FILE gives one"
        )
    encode_caption("", protocol.text_coder, bench.text_prior)


def _require_captions(request: Request, samples: Sequence[Sample]) -> None:
    """Refuse a caption file that lacks a picture's line."""
    system = request.i2t
    if (
        system is not None
        and system.adapter == "file"
        and any(m.has_caption for m in request.modes)
    ):
        captions = read_captions(Path(system.path))
        require_captions(captions, [sample.name for sample in samples], system.model)


def _provenance(
    request: Request,
    bench: Bench,
    decoded: Sequence[Decoded],
    indicators: Sequence[LazyIndicator],
    started_at: str,
) -> Provenance:
    protocol = find_protocol(request.protocol)
    codec = ""
    if any(mode.has_image for mode in request.modes):
        codec = load_codec(codec_setting(request, protocol).codec).description()
    return Provenance(
        libraries={name: _version(name) for name in LIBRARIES},
        platform=f"Python {platform.python_version()}, {platform.platform()}",
        device=describe_device(bench.device),
        ffmpeg=ffmpeg_version(),
        codec=codec,
        code_version=code_version(),
        indicators=tuple(indicator.use for indicator in indicators),
        seed=protocol.seed,
        batch_size=bench.batch_size,
        start_sigma=_mean_by_mode(decoded, lambda entry: entry.start_sigma),
        started_at=started_at,
        finished_at=now(),
        asked_sigma=_mean_by_mode(decoded, lambda entry: entry.asked_sigma),
        captions_cut=_captions_cut(decoded),
        t2i_details={k: v for item in decoded for k, v in item.entry.details.items()},
    )


def _mean_by_mode(
    decoded: Sequence[Decoded], value: Callable[[PictureEntry], float | None]
) -> dict[Mode, float]:
    """Return the mean of a noise level by mode, where it is known and finite."""
    means = {}
    for mode in Mode:
        values = [value(item.entry) for item in decoded if item.encoded.mode is mode]
        known = [v for v in values if v is not None and math.isfinite(v)]
        if known:
            means[mode] = fmean(known)
    return means


def _captions_cut(decoded: Sequence[Decoded]) -> dict[Mode, int]:
    found: dict[Mode, int] = {}
    for item in decoded:
        mode, is_cut = item.encoded.mode, item.entry.caption_is_cut
        if mode.has_caption and is_cut is not None:
            found[mode] = found.get(mode, 0) + is_cut
    return found


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"
