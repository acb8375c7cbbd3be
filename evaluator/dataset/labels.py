"""The labels of the mean opinion scores, as tables beside the archives: mos.csv and ratings.csv."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, isfinite, sqrt
from pathlib import Path
from typing import Any

from dataset_cards.cmc_bench.build import pseudonyms
from evaluator.dataset.faults import Faults
from protocol.errors import RatingError
from protocol.mos import nsfw_reports, opinions
from protocol.ratings import COLUMNS, Parsed, Rated, Reason, parse_ratings
from protocol.rules import Mode

Row = dict[str, Any]
Texts = Mapping[str, str]


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("empty")
    return text


def _number(text: str, *, least: float = -inf, most: float = inf) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text} is not finite")
    if not least <= number <= most:
        raise ValueError(f"{text}; wanted {least:g} to {most:g}")
    return number


def _spread(text: str) -> float | None:
    return _number(text, least=0) if text else None


def _count(text: str, *, least: int = 0) -> int:
    count = int(text)
    if count < least:
        raise ValueError(f"{count}; wanted {least} or more")
    return count


Columns = Mapping[str, Callable[[str], object]]
PICTURE_COLUMNS: Columns = {
    "distorted": _text,
    "reference": _text,
    "t2i": _text,
    "mode": Mode,
    "strength": partial(_number, least=0, most=1),
}
SCORE_COLUMNS: Columns = {
    "consistency_mos": _number,
    "consistency_sd": _spread,
    "perception_mos": _number,
    "perception_sd": _spread,
    "viewers": partial(_count, least=1),
    "nsfw_reports": _count,
}
"""Of mos.csv; without them they are computed from the ratings."""
RATED_AS = "image"
"""Column of mos.csv, where ratings.csv calls a picture otherwise than the archive does."""
SCORED = (Rated.CONSISTENCY, Rated.PERCEPTION)


@dataclass(frozen=True, slots=True)
class Labels:
    """Both tables."""

    mos: Mapping[str, Row]
    """By the distorted picture's name."""
    ratings: tuple[Row, ...]
    """By viewer, else in the order of the file; viewers are pseudonyms."""


def read_labels(folder: Path, faults: Faults) -> Labels:
    """Return the labels of a release; what cannot be used goes to `faults`."""
    before = len(faults)
    pictures = _pictures(folder / "mos.csv", faults)
    is_read = len(faults) == before
    mos = {str(row["distorted"]): row for row in pictures}
    names = {str(row.pop(RATED_AS)): str(row["distorted"]) for row in pictures}
    texts = _ratings(folder / "ratings.csv", names, faults)
    parsed = parse_ratings(texts)
    # Of a table that was read in part nobody can say what it has not.
    _refuse(parsed, mos if is_read else None, faults)
    _score(mos, parsed, faults)
    broken = {item.line for item in parsed.refused if item.reason is not Reason.SUPERSEDED}
    rows: list[Row] = [
        {**row, "rating": float(row["rating"])}
        for line, row in enumerate(texts, start=2)
        if line not in broken
    ]
    # Of two ratings with one time the later line counts: the order within a viewer stays.
    return Labels(mos, tuple(sorted(rows, key=lambda row: str(row["viewer"]))))


def _pictures(path: Path, faults: Faults) -> list[Row]:
    """Return the rows of mos.csv, with scores where it has any."""
    texts = list(_lines(path, tuple(PICTURE_COLUMNS), faults))
    given = sorted(set(texts[0]) & set(SCORE_COLUMNS)) if texts else []
    if given and len(given) < len(SCORE_COLUMNS):
        missing = [name for name in SCORE_COLUMNS if name not in given]
        faults.add(path.name, f"no column {', '.join(missing)}; give all scores or none")
        return []
    columns = {**PICTURE_COLUMNS, **(SCORE_COLUMNS if given else {})}
    rows: list[Row] = []
    lines: dict[tuple[str, object], int] = {}
    for number, row in enumerate(texts, start=2):
        where = f"{path.name}, line {number}"
        read = _read(row, columns, where, faults)
        if read is None:
            continue
        read[RATED_AS] = row.get(RATED_AS) or read["distorted"]
        for name in ("distorted", RATED_AS):
            first = lines.setdefault((name, read[name]), number)
            if first != number:
                faults.add(where, f"{name} {read[name]} is that of line {first} too")
        rows.append(read)
    return rows


