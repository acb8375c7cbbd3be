"""Pictures with mean opinion scores, as `cmc mos` writes them."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from protocol.errors import RatingError
from protocol.rules import Dimension

DIMENSIONS = {Dimension.FR: "consistency", Dimension.NR: "perception"}
"""What people rate, by what an indicator speaks of."""

COLUMNS = ("image", "dimension", "mos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One distorted picture."""

    name: str
    picture: Path
    reference: Path
    """Its ground truth, also where an indicator does without: a split may go by it."""
    mos: float
    """Higher is better; on the scale that people rated on, 0 to 5 in the paper."""


def read_labels(
    path: Path, pictures: Path, references: Path, dimension: Dimension
) -> list[Labelled]:
    """Return the pictures with a score of a dimension, by name.

    A picture's reference is the one of a `reference` column, or else the longest of the reference
    folder's names that the picture's name starts with: `AIGI_MJ_007_RealVis.png` belongs to
    `AIGI_MJ_007.png`, and `x10.png` not to `x1.png`.

    Args:
        path: CSV with the columns image, dimension and mos; others are ignored.
        pictures: folder of the distorted pictures.
        references: folder of ground truths.
        dimension: FR takes the rows of `consistency`, NR those of `perception`.

    Raises:
        RatingError: the file lacks a column or rows, a score is no number, an image comes twice,
            or a picture or its reference is missing.
    """
    if not path.is_file():
        raise RatingError(f"{path} is missing; wanted a CSV as `cmc mos` writes it")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise RatingError(f"{path} lacks the columns {', '.join(missing)}")
            rows = [row for row in reader if row["dimension"] == DIMENSIONS[dimension]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RatingError(f"{path} is no CSV in UTF-8 ({error})") from error
    if not rows:
        raise RatingError(f"{path} has no row of the dimension {DIMENSIONS[dimension]}")
    truths = {truth.stem: truth for truth in references.glob("*.png")}
    labelled: dict[str, Labelled] = {}
    for row in rows:
        item = _labelled(row, path, pictures, truths)
        if item.name in labelled:
            raise RatingError(f"{path}: {item.name} comes twice")
        labelled[item.name] = item
    return [labelled[name] for name in sorted(labelled)]


def _labelled(row: dict[str, str], path: Path, pictures: Path, truths: dict[str, Path]) -> Labelled:
    name = row["image"]
    picture = pictures / name
    if not picture.is_file():
        raise RatingError(f"{path} names {name}, which is not in {pictures}")
    try:
        mos = float(row["mos"])
    except ValueError:
        mos = math.nan
    if not math.isfinite(mos):
        raise RatingError(f"{path}: the score {row['mos']!r} of {name} is no number")
    stem = Path(row.get("reference") or "").stem
    if not stem:
        stem = max((s for s in truths if _begins(picture.stem, s)), key=len, default="")
    if stem not in truths:
        raise RatingError(
            f"{name} has no reference; name it in a column `reference`, or put a picture whose "
            "name this one's starts with into the folder of references"
        )
    return Labelled(name=name, picture=picture, reference=truths[stem], mos=mos)


def _begins(name: str, start: str) -> bool:
    """Say whether a name starts with another, and not only with the first digits of its number."""
    rest = name.removeprefix(start)
    return name.startswith(start) and not (start[-1:].isdigit() and rest[:1].isdigit())
