"""The labels of the mean opinion scores, as tables beside the archives: mos.csv and ratings.csv."""

import csv
import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset_cards.cmc_bench.build import pseudonyms
from evaluator.dataset.faults import Faults
from protocol.rules import Mode

Row = dict[str, Any]

MOS_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "distorted": str,
    "reference": str,
    "t2i": str,
    "mode": Mode,
    "strength": float,
    "consistency_mos": float,
    "consistency_sd": float,
    "perception_mos": float,
    "perception_sd": float,
    "viewers": int,
    "nsfw_reports": int,
}
RATING_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "distorted": str,
    "viewer": str,
    "dimension": lambda text: {"consistency": text, "perception": text}[text],
    "score": float,
    "nsfw": lambda text: {"0": False, "1": True, "false": False, "true": True}[text.lower()],
}


@dataclass(frozen=True, slots=True)
class Labels:
    """Both tables."""

    mos: Mapping[str, Row]
    """By the distorted picture's name."""
    ratings: tuple[Row, ...]
    """By picture, viewer and dimension; viewers are pseudonyms."""


def read_labels(folder: Path, faults: Faults) -> Labels:
    """Return the labels of a release; what cannot be used goes to `faults`."""
    mos = {str(row["distorted"]): row for row in _read(folder / "mos.csv", MOS_COLUMNS, faults)}
    path = folder / "ratings.csv"
    ratings = list(_read(path, RATING_COLUMNS, faults))
    if ratings:
        secret = hashlib.sha256(path.read_bytes()).digest()
        names = pseudonyms([row["viewer"] for row in ratings], secret)
        for row in ratings:
            row["viewer"] = names[row["viewer"]]
    ratings.sort(key=lambda row: (row["distorted"], row["viewer"], row["dimension"]))
    _compare(mos, ratings, faults)
    _count(mos, ratings, faults)
    return Labels(mos, tuple(ratings))


def _read(
    path: Path, columns: Mapping[str, Callable[[str], object]], faults: Faults
) -> Iterator[Row]:
    if not path.is_file():
        faults.add(path.name, f"missing; wanted the columns {', '.join(columns)}")
        return
    text = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    reader = csv.DictReader(text)
    if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
        faults.add(path.name, f"no column {', '.join(missing)}")
        return
    for number, row in enumerate(reader, start=2):
        try:
            yield {name: read(row[name] or "") for name, read in columns.items()}
        except (ValueError, KeyError) as error:
            faults.add(f"{path.name}, line {number}", f"cannot be read: {error}")


def _compare(mos: Mapping[str, Row], ratings: list[Row], faults: Faults) -> None:
    """Refuse ratings of no picture, two by one viewer, and scores off the scale."""
    for key, count in Counter(_key(row) for row in ratings).items():
        if count > 1:
            faults.add(f"ratings.csv, {' '.join(key)}", "rated twice")
    for row in ratings:
        where = f"ratings.csv, {' '.join(_key(row))}"
        if row["distorted"] not in mos:
            faults.add(where, "rates a picture that mos.csv has not")
        if not 0 <= row["score"] <= 5:
            faults.add(where, f"a score of {row['score']}; wanted 0 to 5")


def _count(mos: Mapping[str, Row], ratings: list[Row], faults: Faults) -> None:
    """Refuse counts of viewers and reports that the ratings do not bear out."""
    viewers: dict[str, set[str]] = defaultdict(set)
    reports: dict[str, set[str]] = defaultdict(set)
    for row in ratings:
        viewers[row["distorted"]].add(row["viewer"])
        if row["nsfw"]:
            reports[row["distorted"]].add(row["viewer"])
    for name, row in mos.items():
        rated, reported = len(viewers[name]), len(reports[name])
        if row["viewers"] > rated:
            faults.add(f"mos.csv, {name}", f"{row['viewers']} viewers, {rated} rated it")
        if row["nsfw_reports"] != reported:
            faults.add(
                f"mos.csv, {name}",
                f"{row['nsfw_reports']} reports as offensive; ratings.csv has {reported}",
            )


def _key(row: Row) -> tuple[str, str, str]:
    return row["distorted"], row["viewer"], row["dimension"]
