"""From results to what the table's script shows: benches, columns and lines, as frozen records.

Nothing is scored here; ranks are counted from the Overalls that `protocol.boards` gives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from protocol.boards import (
    PUBLISHED_BENCH,
    Bench,
    Row,
    bench_of,
    best_first,
    published_rows,
    result_rows,
)
from protocol.records import Result
from protocol.rules import TRACKS, Content, Dimension, Mode, Track
from protocol.scores import Lead, leads
from protocol.versions import PROTOCOLS
from space.columns import Column, fact_values, table_columns
from space.verdict import verdict
from space.words import TRACK_WORDS, listed

CONTENTS: Mapping[str, Content | None] = {"all": None, **{str(c): c for c in Content}}
"""The choices of the content switch, by the name in a link."""

TRACKS_SHOWN = (Track.T2I_ULB, Track.T2I_ELB, Track.T2I, Track.I2T, Track.CODEC)

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it is shown."""

    rank: int | None
    """Equal Overalls share a rank; None for a row that lacks what the others have."""
    model: str
    lacks: str
    """`lacks text`, or empty."""
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


def board(track: Track, content: str, results: Sequence[Result]) -> Board:
    """Return everything that a track's table shows for one of `CONTENTS`."""
    everything = rows_by_bench(track, None, results)
    shown = rows_by_bench(track, CONTENTS[content], results)
    return Board(
        track=track,
        content=content,
        title=TRACK_WORDS[track].title,
        about=TRACK_WORDS[track].about,
        weight=TRACKS[track].weights[Dimension.FR],
        tables=tuple(
            _table(track, bench, everything[bench], shown.get(bench, []), content, results)
            for bench in benches(track, results)
        ),
    )


def benches(track: Track, results: Sequence[Result]) -> list[Bench]:
    """Return the benches that have a row on a track: measured ones first, then the published."""
    found = set(rows_by_bench(track, None, results))
    measured = {row.bench for row in result_rows(results, track, None)}
    return sorted(found, key=lambda bench: (bench not in measured, bench))


def rows_by_bench(
    track: Track, content: Content | None, results: Sequence[Result]
) -> dict[Bench, list[Row]]:
    """Return a track's rows for one content, best first; those without a score are left out."""
    rows = best_first([*published_rows(track, content), *result_rows(results, track, content)])
    grouped: dict[Bench, list[Row]] = {}
    for row in rows:
        if row.scores:
            grouped.setdefault(row.bench, []).append(row)
    return grouped


def cells(table: Table) -> dict[str, list[Value]]:
    """Return a table by columns, None where a value is missing: what travels to the browser."""
    named = {
        "rank": [line.rank for line in table.lines],
        "model": [line.model for line in table.lines],
        "source": [line.source for line in table.lines],
        "lacks": [line.lacks for line in table.lines],
    }
    keys = [column.key for column in table.columns if column.key not in named]
    return {
        **named,
        **{key: [line.values.get(key) for line in table.lines] for key in keys},
    }


def ranked_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that may be ranked together: those with the fullest coverage there is."""
    common = _common_gap(rows)
    return [row for row in rows if row.overall is not None and row.missing_modes == common]


def row_name(row: Row) -> str:
    """Return a name that tells a row from all others of its bench."""
    return f"{row.model} + {row.partner}" if row.partner else row.model


def _table(
    track: Track,
    bench: Bench,
    everything: Sequence[Row],
    rows: Sequence[Row],
    content: str,
    results: Sequence[Result],
) -> Table:
    published = any(row.source == "published" for row in everything)
    measured = any(row.source != "published" for row in everything)
    partners = {row.partner for row in everything if row.source != "published"}
    # One partner for all is said once, above the table, and not on every line.
    partner = partners.pop() if len(partners) == 1 else ""
    sentences = _about(bench, [r for r in results if bench_of(r) == bench], published=published)
    if partner:
        sentences.append(f"All runs: {TRACK_WORDS[track].partner} {partner}.")
    ranked = ranked_rows(rows)
    digits = _digits(track, content, rows)
    return Table(
        key=bench.label,
        title="Paper, TOPIQ" if bench == PUBLISHED_BENCH else bench.label,
        tag=listed(["published"] * published + ["measured"] * measured),
        about=" ".join(sentences),
        verdict=verdict(track, ranked, digits),
        partner=partner,
        columns=tuple(table_columns(track, everything)),
        lines=_lines(ranked, rows),
        digits=digits,
        note=_note(track, rows),
        leads=leads({row_name(row): row.dimensions for row in ranked if row.dimensions}),
    )


def _about(bench: Bench, results: Sequence[Result], *, published: bool) -> list[str]:
    sentences = []
    if published:
        sentences.append(
            "Published rows are as printed in the paper and on its public leaderboard: 1,000 "
            "images, TOPIQ with the benchmark's own weights. Rates were not published."
        )
    if results:
        counts = sorted({result.images for result in results})
        images = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        names = {use.dimension: use.name for use in results[0].provenance.indicators}
        sentences.append(
            f"{images} images of {bench.dataset}; "
            f"consistency is {names.get(Dimension.FR, 'not named')}, "
            f"perception is {names.get(Dimension.NR, 'not named')}."
        )
        if bench.protocol in PROTOCOLS:
            sentences.append(f"{bench.protocol}: {PROTOCOLS[bench.protocol].summary}")
    return sentences


def _lines(ranked: Sequence[Row], rows: Sequence[Row]) -> tuple[Line, ...]:
    # Best first, so a rank is the place of the first that is equal.
    first: dict[float, int] = {}
    ranks = {
        id(row): first.setdefault(round(row.overall or 0.0, 9), place)
        for place, row in enumerate(ranked, start=1)
    }
    others = [row for row in rows if id(row) not in ranks]
    return tuple(_line(row, ranks.get(id(row))) for row in [*ranked, *others])


def _common_gap(rows: Iterable[Row]) -> tuple[Mode, ...]:
    """Return the modes that even the most complete rows lack; only their equals are ranked."""
    gaps = [row.missing_modes for row in rows if row.overall is not None]
    return min(gaps, key=lambda gap: (len(gap), gap), default=())


def _line(row: Row, rank: int | None) -> Line:
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
    values |= {key: fact for key, fact in fact_values(row).items() if fact not in ("", None)}
    return Line(
        rank=rank,
        model=row.model,
        source=row.source,
        lacks=f"lacks {listed(row.missing_modes)}" if row.missing_modes and rank is None else "",
        values=values,
    )


def _digits(track: Track, name: str, rows: Iterable[Row]) -> int:
    """Return as many decimals as were printed; four for measured means."""
    printed_with_three = track not in (Track.I2T, Track.T2I) or name != "all"
    return 3 if printed_with_three and all(row.source == "published" for row in rows) else 4


def _note(track: Track, rows: Sequence[Row]) -> str:
    if track is Track.CODEC:
        return "More bits give a higher Overall: compare codecs at equal bits per pixel."
    gap = _common_gap(rows)
    if gap and any(row.source == "published" for row in rows):
        used = listed([mode for mode in TRACKS[track].modes if mode not in gap])
        return (
            f"{listed(gap).capitalize()} scores were not published per content; "
            f"Overall is the mean of {used}."
        )
    if track is not Track.I2T and any(row.source == "published" for row in rows):
        return (
            "Published Overalls are recomputed from the paper's cells; "
            "the last digit can differ from the printed one."
        )
    return ""
