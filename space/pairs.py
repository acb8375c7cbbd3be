"""The matrix of pairs: every I2T model with every T2I model that it was run with."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.boards import PUBLISHED_BENCH, Bench, bench_of, published_rows
from protocol.published import PUBLISHED_CAPTIONER, PUBLISHED_PAINTER
from protocol.records import Request, Result, System
from protocol.rules import Content, Dimension, Mode, Role, Track
from protocol.scores import Cell, cell_name, overall
from protocol.system_names import distinct_names, system_key
from space.table import CONTENTS, bench_title
from space.words import DIMENSION_TITLES, TRACK_WORDS

OVERALLS = (Track.T2I_ULB, Track.T2I_ELB, Track.T2I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One number that a pair may have."""

    key: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTable:
    """One bench's matrix for one content."""

    key: str
    title: str
    content: str
    i2t: tuple[str, ...]
    t2i: tuple[str, ...]
    measures: tuple[Measure, ...]
    places: tuple[tuple[int, int], ...]
    """Of each pair that was run, in `i2t` and in `t2i`, in the order of reading. Of hundreds of
    models most pairs are not run."""
    values: Mapping[str, tuple[float | None, ...]]
    """By measure, one entry a pair."""
    about: str


Pair = tuple[str, str]
Scores = dict[Cell, float]


def pair_tables(results: Sequence[Result]) -> list[PairTable]:
    """Return the matrices, measured benches first, all contents of a bench together."""
    tables = []
    names = distinct_names(system for result in results for system in _halves(result.request))
    for name, content in CONTENTS.items():
        grouped: dict[Bench, dict[Pair, Scores]] = {}
        for result in results:
            halves = _halves(result.request)
            if halves and not result.is_contradicted:
                i2t, t2i = (names[system_key(half)] for half in halves)
                scores = grouped.setdefault(bench_of(result), {}).setdefault((i2t, t2i), {})
                scores |= _scores(result, content)
        published = grouped.setdefault(PUBLISHED_BENCH, {})
        grouped[PUBLISHED_BENCH] = {**_published(content), **published}
        printed = {pair: value for pair, value in _printed(content) if pair not in published}
        tables += [
            _table(bench, name, pairs, printed if bench == PUBLISHED_BENCH else {})
            for bench, pairs in sorted(grouped.items(), key=lambda item: item[0])
            if any(pairs.values())
        ]
    return sorted(tables, key=lambda table: table.key == PUBLISHED_BENCH.label)


def pair_lines(tables: Sequence[PairTable]) -> list[dict[str, Any]]:
    """Return one line for each pair that was run, bench and content."""
    return [
        {
            "bench": table.key,
            "content": table.content,
            "i2t": table.i2t[row],
            "t2i": table.t2i[column],
            **{measure.key: table.values[measure.key][at] for measure in table.measures},
        }
        for table in tables
        for at, (row, column) in enumerate(table.places)
    ]


def _halves(request: Request) -> tuple[System, ...]:
    """Return a request's I2T and T2I systems; none where it has not both."""
    if request.role is Role.CODEC or request.i2t is None or request.t2i is None:
        return ()
    return request.i2t, request.t2i


def _scores(result: Result, content: Content | None) -> Scores:
    return {
        (score.mode, score.dimension): score.mean
        for score in result.scores
        if score.content is content and score.mean is not None
    }


def _published(content: Content | None) -> dict[Pair, Scores]:
    pairs: dict[Pair, Scores] = {}
    for row in published_rows(Track.T2I, content):
        pairs[PUBLISHED_CAPTIONER, row.model] = dict(row.scores)
    for row in published_rows(Track.I2T, content):
        pairs.setdefault((row.model, PUBLISHED_PAINTER), {}).update(row.scores)
    return pairs


def _printed(content: Content | None) -> Iterator[tuple[Pair, float]]:
    """Yield the Overalls of all modes as the public leaderboard prints them; one has other digits.

    Of one content, and of systems that lack a mode, there are none.
    """
    for row in published_rows(Track.T2I, content) if content is None else []:
        if row.overall is not None and not row.missing_modes:
            yield (PUBLISHED_CAPTIONER, row.model), row.overall


def _table(
    bench: Bench, content: str, pairs: Mapping[Pair, Scores], printed: Mapping[Pair, float]
) -> PairTable:
    i2t = tuple(dict.fromkeys(pair[0] for pair in pairs))
    t2i = tuple(dict.fromkeys(pair[1] for pair in pairs))
    row_of, column_of = ({name: at for at, name in enumerate(names)} for names in (i2t, t2i))
    placed = {
        (row_of[pair[0]], column_of[pair[1]]): _measures(scores, printed.get(pair))
        for pair, scores in pairs.items()
        if scores
    }
    run = sorted(placed.items(), key=lambda item: item[0])
    measures = [m for m in _all_measures() if any(m.key in values for _, values in run)]
    return PairTable(
        key=bench.label,
        title=bench_title(bench),
        content=content,
        i2t=i2t,
        t2i=t2i,
        measures=tuple(measures),
        places=tuple(place for place, _ in run),
        values={m.key: tuple(values.get(m.key) for _, values in run) for m in measures},
        about=(
            f"The paper ran its T2I models with {PUBLISHED_CAPTIONER}'s captions and its I2T "
            f"models with {PUBLISHED_PAINTER}: one row and one column of the matrix."
            if bench == PUBLISHED_BENCH
            else ""
        ),
    )


def _measures(scores: Scores, printed: float | None) -> dict[str, float]:
    values = {cell_name(cell): score for cell, score in scores.items()}
    for track in OVERALLS:
        value = overall(track, scores)
        if value is not None:
            values[f"overall_{track}"] = value
    if printed is not None:
        values[f"overall_{Track.T2I}"] = printed
    return values


def _all_measures() -> list[Measure]:
    overalls = [
        Measure(key=f"overall_{track}", title=f"Overall, {TRACK_WORDS[track].tab}")
        for track in OVERALLS
    ]
    return overalls + [
        Measure(key=cell_name((mode, dim)), title=f"{DIMENSION_TITLES[dim]}, {mode} mode")
        for mode in reversed(Mode)
        for dim in Dimension
    ]
