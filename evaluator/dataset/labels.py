"""The labels of the mean opinion scores, as tables beside the archives: mos.csv and ratings.csv."""

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
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

PICTURE_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "distorted": str,
    "reference": str,
    "t2i": str,
    "mode": Mode,
    "strength": float,
}
SCORE_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "consistency_mos": float,
    "consistency_sd": float,
    "perception_mos": float,
    "perception_sd": float,
    "viewers": int,
    "nsfw_reports": int,
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
    pictures = _pictures(folder / "mos.csv", faults)
    mos = {str(row["distorted"]): row for row in pictures}
    names = {str(row.pop(RATED_AS)): str(row["distorted"]) for row in pictures}
    texts = _ratings(folder / "ratings.csv", names, faults)
    parsed = parse_ratings(texts)
    _refuse(parsed, mos, faults)
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
    rows = []
    for number, row in enumerate(texts, start=2):
        try:
            read: Row = {name: columns[name](row[name]) for name in columns}
        except ValueError as error:
            faults.add(f"{path.name}, line {number}", f"cannot be read: {error}")
        else:
            rows.append({**read, RATED_AS: row.get(RATED_AS) or read["distorted"]})
    return rows


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
    reader = csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""))
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        faults.add(path.name, f"no column {', '.join(missing)}")
        return
    for row in reader:
        yield {name: text or "" for name, text in row.items() if name is not None}


def _refuse(parsed: Parsed, mos: Mapping[str, Row], faults: Faults) -> None:
    """Note ratings that cannot be read, and of no picture."""
    for item in parsed.refused:
        if item.reason is not Reason.SUPERSEDED:
            told = f"{item.reason}: {item.dimension!r} {item.rating!r} of {item.image}"
            faults.add(f"ratings.csv, line {item.line}", told)
    for line, rating in zip(parsed.lines, parsed.ratings, strict=True):
        if rating.image not in mos:
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
