"""The columns of a table, what their titles mean, and which are shown unasked."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocol.boards import Row
from protocol.rules import TRACKS, Dimension, Mode, Role, Track
from protocol.scores import cell_name
from space.words import DIMENSION_TITLES, MODE_TITLES, TRACK_WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column."""

    key: str
    group: str = ""
    """Title above this column and its neighbours with the same; empty for none."""
    title: str
    tooltip: str
    kind: str
    """How a cell is drawn: `rank`, `model`, `source`, `overall`, `score`, `rate`, `ratio`, `bits`,
    `seconds`, `count`, `number`, `percent`, `bytes`,
    `truth`, `date`, `hash` or `text`."""
    higher_is_better: bool = False
    shown: bool = False
    """Whether it is there before anybody chose columns."""


PARTS = ("text", "pixels", "image")
"""The sections of a file whose bits are columns."""


def table_columns(
    track: Track,
    rows: Iterable[Row],
    *,
    with_statistics: bool = False,
    with_former_names: bool = False,
) -> list[Column]:
    """Return the columns for rows of one bench; those that no row has a value for are left out."""
    rows = list(rows)
    words = TRACK_WORDS[track]
    columns = [
        Column(
            key="rank",
            title="#",
            tooltip="Rank by Overall; equal Overalls share it",
            kind="rank",
            shown=True,
        ),
        Column(
            key="model", title=words.system, tooltip=words.system_tooltip, kind="model", shown=True
        ),
        Column(
            key="overall",
            title="Overall",
            tooltip=words.overall,
            kind="overall",
            higher_is_better=True,
            shown=True,
        ),
        Column(
            key="source",
            title="Source",
            tooltip="published: printed by the authors. verified: run here",
            kind="source",
            shown=True,
        ),
        *([_FORMERLY] if with_former_names else []),
        *_dimension_columns(),
    ]
    if track is not Track.CODEC:
        columns.append(_LEAD_SHARE)
    if with_statistics:
        columns += _STATISTICS
    for mode in TRACKS[track].modes:
        columns += _mode_columns(mode, rows)
    return [*columns, *_fact_columns(rows)]


def after(columns: Iterable[Column], key: str, more: Iterable[Column]) -> list[Column]:
    """Return the columns with more of them behind the one of a key."""
    return [
        each for column in columns for each in ((column, *more) if column.key == key else (column,))
    ]


_LEAD_SHARE = Column(
    key="lead_share",
    title="Weightings",
    tooltip="Share of the weightings of consistency against perception, from one alone to the "
    "other alone, under which the row leads",
    kind="share",
    higher_is_better=True,
)

_STATISTICS = (
    Column(
        key="probability_first",
        title="First",
        tooltip="Share of the resamples of the images in which the row is best",
        kind="share",
        higher_is_better=True,
    ),
    Column(
        key="tie_group",
        title="Group",
        tooltip="Rows of one group cannot be told apart; 1 is best",
        kind="whole",
    ),
)

_FORMERLY = Column(
    key="formerly",
    title="Formerly",
    tooltip="Names of earlier requests that it superseded, or that had the same weights",
    kind="text",
)


def _dimension_columns() -> Iterator[Column]:
    for dimension in Dimension:
        yield Column(
            key=f"mean_{dimension}",
            title=f"Mean {DIMENSION_TITLES[dimension].lower()}",
            tooltip=f"{DIMENSION_TITLES[dimension]}, mean over the modes of the board",
            kind="score",
            higher_is_better=True,
        )


def _mode_columns(mode: Mode, rows: list[Row]) -> Iterator[Column]:
    words = {
        Dimension.FR: f"Likeness to the original in {mode} mode",
        Dimension.NR: f"How good the picture looks by itself in {mode} mode",
    }
    group = MODE_TITLES[mode]
    for dimension in Dimension:
        yield Column(
            key=cell_name((mode, dimension)),
            group=group,
            title=DIMENSION_TITLES[dimension],
            tooltip=f"{words[dimension]}; higher is better",
            kind="score",
            higher_is_better=True,
            shown=True,
        )
    if any(mode in row.bits_per_pixel for row in rows):
        yield from _rate_columns(mode, group, rows)
    if any(mode in row.decode_seconds for row in rows):
        for action in ("encode", "decode"):
            yield Column(
                key=f"{mode}_{action}_seconds",
                group=group,
                title=f"{action.capitalize()} s",
                tooltip=f"Mean seconds to {action} a picture in {mode} mode, on the row's device",
                kind="seconds",
            )