def _read(row: Texts, columns: Columns, where: str, faults: Faults) -> Row | None:
    """Return a line's values; None where one cannot be read."""
    read: Row = {}
    for name, convert in columns.items():
        try:
            read[name] = convert(row[name])
        except ValueError as error:
            faults.add(where, f"{name} cannot be read: {error}")
    return read if len(read) == len(columns) else None


def _ratings(path: Path, names: Texts, faults: Faults) -> list[dict[str, str]]:
    """Return ratings.csv line by line, without the viewers' names and with the pictures' here."""
    texts = list(_lines(path, COLUMNS, faults))
    secret = hashlib.sha256(path.read_bytes()).digest() if texts else b""
    viewers = pseudonyms([row["viewer"] for row in texts if row["viewer"]], secret)
    return [
        {
            **{column: row[column] for column in COLUMNS},
            "viewer": viewers.get(row["viewer"], ""),
            "image": names.get(row["image"], row["image"]),
        }
        for row in texts
    ]


def _lines(path: Path, columns: Sequence[str], faults: Faults) -> Iterator[dict[str, str]]:
    """Yield the lines of a CSV that has these columns; what a line lacks is empty."""
    if not path.is_file():
        faults.add(path.name, f"missing; wanted the columns {', '.join(columns)}")
        return
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            faults.add(path.name, f"no column {', '.join(missing)}")
            return
        for number, row in enumerate(reader, start=2):
            if None in row:
                faults.add(f"{path.name}, line {number}", "has more fields than there are columns")
            yield {name: text or "" for name, text in row.items() if name is not None}
    except (UnicodeDecodeError, csv.Error) as error:
        faults.add(path.name, f"is no CSV in UTF-8: {error}")


def _refuse(parsed: Parsed, mos: Mapping[str, Row] | None, faults: Faults) -> None:
    """Note ratings that cannot be read, and of no picture."""
    for item in parsed.refused:
        if item.reason is not Reason.SUPERSEDED:
            told = f"{item.reason}: {item.dimension!r} {item.rating!r} of {item.image}"
            faults.add(f"ratings.csv, line {item.line}", told)
    for line, rating in zip(parsed.lines, parsed.ratings, strict=True):
        if mos is not None and rating.image not in mos:
            told = f"rates a picture that mos.csv has not: {rating.image}"
            faults.add(f"ratings.csv, line {line}", told)


def _score(mos: Mapping[str, Row], parsed: Parsed, faults: Faults) -> None:
    """Compute the scores, or refuse released ones that the ratings do not bear out."""
    if all("viewers" in row for row in mos.values()):
        _compare(mos, parsed, faults)
        return
    reports, scores = nsfw_reports(parsed), _computed(parsed, faults)
    for name, row in mos.items():
        if name in scores:
            row.update(scores[name], nsfw_reports=reports.get(name, 0))
        elif scores:
            faults.add(f"mos.csv, {name}", "no usable rating of it in both dimensions")


def _compare(mos: Mapping[str, Row], parsed: Parsed, faults: Faults) -> None:
    reports = nsfw_reports(parsed)
    viewers: dict[str, set[str]] = defaultdict(set)
    for rating in parsed.ratings:
        viewers[rating.image].add(rating.viewer)
    for name, row in mos.items():
        rated, reported = len(viewers[name]), reports.get(name, 0)
        if row["viewers"] > rated:
            faults.add(f"mos.csv, {name}", f"{row['viewers']} viewers, {rated} rated it")
        if row["nsfw_reports"] != reported:
            told = f"{row['nsfw_reports']} reports as offensive; ratings.csv has {reported}"
            faults.add(f"mos.csv, {name}", told)


def _computed(parsed: Parsed, faults: Faults) -> Mapping[str, Row]:
    """Return what `cmc mos` says of each picture that has a score in both dimensions."""
    try:
        found = {dimension: opinions(parsed, dimension).scores for dimension in SCORED}
    except RatingError as error:
        faults.add("ratings.csv", error)
        return {}
    rows: dict[str, Row] = {}
    for dimension, scores in found.items():
        for score in scores:
            row = rows.setdefault(score.image, {"viewers": score.ratings})
            spread = score.standard_error
            row[f"{dimension}_mos"] = score.mos
            row[f"{dimension}_sd"] = None if spread is None else spread * sqrt(score.ratings)
            row["viewers"] = min(row["viewers"], score.ratings)
    wanted = {f"{dimension}_mos" for dimension in SCORED}
    return {name: row for name, row in rows.items() if wanted <= row.keys()}
