"""Running part of a row again elsewhere: how the numbers are compared, and the record of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from protocol.records import Provenance
from protocol.rules import Dimension, Mode

SCHEMA_VERSION = 1

SHIFT = 0.1
"""Share of the spread between pictures that a mean may be off.

The mean of the benchmark's 1,000 pictures has a standard error of 0.032 of that spread, so a shift
of 0.1 is one that the row's own interval would hardly hold.
"""
STANDARD_ERRORS = 2.0
"""How many standard errors of the mean difference come on top: a subset has few pictures."""
RATE_SHIFT = 0.02
"""Share that the mean file size may be off: captions differ in a word between machines."""
ONE_SIDED = 0.02
"""Share of the pictures that may be scored on one side alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureScore:
    """One row of the per-image table, as far as it is compared."""

    name: str
    mode: Mode
    dimension: Dimension
    score: float | None
    bits_per_pixel: float
    picture_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One mean, here and there, over the same pictures."""

    mode: Mode
    what: str
    """`fr`, `nr` or `bits_per_pixel`."""
    images: int
    one_sided: int
    """Pictures that were scored on one side alone; they are in neither mean."""
    original: float
    replicated: float
    largest_difference: float
    """Of one picture."""
    tolerance: float
    """What the means may differ by."""
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """A part of a row that somebody ran again. Immutable."""

    schema_version: int
    request_id: str
    per_image_sha256: str
    """Of the row that it was compared with."""
    names: tuple[str, ...]
    """The pictures."""
    agreements: tuple[Agreement, ...]
    equal_pictures: int
    """Decoded pictures that are the same to the last bit."""
    pictures: int
    replicated_by: str
    replicated_at: str
    """UTC, ISO 8601."""
    provenance: Provenance

    @property
    def agrees(self) -> bool:
        """Whether every mean is within its tolerance."""
        return all(agreement.agrees for agreement in self.agreements)


def compare(
    original: Iterable[PictureScore], replicated: Iterable[PictureScore]
) -> tuple[Agreement, ...]:
    """Return the agreement of each mode's means and rate, over the pictures of `replicated`."""
    there, here = _by_cell(original), _by_cell(replicated)
    agreements = []
    for (mode, dimension), scores in here.items():
        old = there.get((mode, dimension), {})
        pairs = [(old[name], scores[name]) for name in scores if name in old]
        agreements.append(_scores_agree(mode, dimension, pairs, len(scores)))
        if dimension is Dimension.FR:
            agreements.append(_rates_agree(mode, pairs, len(scores)))
    return tuple(agreements)


def equal_pictures(
    original: Iterable[PictureScore], replicated: Iterable[PictureScore]
) -> tuple[int, int]:
    """Return how many decoded pictures are equal, and how many were compared."""
    there = {(row.name, row.mode): row.picture_sha256 for row in original}
    here = {(row.name, row.mode): row.picture_sha256 for row in replicated}
    equal = sum(bool(sha) and there.get(key) == sha for key, sha in here.items())
    return equal, len(here)


def replication_counts(replications: Iterable[Replication]) -> Mapping[str, int]:
    """Return by request id how many accounts found the row to agree."""
    accounts: dict[str, set[str]] = {}
    for replication in replications:
        if replication.agrees:
            accounts.setdefault(replication.request_id, set()).add(replication.replicated_by)
    return {request_id: len(names) for request_id, names in accounts.items()}


def _by_cell(
    rows: Iterable[PictureScore],
) -> dict[tuple[Mode, Dimension], dict[str, PictureScore]]:
    cells: dict[tuple[Mode, Dimension], dict[str, PictureScore]] = {}
    for row in rows:
        cells.setdefault((row.mode, row.dimension), {})[row.name] = row
    return cells


def _scores_agree(
    mode: Mode,
    dimension: Dimension,
    pairs: Sequence[tuple[PictureScore, PictureScore]],
    asked: int,
) -> Agreement:
    known = [
        (old.score, new.score)
        for old, new in pairs
        if old.score is not None and new.score is not None
    ]
    unscored = sum(old.score is None and new.score is None for old, new in pairs)
    one_sided = asked - unscored - len(known)
    differences = [new - old for old, new in known]
    spread = _spread([old for old, _ in known])
    error = _spread(differences) / sqrt(len(differences)) if differences else 0.0
    tolerance = SHIFT * spread + STANDARD_ERRORS * error
    shift = abs(fmean(differences)) if differences else 0.0
    return Agreement(
        mode=mode,
        what=dimension.value,
        images=len(known),
        one_sided=one_sided,
        original=fmean(old for old, _ in known) if known else 0.0,
        replicated=fmean(new for _, new in known) if known else 0.0,
        largest_difference=max(map(abs, differences), default=0.0),
        tolerance=tolerance,
        agrees=shift <= tolerance and one_sided <= ONE_SIDED * asked,
    )


def _rates_agree(
    mode: Mode, pairs: Sequence[tuple[PictureScore, PictureScore]], asked: int
) -> Agreement:
    old = fmean(pair[0].bits_per_pixel for pair in pairs) if pairs else 0.0
    new = fmean(pair[1].bits_per_pixel for pair in pairs) if pairs else 0.0
    return Agreement(
        mode=mode,
        what="bits_per_pixel",
        images=len(pairs),
        one_sided=asked - len(pairs),
        original=old,
        replicated=new,
        largest_difference=max(
            (abs(b.bits_per_pixel - a.bits_per_pixel) for a, b in pairs), default=0.0
        ),
        tolerance=RATE_SHIFT * old,
        agrees=len(pairs) == asked and abs(new - old) <= RATE_SHIFT * old,
    )


def _spread(values: Sequence[float]) -> float:
    return stdev(values) if len(values) > 1 else 0.0
