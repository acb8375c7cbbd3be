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
from protocol.versions import PROTOCOLS
from space.columns import Column, table_columns
from space.words import TRACK_WORDS, listed

CONTENTS: Mapping[str, Content | None] = {"all": None, **{str(c): c for c in Content}}
"""The choices of the content switch, by the name that the browser sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row as it is shown."""

    rank: int | None
    """Equal Overalls share a rank; None for a row that lacks what the others have."""
    model: str
    partner: str
    """What the model was run with, in words; empty where it is not known."""
    source: str
    lacks: str
    """`lacks text`, or empty."""
    request_id: str
    values: Mapping[str, float]
    """Numbers by column key; a missing one is absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The lines of one content."""

    lines: tuple[Line, ...]
    digits: int
    """Decimals of a score."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchTables:
    """All lines that may be compared with each other."""

    key: str
    """The bench's label; the browser sends it back."""
    title: str
    tag: str
    """`published` or `measured`, or both."""
    about: str
    columns: tuple[Column, ...]
    tables: Mapping[str, Table]
    """By content, with the keys of `CONTENTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One tab's table, whole: the browser switches bench and content without asking again."""

    track: Track
    title: str
    about: str
    benches: tuple[BenchTables, ...]
    """The one to show first comes first."""


def board(track: Track, results: Sequence[Result]) -> Board:
    """Return everything that a track's table shows."""
    return Board(
        track=track,
        title=TRACK_WORDS[track].title,
        about=TRACK_WORDS[track].about,
        benches=tuple(_bench_tables(track, bench, results) for bench in benches(track, results)),
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


def _bench_tables(track: Track, bench: Bench, results: Sequence[Result]) -> BenchTables:
    rows = {
        name: rows_by_bench(track, content, results).get(bench, [])
        for name, content in CONTENTS.items()
    }
    shown = [row for content_rows in rows.values() for row in content_rows]
    published = any(row.source == "published" for row in shown)
    partners = {row.partner for row in shown if row.source != "published"}
    # One partner for all is said once, above the table, and not on every line.
    partner = partners.pop() if len(partners) == 1 else ""
    tags = ["published"] * published + ["measured"] * any(
        row.source != "published" for row in shown
    )
    sentences = _about(bench, [r for r in results if bench_of(r) == bench], published=published)
    if partner:
        sentences.append(f"All runs: {TRACK_WORDS[track].partner} {partner}.")
    return BenchTables(
        key=bench.label,
        title="Paper, TOPIQ" if bench == PUBLISHED_BENCH else bench.label,
        tag=listed(tags),
        about=" ".join(sentences),
        columns=tuple(table_columns(track, shown)),
        tables={name: _table(track, name, rows[name], partner) for name in CONTENTS},
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


def _table(track: Track, name: str, rows: Sequence[Row], shared_partner: str) -> Table:
    common = _common_gap(rows)
    ranked: list[Row] = []
    others: list[Row] = []
    for row in rows:
        is_ranked = row.overall is not None and row.missing_modes == common
        (ranked if is_ranked else others).append(row)
    overalls = [round(row.overall or 0.0, 9) for row in ranked]
    lines = [
        _line(track, row, shared_partner, rank=1 + sum(other > own for other in overalls))
        for row, own in zip(ranked, overalls, strict=True)
    ]
    lines += [_line(track, row, shared_partner, rank=None) for row in others]
    return Table(lines=tuple(lines), digits=_digits(track, name, rows), note=_note(track, rows))


def _common_gap(rows: Iterable[Row]) -> tuple[Mode, ...]:
    """Return the modes that even the most complete rows lack; only their equals are ranked."""
    gaps = [row.missing_modes for row in rows if row.overall is not None]
    return min(gaps, key=lambda gap: (len(gap), gap), default=())


def _line(track: Track, row: Row, shared_partner: str, *, rank: int | None) -> Line:
    values = row.indicators | {f"{mode}_rate": bpp for mode, bpp in row.bits_per_pixel.items()}
    # An Overall over fewer modes than its neighbours' would read as comparable in their column.
    if rank is not None and row.overall is not None:
        values["overall"] = row.overall
    return Line(
        rank=rank,
        model=row.model,
        partner=""
        if row.partner in ("", shared_partner)
        else f"{TRACK_WORDS[track].partner} {row.partner}",
        source=row.source,
        lacks=f"lacks {listed(row.missing_modes)}" if row.missing_modes and rank is None else "",
        request_id=row.request_id,
        values=values,
    )


def _digits(track: Track, name: str, rows: Iterable[Row]) -> int:
    """Return as many decimals as were printed; four for measured means."""
    printed_with_three = track is not Track.I2T or name != "all"
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
