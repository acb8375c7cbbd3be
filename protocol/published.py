"""The paper's tables 3, 4 and 5 and the public leaderboard, as they were printed.

`tables/*.csv` holds them, with the meaning of their columns in `tables/README.md`.
"""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from protocol.files import sha256_of_file
from protocol.rules import Content, Dimension, Mode, Role, Track
from protocol.scores import Cell, mean_over_contents

FOLDER = Path(__file__).parent / "tables"

PUBLISHED_CAPTIONER = "GPT-4o"
"""Whose captions the paper's T2I models got (P 3.3)."""
PUBLISHED_PAINTER = "RealVis"
"""Who painted for the paper's I2T models (P 3.3)."""

_TABLE_OF_TRACK: Mapping[Track, str] = {Track.T2I_ULB: "3", Track.T2I_ELB: "4", Track.I2T: "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One system with its published means."""

    model: str
    role: Role
    scores: Mapping[Cell, float]
    overall: float | None
    """As printed; None where none was printed."""


def read_table(name: str) -> list[dict[str, str]]:
    """Return the rows of `tables/<name>.csv`."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def published_sha256() -> str:
    """Return one sha256 over all published tables: another one means other numbers."""
    digest = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.csv")):
        digest.update(f"{path.name}\0{sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


@cache
def aggregates() -> tuple[PublishedRow, ...]:
    """Return the public leaderboard: means over the 1,000 images at four decimals."""
    return tuple(
        PublishedRow(
            model=row["model"],
            role=Role(row["role"]),
            scores={
                (mode, dimension): float(row[f"{mode}_{dimension}"])
                for mode in Mode
                for dimension in Dimension
                if row[f"{mode}_{dimension}"]
            },
            overall=float(row["overall"]),
        )
        for row in read_table("aggregates")
    )


@cache
def table_rows(track: Track, content: Content | None) -> tuple[PublishedRow, ...]:
    """Return one of the paper's tables for one content, or averaged over all three.

    T2I over all modes has no table of its own: it is table 3 with table 4's modes added.
    """
    if track is Track.T2I:
        return _all_modes(content)
    if track not in _TABLE_OF_TRACK:
        return ()
    table = _TABLE_OF_TRACK[track]
    printed = {
        row["model"]: float(row["overall"])
        for row in read_table("overall")
        if row["table"] == table
    }
    return tuple(
        PublishedRow(
            model=model,
            role=role,
            scores=_choose(cells, content),
            overall=printed.get(model) if content is None else None,
        )
        for model, role, cells in _cells_by_model(table)
    )


def _all_modes(content: Content | None) -> tuple[PublishedRow, ...]:
    extremes = {row.model: row.scores for row in table_rows(Track.T2I_ELB, content)}
    return tuple(
        PublishedRow(
            model=row.model,
            role=row.role,
            scores={**row.scores, **extremes.get(row.model, {})},
            overall=None,
        )
        for row in table_rows(Track.T2I_ULB, content)
    )


def _cells_by_model(
    table: str,
) -> Iterator[tuple[str, Role, dict[Cell, dict[Content, float]]]]:
    models: dict[tuple[str, Role], dict[Cell, dict[Content, float]]] = {}
    for row in read_table("cells"):
        if row["table"] == table:
            cells = models.setdefault((row["model"], Role(row["role"])), {})
            cell = (Mode(row["mode"]), Dimension(row["indicator"].lower()))
            cells.setdefault(cell, {})[Content(row["content"])] = float(row["score"])
    for (model, role), cells in models.items():
        yield model, role, cells


def _choose(
    cells: Mapping[Cell, Mapping[Content, float]], content: Content | None
) -> dict[Cell, float]:
    return {
        cell: mean_over_contents(means) if content is None else means[content]
        for cell, means in cells.items()
    }
