"""From results to what the table's script shows: benches, columns and lines, as frozen records.

Nothing is scored here; ranks are counted from the Overalls that `protocol.boards` gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import PUBLISHED_BENCH, Bench, Row
from protocol.ranks import ranked_rows
from protocol.records import Result
from protocol.rules import TRACKS, Content, Dimension, Track
from protocol.statistics.records import BoardStatistics
from protocol.statistics.weighting import Lead
from space.bjontegaard import NOTES, bd_columns, bd_values, bd_verdict
from space.columns import Column, after, table_columns
from space.flags import Flags
from space.lines import Extras, Line, table_lines
from space.notes import about_bench, decimals, note_for
from space.rows import Rows
from space.secondary import Secondary, secondary_values, with_secondary_columns
from space.verdict import INTERVALS, Value, Verdict, standing_values, verdict
from space.weightings import weightings
from space.words import TRACK_WORDS, listed

CONTENTS: Mapping[str, Content | None] = {"all": None, **{str(c): c for c in Content}}
"""The choices of the content switch, by the name in a link."""

TRACKS_SHOWN = (Track.T2I_ULB, Track.T2I_ELB, Track.T2I, Track.I2T, Track.CODEC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines of one bench for one content: all that may be compared with each other."""

    key: str
    """The bench's label, as it stands in a link."""
    title: str
    tag: str
    """`published` or `measured`, or both."""
    about: str
    verdict: Verdict
    partner: str
    """The other half that all rows share; empty where they differ or it is not known."""
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    digits: int
    """Decimals of a score."""
    note: str
    leads: tuple[Lead, ...]
    """Who of the ranked rows leads under which weighting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One track for one content; the table to show first comes first."""

    track: Track
    content: str
    title: str
    about: str
    weight: float
    """Share of consistency in this board's Overall."""
    tables: tuple[Table, ...]


def board(track: Track, content: str, rows: Rows) -> Board:
    """Return everything that a track's table shows for one of `CONTENTS`."""
    everything = rows.by_bench(track, None)
    shown = rows.by_bench(track, CONTENTS[content])
    return Board(
        track=track,
        content=content,
        title=TRACK_WORDS[track].title,
        about=TRACK_WORDS[track].about,
        weight=TRACKS[track].weights[Dimension.FR],
        tables=tuple(
            _table(
                _Material(
                    track=track,
                    bench=bench,
                    content=content,
                    everything=everything[bench],
                    rows=shown.get(bench, []),
                    results=rows.results_of(bench),
                    statistics=rows.statistics_of(track, CONTENTS[content], bench),
                    flags=rows.flags,
                    formerly=rows.formerly,
                    secondary=rows.secondary,
                )
            )
            for bench in rows.benches(track)
        ),
    )


def cells(table: Table) -> dict[str, list[Value]]:
    """Return a table by columns, None where a value is missing: what travels to the browser."""
    named: dict[str, list[Value]] = {
        "rank": [line.rank for line in table.lines],
        "model": [line.model for line in table.lines],
        "source": [line.source for line in table.lines],
        "lacks": [line.lacks for line in table.lines],
    }
    if any(line.flags for line in table.lines):
        named["flags"] = [", ".join(flag.short for flag in line.flags) for line in table.lines]
        named["cautions"] = ["\n".join(flag.text for flag in line.flags) for line in table.lines]
    keys = [column.key for column in table.columns if column.key not in named]
    # These are drawn inside other columns' cells.
    inside = (*INTERVALS, *NOTES.values())
    keys += [key for key in inside if any(key in line.values for line in table.lines)]
    return {
        **named,
        **{key: [line.values.get(key) for line in table.lines] for key in keys},
    }


def bench_title(bench: Bench) -> str:
    """Return a bench's short name; its label says it in full."""
    if bench == PUBLISHED_BENCH:
        return "Paper, TOPIQ"
    return f"{bench.protocol} · {bench.dataset}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What a table is made from."""

    track: Track
    bench: Bench
    content: str
    everything: Sequence[Row]
    """The rows over all contents: they decide the columns, so that a switch moves none."""
    rows: Sequence[Row]
    results: Sequence[Result]
    statistics: BoardStatistics | None
    flags: Flags
    formerly: Mapping[str, str]
    secondary: Secondary


def _table(of: _Material) -> Table:
    published = any(row.source == "published" for row in of.everything)
    measured = any(row.source != "published" for row in of.everything)
    partners = {row.partner for row in of.everything if row.source != "published"}
    # One partner for all is said once, below the table, and not on every line.
    partner = partners.pop() if len(partners) == 1 else ""
    sentences = about_bench(of.bench, of.results, published=published)
    if partner:
        sentences.append(f"All runs: {TRACK_WORDS[of.track].partner} {partner}.")
    ranked = ranked_rows(of.rows)
    digits = decimals(of.track, of.content, of.rows)
    columns, extras, found = _cells_of(of, ranked, published=published)
    saying = bd_verdict(of.results, CONTENTS[of.content]) if of.track is Track.CODEC else None
    return Table(
        key=of.bench.label,
        title=bench_title(of.bench),
        tag=listed(["published"] * published + ["measured"] * measured),
        about=" ".join(sentences),
        verdict=saying or verdict(of.track, ranked, digits, of.statistics),
        partner=partner,
        columns=tuple(columns),
        lines=table_lines(of.rows, ranked, of.flags, extras),
        digits=digits,
        note=note_for(of.track, of.rows),
        leads=found,
    )


def _cells_of(
    of: _Material, ranked: Sequence[Row], *, published: bool
) -> tuple[list[Column], list[Extras], tuple[Lead, ...]]:
    """Return the columns, what stands in them beside a row's own scores, and who leads when."""
    content = CONTENTS[of.content]
    columns = table_columns(
        of.track,
        of.everything,
        with_statistics=of.statistics is not None,
        with_former_names=any(row.request_id in of.formerly for row in of.everything),
    )
    columns = with_secondary_columns(columns, of.track, of.rows, of.secondary, content)
    leads, shares = weightings(of.track, ranked)
    standings = standing_values(of.statistics, whole=not published)
    extras: list[Extras] = [
        {id(row): standings.get(row.request_id, {}) for row in ranked},
        {place: {"lead_share": share} for place, share in shares.items()},
        {id(row): {"formerly": of.formerly.get(row.request_id)} for row in of.rows},
        secondary_values(of.rows, of.secondary, content),
    ]
    if of.track is Track.CODEC:
        last = "mean_nr" if of.statistics is None else "tie_group"
        columns = after(columns, last, bd_columns(of.results))
        extras.append(bd_values(of.rows, of.results, content))
    return columns, extras, leads
