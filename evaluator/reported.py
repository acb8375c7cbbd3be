"""Results that a submitter sends: data and nothing else, and every number made again from it.

A folder as `cmc evaluate --out` writes it: `result.json` and `per_image.parquet`. What is stored is
written anew from the rows that were checked, so nothing else that a file held gets any further.
"""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from evaluator.recompute import Row, table_problems
from evaluator.reported_rows import LARGEST_NUMBER, check_rows, write_table
from evaluator.reported_table import read_apart
from protocol.errors import InputError, RecordError
from protocol.jsonable import from_plain, to_json, to_plain, unrepeated
from protocol.records import Request, Result
from protocol.samples import list_samples
from protocol.versions import find_protocol
from submission.clock import is_time
from submission.reported import reported_path
from submission.wording import shown

RESULT, PER_IMAGE = "result.json", "per_image.parquet"
LARGEST_RESULT_BYTES = 1 << 19
LARGEST_TABLE_BYTES = 1 << 25
"""The benchmark's 1,000 pictures in four modes are some 2 MB."""
LARGEST = {"json": LARGEST_RESULT_BYTES, "parquet": LARGEST_TABLE_BYTES}
PROBLEMS_SHOWN = 3
LONGEST_TEXT = 2000
MOST_OPERATIONS = 10**30


class Bundle(NamedTuple):
    """The two files, as they came."""

    result: bytes
    per_image: bytes


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What was found to be in order."""

    result: Result
    """Self-reported, about the table beside it."""
    per_image: bytes
    """The table, written anew."""


def read_bundle(folder: Path) -> Bundle:
    """Return the files of a folder of results.

    Raises:
        InputError: one is missing or too large.
    """
    contents = []
    for name, largest in ((RESULT, LARGEST_RESULT_BYTES), (PER_IMAGE, LARGEST_TABLE_BYTES)):
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path} is missing; wanted a folder that `cmc evaluate --out` made")
        if path.stat().st_size > largest:
            raise InputError(f"{path} has more than {largest:,} bytes")
        contents.append(path.read_bytes())
    return Bundle(*contents)


def without_folders(bundle: Bundle) -> Bundle:
    """Return the files without the folders of the machine that made them, which are nobody's."""
    result = read_result(bundle.result)
    public = replace(result, request=result.request.unplaced)
    return bundle._replace(result=to_json(public).encode())


def files_of(request_id: str, bundle: Bundle) -> dict[str, bytes]:
    """Return the files by their path in a store."""
    kinds = {"json": bundle.result, "parquet": bundle.per_image}
    return {
        reported_path(request_id, hashlib.sha256(content).hexdigest(), kind): content
        for kind, content in kinds.items()
    }


def read_result(content: bytes) -> Result:
    """Return the result that a bundle holds, before anything in it is believed.

    Raises:
        RecordError: it is too large, or no result.
    """

    def refuse(name: str) -> NoReturn:
        raise RecordError(f"{RESULT} holds {name[:40]}, which is no number")

    def finite(text: str) -> float:
        return float(text) if math.isfinite(float(text)) else refuse(text)

    if len(content) > LARGEST_RESULT_BYTES:
        raise RecordError(f"{RESULT} has more than {LARGEST_RESULT_BYTES:,} bytes")
    try:
        plain = json.loads(
            content, parse_constant=refuse, parse_float=finite, object_pairs_hook=unrepeated
        )
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{RESULT} is no JSON ({error})") from error
    result: Result = from_plain(Result, plain, RESULT)
    return result


