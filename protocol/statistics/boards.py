"""The statistics of one board, from the per-image scores of its rows."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from protocol.errors import StatisticsError
from protocol.rules import TRACKS, Content, Dimension, Track
from protocol.samples import parse_name
from protocol.scores import Cell, cell_name
from protocol.statistics.bootstrap import (
    LEVEL,
    RESAMPLES,
    Array,
    Estimate,
    Resamples,
    deviations,
    draw_resamples,
    estimates,
)
from protocol.statistics.pairs import compare_columns
from protocol.statistics.ranking import separable_pairs, slices_of_pairs, standings
from protocol.statistics.records import (
    SCHEMA_VERSION,
    BoardComparison,
    BoardStatistics,
    RowStatistics,
)
from protocol.statistics.weighting import leads


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageScores:
    """The scores of one system on single images."""

    request_id: str
    model: str
    partner: str
    per_image_sha256: str
    scores: Mapping[Cell, Mapping[str, float | None]]
    """By cell and image name, higher is better; None where an image could not be scored."""
    own_family: Collection[str] = ()
    """Images that a model of the decoder's own family made."""


@dataclass(frozen=True, slots=True)
class _Table:
    systems: Sequence[ImageScores]
    cells: Sequence[Cell]
    scores: Array
    """`(systems, cells, images)`; NaN where there is no score."""
    resamples: Resamples

    def estimates(self, values: Array) -> list[Estimate]:
        """Return the mean of each column of `(images, columns)` with its interval."""
        moved = deviations(values, self.resamples)
        return estimates(values.mean(axis=0), moved, self.resamples.degrees_of_freedom)