def _rate_columns(mode: Mode, group: str, rows: list[Row]) -> Iterator[Column]:
    yield Column(
        key=f"{mode}_rate",
        group=group,
        title="bpp",
        tooltip=f"Bits per pixel: 8 x bytes of the {mode} file / pixels of the original; lower is "
        "smaller. Below it the compression ratio, 24 / bits per pixel",
        kind="rate",
        shown=True,
    )
    yield Column(
        key=f"{mode}_ratio",
        group=group,
        title="Ratio",
        tooltip="Compression ratio: 24 / bits per pixel",
        kind="ratio",
        higher_is_better=True,
    )
    for part in PARTS:
        if any(row.part_bits.get(mode, {}).get(part) for row in rows):
            yield Column(
                key=f"{mode}_{part}_bits",
                group=group,
                title=f"{part.capitalize()} bits",
                tooltip=f"Mean bits of the {part} section of a {mode} file",
                kind="bits",
            )


_FACTS = (
    ("partner", "Partner", "The other half of the pair", "text"),
    ("family", "Family", "Codec, pipeline or kind of system", "text"),
    ("licence", "Licence", "Of the weights, as far as it is known", "text"),
    ("open_weights", "Open", "Whether anyone can fetch the weights", "truth"),
    ("replications", "Ran again", "Accounts that ran a part again and found it to agree", "whole"),
    (
        "variants_tried",
        "Variants tried",
        "How many were scored on these pictures or chosen among, as the submitter says",
        "number",
    ),
    (
        "submissions",
        "Submissions",
        "Requests of the account with these pictures and protocol, withdrawn ones included",
        "number",
    ),
    ("parameters", "Parameters", "Parameters of the compared system, all parts", "count"),
    ("peak_memory_bytes", "Peak memory", "Most memory that the run held", "bytes"),
    ("protocol", "Protocol", "Protocol version: modes, prompts, indicators", "text"),
    ("indicators", "Indicators", "Ranking indicators and their weights", "text"),
    ("revision", "Weights", "Commit or hash of the system's files; hover for all of it", "hash"),
    ("device", "Device", "What the times were taken on", "text"),
    ("submitted_at", "Submitted", "When it was asked for, UTC", "date"),
    ("request", "Request", "Start of the request's id; hover for all of it", "hash"),
)


def fact_values(row: Row) -> dict[str, str | int | bool | None]:
    """Return a row's facts by column key; None or empty where one is not known."""
    return {
        "partner": row.partner,
        "family": row.facts.family,
        "licence": row.facts.licence,
        "open_weights": row.facts.open_weights,
        # A published row is nobody's to run again from here.
        "replications": row.replications if row.request_id else None,
        "variants_tried": row.facts.variants_tried,
        "submissions": row.submissions,
        "parameters": row.facts.parameters,
        "peak_memory_bytes": row.facts.peak_memory_bytes,
        "protocol": row.bench.protocol,
        "indicators": row.bench.indicators,
        "revision": row.facts.revision,
        "device": row.facts.device,
        "submitted_at": row.facts.submitted_at,
        "request": row.request_id,
    }


def _fact_columns(rows: list[Row]) -> Iterator[Column]:
    values = [fact_values(row) for row in rows]
    # That nobody said how many variants were tried is something to know of a model.
    asked = {"variants_tried"} if any(r.request_id and r.role != Role.CODEC for r in rows) else ()
    for key, title, tooltip, kind in _FACTS:
        if key in asked or any(value[key] not in ("", None) for value in values):
            yield Column(key=key, title=title, tooltip=tooltip, kind=kind)
