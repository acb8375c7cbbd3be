"""The figures as files: `data/figures.json` lists them, each has its drawing and its numbers."""

import importlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from space.board_figures import board_figures
from space.evidence_figures import evidence_figures
from space.figure_entry import KINDS, Drawn, entry
from space.formats import lines_to_csv, lines_to_parquet
from space.plain import plain_json
from space.published_figures import published_figures
from space.rows import Rows

Make: TypeAlias = Callable[[], bytes]


def figure_makers(rows: Rows) -> dict[str, Make]:
    """Return the list of figures and every figure's files."""
    drawn = all_figures(rows)
    makers: dict[str, Make] = {
        "data/figures.json": lambda: plain_json([one.entry for one in drawn])
    }
    for one in drawn:
        stem = f"data/figures/{one.entry.key}"
        makers[f"{stem}.json"] = partial(_file, one)
        if not one.numbers:
            continue
        makers[f"{stem}.csv"] = partial(lines_to_csv, one.numbers)
        makers[f"{stem}.parquet"] = partial(lines_to_parquet, one.numbers)
    return makers


def all_figures(rows: Rows) -> list[Drawn]:
    """Return the figures by kind, measured ones first; a kind without any says what it would be."""
    found = [*board_figures(rows), *evidence_figures(rows.evidence), *published_figures()]
    there = {one.entry.kind for one in found}
    found += [
        Drawn(entry=entry(kind, "none", "", words.lacks), draw=None, numbers=[])
        for kind, words in KINDS.items()
        if kind not in there and words.lacks
    ]
    order = list(KINDS)
    return sorted(found, key=lambda one: order.index(one.entry.kind))


def _file(drawn: Drawn) -> bytes:
    # Plotly takes pandas as it finds it, and it is half there while gradio loads in another thread.
    with suppress(ImportError):
        importlib.import_module("pandas")
    # Plotly's own JSON: it knows its types.
    figure = json.loads(str(drawn.draw().to_json())) if drawn.draw else None
    return plain_json({"figure": figure, "rows": drawn.numbers})