def board_statistics(
    systems: Sequence[ImageScores],
    track: Track,
    bench: str,
    content: Content | None = None,
    *,
    unranked: Collection[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> BoardStatistics:
    """Return what the images say about the rows of one board.

    The images are those that any system has; a system that lacks one in a cell has no mean there
    and no rank, as on the board.

    Args:
        systems: rows that may be compared with each other.
        track: decides modes and weights.
        bench: the label of their table.
        content: the images of this content only; None for all.
        unranked: requests that the board shows without a rank whatever they scored, as controls.
        resamples: how many.
        seed: of the resamples.

    Raises:
        StatisticsError: there is no scored image, or one only of a content.
        PictureError: an image's name does not tell its content.
    """
    contents = _contents(systems, content)
    if not contents:
        raise StatisticsError("no scored image; statistics need the scores of single images")
    drawn = draw_resamples(list(contents.values()), resamples, seed)
    cells = track_cells(track)
    table = _Table(systems, cells, _scores(systems, cells, list(contents)), drawn)
    ranked, overalls = _ranked(table, track, unranked)
    return BoardStatistics(
        schema_version=SCHEMA_VERSION,
        track=track,
        bench=bench,
        content=content,
        images=len(contents),
        images_per_content=Counter(contents.values()),
        resamples=resamples,
        seed=seed,
        level=LEVEL,
        rows=tuple(_rows(table, ranked, overalls, contents)),
        comparisons=tuple(_comparisons(table, ranked, overalls)),
        leads=tuple(leads(_two_means(table, ranked))),
    )


def _ranked(table: _Table, track: Track, unranked: Collection[str]) -> tuple[list[int], Array]:
    """Return the systems with all scores, best first, and their Overalls `(images, systems)`."""
    wanted = np.array([system.request_id not in unranked for system in table.systems])
    complete = np.flatnonzero(wanted & ~np.isnan(table.scores).any(axis=(1, 2)))
    overalls = _overalls(table.scores[complete], table.cells, track)
    best_first = np.argsort(-overalls.mean(axis=0), kind="stable")
    return complete[best_first].tolist(), overalls[:, best_first]


def image_overalls(systems: Sequence[ImageScores], track: Track, names: Sequence[str]) -> Array:
    """Return each system's Overall on each image; NaN where a cell of the track has no score.

    The board's Overall is linear in the cells' means, so it is the mean of these.

    Args:
        systems: rows that may be compared with each other.
        track: decides modes and weights.
        names: the images.

    Returns:
        `(images, systems)`.
    """
    cells = track_cells(track)
    return _overalls(_scores(systems, cells, names), cells, track)


def track_cells(track: Track) -> list[Cell]:
    """Return the cells that a track's Overall is made of."""
    rule = TRACKS[track]
    return [(mode, dimension) for mode in rule.modes for dimension in rule.weights]


def _overalls(scores: Array, cells: Sequence[Cell], track: Track) -> Array:
    rule = TRACKS[track]
    shares = [rule.weights[dimension] / len(rule.modes) for _, dimension in cells]
    found: Array = np.einsum("sci,c->is", scores, np.array(shares))
    return found


def _contents(systems: Sequence[ImageScores], content: Content | None) -> dict[str, Content]:
    """Return the board's images, by name, with their contents."""
    names = {name for system in systems for images in system.scores.values() for name in images}
    found = {name: parse_name(name).content for name in sorted(names)}
    return {name: own for name, own in found.items() if content in (None, own)}


def _scores(systems: Sequence[ImageScores], cells: Sequence[Cell], names: Sequence[str]) -> Array:
    table = np.full((len(systems), len(cells), len(names)), np.nan)
    for row, system in enumerate(systems):
        for column, cell in enumerate(cells):
            images = system.scores.get(cell, {})
            # A None becomes NaN here.
            table[row, column] = np.array([images.get(name) for name in names], dtype=float)
    return table


def _rows(
    table: _Table, ranked: Sequence[int], overalls: Array, names: Collection[str]
) -> Iterator[RowStatistics]:
    missing = np.isnan(table.scores).sum(axis=2)
    rows, columns = np.nonzero(missing == 0)
    cells: dict[int, dict[str, Estimate]] = {}
    found = table.estimates(table.scores[rows, columns].T)
    for row, column, estimate in zip(rows.tolist(), columns.tolist(), found, strict=True):
        cells.setdefault(row, {})[cell_name(table.cells[column])] = estimate
    places = standings(
        overalls.mean(axis=0),
        deviations(overalls, table.resamples),
        table.resamples.degrees_of_freedom,
    )
    standing = dict(zip(ranked, places, strict=True))
    overall = dict(zip(ranked, table.estimates(overalls), strict=True))
    for index in [*ranked, *(i for i in range(len(table.systems)) if i not in standing)]:
        system = table.systems[index]
        yield RowStatistics(
            request_id=system.request_id,
            model=system.model,
            partner=system.partner,
            per_image_sha256=system.per_image_sha256,
            cells=cells.get(index, {}),
            not_scored={
                cell_name(cell): int(count)
                for cell, count in zip(table.cells, missing[index], strict=True)
                if count
            },
            overall=overall.get(index),
            standing=standing.get(index),
            own_family=sum(name in names for name in system.own_family),
        )


def _comparisons(
    table: _Table, ranked: Sequence[int], overalls: Array
) -> Iterator[BoardComparison]:
    separable = separable_pairs(
        overalls.mean(axis=0),
        deviations(overalls, table.resamples),
        table.resamples.degrees_of_freedom,
    )
    for first, second in slices_of_pairs(len(ranked)):
        found = compare_columns(overalls[:, first], overalls[:, second], table.resamples)
        for one, other, result in zip(first.tolist(), second.tolist(), found, strict=True):
            yield BoardComparison(
                first=table.systems[ranked[one]].request_id,
                second=table.systems[ranked[other]].request_id,
                result=result,
                is_separable=bool(separable[one, other]),
            )


def _two_means(table: _Table, ranked: Sequence[int]) -> dict[str, tuple[float, float]]:
    """Return mean consistency and mean perception over the board's modes, by request."""
    columns = {
        wanted: [at for at, (_, dimension) in enumerate(table.cells) if dimension is wanted]
        for wanted in Dimension
    }
    return {
        table.systems[index].request_id: (
            float(table.scores[index, columns[Dimension.FR]].mean()),
            float(table.scores[index, columns[Dimension.NR]].mean()),
        )
        for index in ranked
    }
