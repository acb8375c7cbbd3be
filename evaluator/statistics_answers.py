"""The questions of `cmc statistics`, answered from a store."""

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluator.image_scores import (
    Measured,
    by_bench,
    image_scores,
    one_bench,
    read_measured,
    read_rows,
    stands_on,
)
from evaluator.progress import Reporter, silent
from protocol.boards import result_rows
from protocol.eligibility import may_be_ranked
from protocol.errors import StatisticsError, StoreError
from protocol.records import Result, System
from protocol.rules import Content, Dimension, Mode, Track
from protocol.samples import parse_name
from protocol.statistics.additive import Additive, Pair, fit_additive
from protocol.statistics.boards import ImageScores, board_statistics, image_overalls
from protocol.statistics.bootstrap import Array
from protocol.statistics.components import Components, separate
from protocol.statistics.files import made_from, write_statistics
from protocol.statistics.pairs import Comparison, compare
from protocol.statistics.records import SCHEMA_VERSION, BoardStatistics, PairEffects
from protocol.system_names import distinct_names, names_with_partners, system_key
from submission.evidence import put_evidence
from submission.store import Store

PAIR_TRACKS = (Track.T2I_ULB, Track.T2I_ELB, Track.T2I, Track.I2T)
"""The Overalls that the matrix of pairs is fitted by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A board whose images are too few."""

    track: Track
    bench: str
    content: Content | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedComparison:
    """Two systems by their names."""

    first: str
    second: str
    track: Track
    result: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedComponents:
    """The components of one indicator in one mode."""

    mode: Mode
    dimension: Dimension
    result: Components


def make_boards(
    results: Sequence[Measured],
    folder: Path,
    tracks: Sequence[Track],
    contents: Sequence[Content | None],
    *,
    resamples: int,
    seed: int,
    report: Reporter = silent,
) -> list[BoardStatistics | Refused]:
    """Make the statistics of all boards with some of the results and write them into a folder.

    A board whose images do not allow any is answered with the reason; the others are made.
    """
    tables = [
        (track, bench, rows)
        for track in tracks
        for bench, rows in by_bench(
            [one for one in results if stands_on(one.result, track)]
        ).items()
    ]
    made: list[BoardStatistics | Refused] = []
    with report("boards", len(tables) * len(contents)) as advance:
        for track, bench, rows in tables:
            systems = [row.images for row in rows]
            for content in contents:
                on_board = result_rows([row.result for row in rows], track, content)
                try:
                    statistics = board_statistics(
                        systems,
                        track,
                        bench.label,
                        content,
                        unranked={row.request_id for row in on_board if row.overall is None},
                        resamples=resamples,
                        seed=seed,
                    )
                except StatisticsError as error:
                    why = str(error)
                    made.append(
                        Refused(track=track, bench=bench.label, content=content, reason=why)
                    )
                else:
                    write_statistics(folder, statistics)
                    made.append(statistics)
                advance(1)
    return made


def compare_requests(
    store: Store,
    first: str,
    second: str,
    track: Track,
    *,
    resamples: int,
    seed: int,
) -> NamedComparison:
    """Compare two results by the beginnings of their ids, by a track's Overall.

    Raises:
        StoreError: an id begins no result's, or several.
        StatisticsError: their rows cannot stand on one table, or share too few images.
    """
    pair = [_measured(store, start) for start in (first, second)]
    benches = {item.bench.label for item in pair}
    if len(benches) > 1:
        raise StatisticsError(f"these cannot be compared: {' and '.join(sorted(benches))}")
    names, strata = _images([item.images for item in pair])
    overalls = image_overalls([item.images for item in pair], track, names)
    one, other = names_with_partners([item.images for item in pair])
    return NamedComparison(
        first=one,
        second=other,
        track=track,
        result=compare(overalls[:, 0], overalls[:, 1], strata, resamples=resamples, seed=seed),
    )


def fit_pairs(store: Store, track: Track, *, resamples: int, seed: int) -> Additive:
    """Fit the matrix of pairs of the table with most of them, by a track's Overall.

    Raises:
        StatisticsError: the pairs are too few, or do not hang together.
    """
    return _fit(
        one_bench(measured_pairs(read_measured(store))), track, resamples=resamples, seed=seed
    )


def make_effects(
    store: Store,
    results: Sequence[Measured],
    tracks: Sequence[Track],
    *,
    resamples: int,
    seed: int,
) -> list[PairEffects]:
    """Fit the matrix of pairs of every table that has effects, and keep it beside the results.

    A table with too few pairs has none; `fit_pairs` says why.
    """
    made = []
    for bench, measured in by_bench(measured_pairs(results)).items():
        for track in tracks:
            with contextlib.suppress(StatisticsError):
                effects = PairEffects(
                    schema_version=SCHEMA_VERSION,
                    track=track,
                    bench=bench.label,
                    made_from=made_from(item.result for item in measured),
                    result=_fit(measured, track, resamples=resamples, seed=seed),
                )
                put_evidence(store.beside, effects)
                made.append(effects)
    return made