def check_reported(bundle: Bundle, request: Request, images: Path | None = None) -> TakenIn:
    """Check results and return them as they may stand on a board.

    Args:
        bundle: as it came.
        request: what the results must be of.
        images: the ground truth; None where it is not at hand, and an audit will tell.

    Raises:
        InputError: with what was found and what was wanted; RecordError where the files are not of
            the form.
    """
    result = read_result(bundle.result)
    if result.request.request_id != request.request_id:
        raise RecordError(
            f"the results are of request {result.request.request_id}, wanted {request.request_id}: "
            "another model, version of it, setting or set of pictures"
        )
    found = hashlib.sha256(bundle.per_image).hexdigest()
    if found != result.per_image_sha256:
        raise RecordError(
            f"{PER_IMAGE} has sha256 {found[:12]}…, {RESULT} names {result.per_image_sha256[:12]}…"
        )
    if len(bundle.per_image) > LARGEST_TABLE_BYTES:
        raise RecordError(f"{PER_IMAGE} has more than {LARGEST_TABLE_BYTES:,} bytes")
    rows = read_apart(bundle.per_image)
    check_rows(rows, request)
    _check_result(result, request, rows)
    if images is not None:
        _check_pictures(rows, images)
    written = write_table(rows)
    own = replace(
        result,
        request=request,
        source="self-reported",
        audit="",
        per_image_sha256=hashlib.sha256(written).hexdigest(),
    )
    return TakenIn(own, written)


def _check_result(result: Result, request: Request, rows: Sequence[Row]) -> None:
    if result.schema_version != 1:
        raise RecordError(f"{RESULT} is of schema {result.schema_version}, wanted 1")
    wanted = dict(find_protocol(request.protocol).indicators)
    uses = {use.dimension: use.name for use in result.provenance.indicators}
    if uses != wanted or len(result.provenance.indicators) != len(wanted):
        raise RecordError(f"{RESULT} was scored with {_names(uses)}, wanted {_names(wanted)}")
    for wrong in filter(None, _wrong_values(to_plain([result.provenance, result.run]), RESULT)):
        raise RecordError(wrong)
    if all(row["score"] is None for row in rows):
        raise RecordError("none of the pictures has a score, and no row comes of that")
    problems = table_problems(RESULT, result, rows)
    if problems:
        more = len(problems) - PROBLEMS_SHOWN
        shown = "; ".join(problems[:PROBLEMS_SHOWN])
        raise RecordError(
            f"the means are not those of the single pictures: {shown}"
            + (f"; and {more} more" if more > 0 else "")
        )


def _wrong_values(value: Any, where: str) -> Iterator[str]:
    """Yield what no run writes down of itself: what is not recomputed is shown and stored too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield _wrong_text(name, where)
            yield from _wrong_values(item, f"{where}, {shown(name, 40)}")
    elif isinstance(value, list):
        for item in value:
            yield from _wrong_values(item, where)
    elif isinstance(value, str):
        yield _wrong_text(value, where)
    elif value is not None:
        most = MOST_OPERATIONS if where.endswith(" operations") else LARGEST_NUMBER
        # Of all that stands there, scores alone may be negative.
        least = -most if ", calibration, " in where else 0
        if not least <= value <= most:
            yield f"{where} is {str(value)[:20]}, wanted {least:.0e} to {most:.0e}"


def _wrong_text(text: str, where: str) -> str:
    if len(text) > LONGEST_TEXT or not text.isprintable():
        return f"{where}: {shown(text, 80)!r} is over {LONGEST_TEXT} characters or hides some"
    if where.endswith(("started_at", "finished_at")) and not is_time(text):
        return f"{where}: {text[:40]!r} is no time as 2026-10-01T12:00:00.000Z"
    return ""


def _check_pictures(rows: Sequence[Row], images: Path) -> None:
    """Refuse rows that are not about exactly a folder's pictures, in their sizes."""
    from PIL import Image

    sizes = {row["name"]: (row["width"], row["height"]) for row in rows}
    names = [sample.name for sample in list_samples(images)]
    if sorted(sizes) != names:
        raise InputError(
            f"the scores are of {len(sizes)} pictures and {images} holds {len(names)}, of which "
            f"{len(set(names) & set(sizes))} have the same name"
        )
    for name in names:
        with Image.open(images / name) as picture:
            if picture.size != sizes[name]:
                raise InputError(
                    f"{name} is {picture.size[0]}x{picture.size[1]}, the scores say "
                    f"{sizes[name][0]}x{sizes[name][1]}"
                )


def _names(uses: Mapping[Any, str]) -> str:
    return ", ".join(f"{dimension} {name}" for dimension, name in sorted(uses.items())) or "none"
