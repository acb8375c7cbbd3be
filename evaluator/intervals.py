"""Where a row's means lie, from its per-image scores."""

from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from statistics import NormalDist, fmean, stdev

from evaluator.image_scores import read_rows
from protocol.rules import TRACKS, Dimension, Mode, Role, Track
from submission.exports.tasks import Interval

LEVEL = 0.95
_TRACKS = {Role.I2T: Track.I2T, Role.T2I: Track.T2I, Role.CODEC: Track.CODEC}


def task_intervals(per_image: Path, role: Role) -> Mapping[str, Interval]:
    """Return the interval of each task's mean over the images, by task id.

    It is the normal one, mean ± 1.96 s / sqrt(n): it says how far another draw of images would
    move the mean, and nothing about seeds. An Overall is linear in an image's scores, so it has
    one as well. A task with an image that was not scored has none.

    Raises:
        RecordError: the file is no table of scores on single images.
    """
    rows = read_rows(per_image, ("name", "mode", "dimension", "score"))
    cells: dict[tuple[Mode, Dimension], dict[str, float | None]] = {}
    for row in rows:
        cell = (Mode(row["mode"]), Dimension(row["dimension"]))
        cells.setdefault(cell, {})[row["name"]] = row["score"]
    rule, prefix = TRACKS[_TRACKS[role]], role.value.lower()
    found = {
        f"{prefix}_{mode}_{dimension}": _interval(list(scores.values()))
        for (mode, dimension), scores in cells.items()
        if mode in rule.modes
    }
    wanted = [(mode, dimension) for mode in rule.modes for dimension in rule.weights]
    if all(cell in cells for cell in wanted):
        share = {cell: rule.weights[cell[1]] / len(rule.modes) for cell in wanted}
        found[f"{prefix}_overall"] = _interval(
            [_weighted(name, cells, share) for name in cells[wanted[0]]]
        )
    return {name: interval for name, interval in found.items() if interval is not None}


def _weighted(
    name: str,
    cells: Mapping[tuple[Mode, Dimension], Mapping[str, float | None]],
    share: Mapping[tuple[Mode, Dimension], float],
) -> float | None:
    """Return one image's Overall; None when one of its scores is missing."""
    total = 0.0
    for cell, weight in share.items():
        score = cells[cell].get(name)
        if score is None:
            return None
        total += weight * score
    return total


def _interval(scores: list[float | None]) -> Interval | None:
    known = [score for score in scores if score is not None]
    if len(known) != len(scores) or len(known) < 2:
        return None
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * stdev(known) / sqrt(len(known))
    return Interval(low=fmean(known) - half, high=fmean(known) + half, level=LEVEL)