def measured_pairs(results: Iterable[Measured]) -> list[Measured]:
    """Return the results of encoder and decoder pairs that may be ranked."""
    return [item for item in results if halves(item.result) and may_be_ranked(item.result)]


def pair_means(measured: Sequence[Measured], track: Track) -> dict[Pair, float]:
    """Return the mean Overall of each pair that has one, over the images that all of them have."""
    scores, _ = _pair_scores(measured, track)
    if not scores:
        return {}
    table = np.stack(list(scores.values()), axis=1)
    means = table[~np.isnan(table).any(axis=1)].mean(axis=0)
    return dict(zip(scores, means.tolist(), strict=True))


def halves(result: Result) -> tuple[System, ...]:
    """Return the encoder and the decoder of a pair; nothing of a codec or of half a pair."""
    i2t, t2i = result.request.i2t, result.request.t2i
    return () if i2t is None or t2i is None else (i2t, t2i)


def _fit(measured: Sequence[Measured], track: Track, *, resamples: int, seed: int) -> Additive:
    scores, strata = _pair_scores(measured, track)
    return fit_additive(scores, strata, resamples=resamples, seed=seed)


def _pair_scores(measured: Sequence[Measured], track: Track) -> tuple[dict[Pair, Array], list[str]]:
    names, strata = _images([item.images for item in measured])
    overalls = image_overalls([item.images for item in measured], track, names)
    # A pair that lacks a whole mode would leave no image to any of them.
    pairs = [halves(item.result) for item in measured]
    labels = distinct_names(system for pair in pairs for system in pair)
    scores = {
        (labels[system_key(i2t)], labels[system_key(t2i)]): overalls[:, at]
        for at, (i2t, t2i) in enumerate(pairs)
        if not np.isnan(overalls[:, at]).all()
    }
    return scores, strata


def separate_seeds(
    files: Sequence[Path], indicator: str, *, resamples: int, seed: int
) -> list[SeedComponents]:
    """Separate the seed's variance from the images', for one indicator in each mode.

    Args:
        files: per-image Parquets of the same system on the same images, one a seed.
        indicator: whose scores.
        resamples: how many.
        seed: of the resamples.

    Raises:
        StatisticsError: one file only, one seed twice, or no such scores in common.
        RecordError: a file cannot be read.
    """
    tables: list[dict[tuple[Mode, Dimension], dict[str, float | None]]] = []
    runs: dict[frozenset[tuple[str, str, int]], Path] = {}
    for file in files:
        table: dict[tuple[Mode, Dimension], dict[str, float | None]] = {}
        rows = read_rows(file)
        seeds = frozenset((row["name"], row["mode"], row["seed"]) for row in rows)
        same = runs.setdefault(seeds, file)
        if len(runs) == len(tables):
            raise StatisticsError(
                f"{same} and {file} are of the same pictures decoded from the same seeds, which "
                "shows no variance; wanted one file a seed"
            )
        for row in rows:
            if row["indicator"] == indicator:
                cell = (Mode(row["mode"]), Dimension(row["dimension"]))
                table.setdefault(cell, {})[row["name"]] = row["score"]
        tables.append(table)
    shared = set.intersection(*(set(table) for table in tables))
    if not shared:
        raise StatisticsError(f"the files have no {indicator} scores of one mode in common")
    found = []
    for mode, dimension in sorted(shared):
        names = sorted({name for table in tables for name in table[mode, dimension]})
        scores = np.array(
            [[table[mode, dimension].get(name) for name in names] for table in tables], dtype=float
        )
        strata = [parse_name(name).content for name in names]
        result = separate(scores, strata, resamples=resamples, seed=seed)
        found.append(SeedComponents(mode=mode, dimension=dimension, result=result))
    return found


def _measured(store: Store, start: str) -> Measured:
    found = [r for r in store.results() if r.request.request_id.startswith(start)]
    if len(found) != 1:
        raise StoreError(
            f"{len(found)} results of the store have an id that begins with {start!r}; "
            "wanted one, see `cmc queue`"
        )
    (result,) = found
    return Measured(result, image_scores(result, store.per_image_path(result.request.request_id)))


def _images(systems: Sequence[ImageScores]) -> tuple[list[str], list[str]]:
    """Return the images that any system has, and their contents."""
    names = sorted({n for s in systems for images in s.scores.values() for n in images})
    return names, [parse_name(name).content for name in names]
