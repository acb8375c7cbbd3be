"""From results to what the table's script shows: benches, columns and lines, as frozen records.

Nothing is scored here; ranks are counted from the Overalls that `protocol.boards` gives.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import PUBLISHED_BENCH, Bench, Row
from protocol.ranks import ranked_rows, ranks
from protocol.records import Result
from protocol.rules import TRACKS, Content, Dimension, Track
from protocol.statistics.records import BoardStatistics
from protocol.statistics.weighting import Lead, leads
from space.columns import Column, fact_values, table_columns
from space.flags import Flag, Flags
from space.notes import about_bench, decimals, note_for
from space.rows import Rows
from space.verdict import INTERVALS, Value, standing_values, verdict
from space.words import TRACK_WORDS, listed

CONTENTS: Mapping[str, Content | None] = {"all": None, **{str(c): c for c in Content}}
"""The choices of the content switch, by the name in a link."""

TRACKS_SHOWN = (Track.T2I_ULB, Track.T2I_ELB, Track.T2I, Track.I2T, Track.CODEC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it is shown."""

    rank: int | None
    """Equal Overalls share a rank; None for a row that lacks what the others have."""
    model: str
    lacks: str
    """`lacks text`, or empty."""
    flags: tuple[Flag, ...]
    """What to know before believing the row's score."""
    source: str
    values: Mapping[str, Value]
    """By column key; what is missing is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines of one bench for one content: all that may be compared with each other."""

    key: str
    """The bench's label, as it stands in a link."""
    title: str
    tag: str
    """`published` or `measured`, or both."""
    about: str
    verdict: str
    """Who leads, by how much and whether that is real, in a sentence."""
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
        named["cautions"] = [" ".join(flag.text for flag in line.flags) for line in table.lines]
    keys = [column.key for column in table.columns if column.key not in named]
    # These two are drawn inside the cells of the rank and the Overall.
    keys += [key for key in INTERVALS if any(key in line.values for line in table.lines)]
    return {
        **named,
        **{key: [line.values.get(key) for line in table.lines] for key in keys},
    }


def bench_title(bench: Bench) -> str:
    """Return a bench's short name; its label says it in full."""
    if bench == PUBLISHED_BENCH:
        return "Paper, TOPIQ"
    return f"{bench.protocol} · {bench.dataset}"


def row_name(row: Row) -> str:
    """Return a name that tells a row from all others of its bench."""
    return f"{row.model} + {row.partner}" if row.partner else row.model


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
    return Table(
        key=of.bench.label,
        title=bench_title(of.bench),
        tag=listed(["published"] * published + ["measured"] * measured),
        about=" ".join(sentences),
        verdict=verdict(of.track, ranked, digits, of.statistics),
        partner=partner,
        columns=tuple(
            table_columns(
                of.track,
                of.everything,
                with_statistics=of.statistics is not None,
                with_former_names=any(row.request_id in of.formerly for row in of.everything),
            )
        ),
        lines=_lines(of, ranked, standing_values(of.statistics, whole=not published)),
        digits=digits,
        note=note_for(of.track, of.rows),
        leads=_leads(of.track, ranked),
    )


def _leads(track: Track, ranked: Sequence[Row]) -> tuple[Lead, ...]:
    if track is Track.CODEC:
        return ()
    means = {row_name(row): row.dimensions for row in ranked if row.dimensions}
    return tuple(leads({name: (m[Dimension.FR], m[Dimension.NR]) for name, m in means.items()}))


def _lines(
    of: _Material, ranked: Sequence[Row], standings: Mapping[str, Mapping[str, Value]]
) -> tuple[Line, ...]:
    places = {id(row): rank for row, rank in zip(ranked, ranks(ranked), strict=True)}
    others = [row for row in of.rows if id(row) not in places]
    return tuple(
        _line(
            row,
            places.get(id(row)),
            standings.get(row.request_id, {}),
            of.flags.get(row.request_id, ()),
            of.formerly.get(row.request_id, ""),
        )
        for row in [*ranked, *others]
    )


def _line(
    row: Row,
    rank: int | None,
    standing: Mapping[str, Value],
    flags: tuple[Flag, ...],
    formerly: str,
) -> Line:
    values: dict[str, Value] = {**row.indicators}
    values |= {f"{mode}_rate": bpp for mode, bpp in row.bits_per_pixel.items()}
    values |= {f"{mode}_ratio": 24 / bpp for mode, bpp in row.bits_per_pixel.items() if bpp}
    for mode, parts in row.part_bits.items():
        values |= {f"{mode}_{part}_bits": bits for part, bits in parts.items() if bits}
    for action, times in (("encode", row.encode_seconds), ("decode", row.decode_seconds)):
        values |= {f"{mode}_{action}_seconds": time for mode, time in times.items()}
    # An Overall over fewer modes than its neighbours' would read as comparable in their column.
    if rank is not None and row.overall is not None:
        values["overall"] = row.overall
        values |= {f"mean_{dim}": mean for dim, mean in row.dimensions.items()}
        values |= standing
    values |= {key: fact for key, fact in fact_values(row).items() if fact not in ("", None)}
    if formerly:
        values["formerly"] = formerly
    return Line(
        rank=rank,
        model=row.model,
        source=row.source,
        lacks=f"lacks {listed(row.missing_modes)}" if row.missing_modes and rank is None else "",
        flags=flags,
        values=values,
    )
