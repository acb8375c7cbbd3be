"""Codecs on real pictures: points of rate and score, kept picture by picture.

All that is encoded, decoded or scored goes through the cache, so a run that was stopped goes on
where it was.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from pathlib import Path

from evaluator.bench import Bench
from evaluator.bitstream import bits_per_pixel
from evaluator.codecs import check_quality, load_codec
from evaluator.decode import START_IMAGE, decode_all
from evaluator.encode import Encoded, encode_all
from evaluator.image_scores import read_rows
from evaluator.lazy_indicator import LazyIndicator
from evaluator.progress import silent
from evaluator.requests import make_request
from evaluator.score import score_all
from evaluator.target import nearest_quality
from protocol.errors import InputError, RecordError
from protocol.files import write_whole
from protocol.records import Request, System
from protocol.rules import Role
from protocol.samples import Sample, list_samples
from protocol.versions import find_protocol

PROTOCOL = "cmc-1"
"""Decides nothing here: a codec knows neither strength nor steps, and the indicators are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePoint:
    """One picture at one setting, with one indicator's score."""

    codec: str
    setting: str
    """A codec's quality, or the mode of a system."""
    name: str
    bits_per_pixel: float
    """Of the whole `.cmc` file."""
    indicator: str
    score: float | None
    """Higher is better."""


COLUMNS = tuple(field.name for field in fields(RatePoint))


def measure_ladder(
    codec: str, qualities: Sequence[int], indicators: Sequence[str], bench: Bench
) -> list[RatePoint]:
    """Return a codec's points on a folder of pictures, quality by quality.

    Raises:
        InputError: codec, quality, indicator or a picture's name is unknown.
    """
    samples = list_samples(bench.images)
    loaded = _load(indicators, bench)
    request = _request(codec, bench)
    points: list[RatePoint] = []
    for quality in dict.fromkeys(qualities):
        files = encode_all(_at(request, quality), samples, bench)
        points += _points(files, codec, str(quality), loaded, bench)
    return points


def measure_at_rates(
    codec: str, targets: Mapping[str, float], indicators: Sequence[str], bench: Bench
) -> list[RatePoint]:
    """Return a codec's points with each picture's file as near as it can be to a wanted rate.

    Args:
        codec: its quality is chosen for each picture, by the rules of `evaluator.target`.
        targets: bits per pixel of the whole file, by picture.
        indicators: to score with.
        bench: its folder of pictures is used.

    Raises:
        InputError: a picture has no target above 0, or a name is unknown.
    """
    samples = list_samples(bench.images)
    missing = [sample.name for sample in samples if not targets.get(sample.name, 0) > 0]
    if missing:
        raise InputError(
            f"{len(missing)} pictures of {bench.images} have no target rate above 0, "
            f"{missing[0]} for example"
        )
    loaded = _load(indicators, bench)
    request, quiet = _request(codec, bench), replace(bench, report=silent)
    found = []
    with bench.report(f"{codec} at rate", len(samples)) as advance:
        for sample in samples:
            found.append(_nearest(request, sample, targets[sample.name], quiet))
            advance(1)
    points: list[RatePoint] = []
    with bench.report("score", len(samples)) as advance:
        for quality, file in found:
            points += _points([file], codec, str(quality), loaded, quiet)
            advance(1)
    return points


def _nearest(request: Request, sample: Sample, target: float, bench: Bench) -> tuple[int, Encoded]:
    @cache
    def file_at(quality: int) -> Encoded:
        (file,) = encode_all(_at(request, quality), [sample], bench)
        return file

    codec = load_codec(_codec_of(request).adapter)
    worst_first = codec.QUALITIES if codec.HIGHER_IS_BETTER else codec.QUALITIES[::-1]
    quality = nearest_quality(worst_first, lambda q: _rate(file_at(q)), target)
    return quality, file_at(quality)


def _points(
    files: Sequence[Encoded],
    codec: str,
    setting: str,
    indicators: Sequence[LazyIndicator],
    bench: Bench,
) -> Iterator[RatePoint]:
    decoded = decode_all(START_IMAGE, find_protocol(PROTOCOL), files, bench)
    for scored in score_all(indicators, decoded, bench):
        file = scored.decoded.encoded
        yield RatePoint(
            codec=codec,
            setting=setting,
            name=file.sample.name,
            bits_per_pixel=_rate(file),
            indicator=scored.indicator,
            score=scored.score,
        )


def _rate(file: Encoded) -> float:
    return bits_per_pixel(len(file.data), file.stream.width, file.stream.height)


def _load(indicators: Sequence[str], bench: Bench) -> list[LazyIndicator]:
    return [LazyIndicator(name, bench.weights, bench.device) for name in dict.fromkeys(indicators)]


def _request(codec: str, bench: Bench) -> Request:
    """Return a request for a codec in image mode, at any quality."""
    return make_request(
        role=Role.CODEC,
        i2t=None,
        t2i=None,
        codec=f"{codec}:{load_codec(codec).QUALITIES[-1]}",
        modes=[],
        protocol=PROTOCOL,
        images=bench.images,
        dataset=bench.images.name,
        submitter="local",
    )


def _at(request: Request, quality: int) -> Request:
    codec = _codec_of(request)
    check_quality(codec.adapter, str(quality))
    return replace(request, codec=replace(codec, model=str(quality)))


def _codec_of(request: Request) -> System:
    if request.codec is None:
        raise InputError("a rate is chosen for a codec; the request names none")
    return request.codec


def write_points(path: Path, points: Iterable[RatePoint]) -> None:
    """Write points as CSV, whole or not at all."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(point) for point in points)
    write_whole(path, text.getvalue().encode())


def read_points(path: Path) -> list[RatePoint]:
    """Return the points of a CSV of `write_points`, or of a run's per-image Parquet.

    Raises:
        RecordError: the file is missing or neither of the two.
    """
    if not path.is_file():
        raise RecordError(f"{path} is missing; wanted a CSV of `cmc rates curve`")
    if path.suffix == ".parquet":
        return list(_from_parquet(path))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return [_from_row(row) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(
            f"{path} holds no rate points ({error!r}); wanted a CSV with the columns "
            f"{', '.join(COLUMNS)}"
        ) from error


def _from_row(row: Mapping[str, str]) -> RatePoint:
    rate, score = float(row["bits_per_pixel"]), float(row["score"]) if row["score"] else None
    if not (0 < rate < math.inf and (score is None or math.isfinite(score))):
        raise ValueError(f"{row['name']} at {row['setting']}: rate {rate}, score {score}")
    return RatePoint(
        codec=row["codec"],
        setting=row["setting"],
        name=row["name"],
        bits_per_pixel=rate,
        indicator=row["indicator"],
        score=score,
    )


def _from_parquet(path: Path) -> Iterator[RatePoint]:
    for row in read_rows(path, (*COLUMNS[2:], "mode")):
        yield RatePoint(
            codec=path.resolve().parent.name if path.stem == "per_image" else path.stem,
            setting=row["mode"],
            name=row["name"],
            bits_per_pixel=row["bits_per_pixel"],
            indicator=row["indicator"],
            score=row["score"],
        )
