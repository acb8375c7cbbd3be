"""The columns of a table and what their titles mean."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.boards import Row
from protocol.rules import TRACKS, Dimension, Mode, Track
from protocol.scores import cell_name
from space.words import DIMENSION_TITLES, MODE_TITLES, TRACK_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    key: str
    group: str
    """Title above this column and its neighbours with the same; empty for none."""
    title: str
    tooltip: str
    kind: str
    """`rank`, `model`, `source`, `overall`, `score`, `rate` or `request`."""
    higher_is_better: bool


def table_columns(track: Track, rows: Iterable[Row]) -> list[Column]:
    """Return the columns for rows of one bench; rates and request ids only where there are any."""
    rows = list(rows)
    words = TRACK_WORDS[track]
    columns = [
        Column(
            key="rank",
            group="",
            title="#",
            tooltip="Rank by Overall; equal Overalls share it",
            kind="rank",
            higher_is_better=False,
        ),
        _text_column("model", words.system, words.system_tooltip),
        _text_column("source", "Source", "published: printed by the authors. verified: run here"),
        _number_column("overall", "", "Overall", words.overall, "overall"),
    ]
    with_rates = any(row.bits_per_pixel for row in rows)
    for mode in TRACKS[track].modes:
        columns += _mode_columns(mode, with_rates=with_rates)
    if any(row.request_id for row in rows):
        columns.append(
            _text_column("request", "Request", "Start of the request's id; hover for all of it")
        )
    return columns


def _mode_columns(mode: Mode, *, with_rates: bool) -> list[Column]:
    words = {
        Dimension.FR: f"Likeness to the original in {mode} mode",
        Dimension.NR: f"How good the picture looks by itself in {mode} mode",
    }
    columns = [
        _number_column(
            cell_name((mode, dimension)),
            MODE_TITLES[mode],
            DIMENSION_TITLES[dimension],
            f"{words[dimension]}; higher is better",
            "score",
        )
        for dimension in Dimension
    ]
    if with_rates:
        columns.append(
            Column(
                key=f"{mode}_rate",
                group=MODE_TITLES[mode],
                title="bpp",
                tooltip=f"Bits per pixel: 8 x bytes of the {mode} file / pixels of the original; "
                "lower is smaller. Below it the compression ratio, 24 / bits per pixel",
                kind="rate",
                higher_is_better=False,
            )
        )
    return columns


def _number_column(key: str, group: str, title: str, tooltip: str, kind: str) -> Column:
    return Column(
        key=key, group=group, title=title, tooltip=tooltip, kind=kind, higher_is_better=True
    )


def _text_column(key: str, title: str, tooltip: str) -> Column:
    return Column(key=key, group="", title=title, tooltip=tooltip, kind=key, higher_is_better=False)
