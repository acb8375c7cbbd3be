"""One number a task: what boards that take single numbers are given of a row."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.errors import InputError
from protocol.records import Result, System
from protocol.rules import TRACKS, Dimension, Mode, Role, Track
from protocol.scores import Cell, overall
from protocol.systems import ENDPOINT_ADAPTERS

BENCHMARK = "lcysyzxdxc/CMC-Bench"
"""The dataset on the Hub."""
BENCHMARK_CONFIG = "ground_truth"
"""Its table with the pictures that are compressed; the splits are the contents."""

_TRACKS: Mapping[Role, Track] = {
    Role.I2T: Track.I2T,
    Role.T2I: Track.T2I,
    Role.CODEC: Track.CODEC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the mean lies."""

    low: float
    high: float
    level: float
    """0.95 for 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskValue:
    """One indicator's mean, or an Overall."""

    task_id: str
    """`t2i_full_fr`, `i2t_overall`."""
    value: float
    images: int
    indicator: str
    """Empty for an Overall."""
    interval: Interval | None


def task_ids(role: Role) -> list[str]:
    """Return a role's task ids, the Overall first: a board's default view is the first task."""
    track = TRACKS[_TRACKS[role]]
    prefix = role.value.lower()
    cells = [f"{prefix}_{mode}_{dimension}" for mode in track.modes for dimension in Dimension]
    return [f"{prefix}_overall", *cells]


def task_values(
    result: Result, intervals: Mapping[str, Interval] | None = None
) -> tuple[TaskValue, ...]:
    """Return a row's numbers by task; an Overall only when every mode of its board is there.

    Args:
        result: over the whole dataset.
        intervals: by task id, where they are known.
    """
    known = intervals or {}
    prefix = result.request.role.value.lower()
    means = _means(result)
    track = _TRACKS[result.request.role]
    values = []
    whole = overall(track, {cell: mean for cell, (mean, _) in means.items()})
    if whole is not None:
        name = f"{prefix}_overall"
        values.append(
            TaskValue(
                task_id=name,
                value=whole,
                images=min(images for _, images in means.values()),
                indicator="",
                interval=known.get(name),
            )
        )
    names = {use.dimension: use.name for use in result.provenance.indicators}
    for mode in TRACKS[track].modes:
        for dimension in Dimension:
            if (mode, dimension) in means:
                name = f"{prefix}_{mode}_{dimension}"
                mean, images = means[mode, dimension]
                values.append(
                    TaskValue(
                        task_id=name,
                        value=mean,
                        images=images,
                        indicator=names.get(dimension, ""),
                        interval=known.get(name),
                    )
                )
    return tuple(values)


def hub_model(result: Result) -> System:
    """Return the compared model, which must be one of the Hub.

    Raises:
        InputError: the row is a codec's, a server's or a local folder's.
    """
    system = result.request.compared
    on_hub = (
        system is not None
        and not system.path
        and "/" in system.model
        and system.adapter.replace("_", "-") not in ENDPOINT_ADAPTERS
    )
    if system is None or not on_hub:
        raise InputError(
            f"{result.request.label} is no model repository on the Hub; this form is for those "
            "alone, csv and bibtex are for every row"
        )
    return system


def benchmark_commit(result: Result) -> str:
    """Return the dataset's commit that the indicators' weights came from; empty if not known."""
    for use in result.provenance.indicators:
        repo, _, rest = use.weights_origin.partition("@")
        if repo == BENCHMARK and rest:
            return rest.partition(":")[0]
    return ""


def _means(result: Result) -> dict[Cell, tuple[float, int]]:
    return {
        (Mode(score.mode), score.dimension): (score.mean, score.images)
        for score in result.scores
        if score.content is None and score.mean is not None
    }
