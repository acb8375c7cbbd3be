"""Viewers' ratings as they are stored, and which of them can be used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite

SCALE_LOW, SCALE_HIGH = 0.0, 5.0
"""Ends of the scale (P A.2)."""

WORDS = ("bad", "poor", "fair", "good", "excellent")
"""One for each one-point interval, from 0 upwards, in the order of ITU-R BT.500-13. The paper
prints "poor, bad" for the lowest two, although it follows that recommendation."""

GROUP_IMAGES = 400
"""Images of a group; a viewer rests between two (P A.2)."""

SESSION_SECONDS = 3600
"""Longest time without a rest (P A.2)."""


class Rated(StrEnum):
    """What a rating is about."""

    CONSISTENCY = "consistency"
    """Of the distorted image with its reference."""
    PERCEPTION = "perception"
    """Of the distorted image alone."""
    NSFW = "nsfw"
    """1 when the viewer finds the distorted image offensive, 0 when the flag was taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One viewer's answer to one question about one image."""

    viewer: str
    """Pseudonym."""
    image: str
    """The distorted image."""
    dimension: Rated
    rating: float
    """In [0, 5]; 0 or 1 for NSFW."""
    time: str
    """UTC, ISO 8601."""
    session: str
    """The group that the image was rated in, without a rest longer than planned."""


_DIMENSIONS = {str(member): member for member in Rated}

COLUMNS = ("viewer", "image", "dimension", "rating", "time", "session")


class Reason(StrEnum):
    """Why a rating cannot be used."""

    MISSING = "missing"
    """Viewer, image, dimension, rating, time or session is empty."""
    DIMENSION = "dimension"
    """No dimension of this name."""
    NUMBER = "number"
    """The rating is no number."""
    RANGE = "range"
    """The rating is off the scale."""
    TIME = "time"
    """The time is no ISO 8601 time, so that of two ratings nobody knows the later one."""
    SUPERSEDED = "superseded"
    """The same viewer rated the same again later; the later one counts."""
    SHORT_SESSION = "short-session"
    """Too few ratings in a session: its mean, which is taken off, would be theirs."""
    CONSTANT = "constant"
    """All of the viewer's ratings are equal: they say nothing and cannot be normalised."""
    OUTLIER = "outlier"
    """The viewer was removed by the screening."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A rating that is not used."""

    line: int
    """Of the file, the header being line 1."""
    viewer: str
    image: str
    dimension: str
    rating: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Parsed:
    """The ratings of a file."""

    ratings: tuple[Rating, ...]
    lines: tuple[int, ...]
    """Of each rating."""
    refused: tuple[Refused, ...]


def parse_ratings(rows: Iterable[Mapping[str, str | None]]) -> Parsed:
    """Return the ratings that can be used, and the others with a reason each.

    Args:
        rows: one mapping a line with the names of `COLUMNS`.
    """
    texts = ([row.get(name) or "" for name in COLUMNS] for row in rows)
    return parse_texts(enumerate(texts, start=2))


def parse_texts(rows: Iterable[tuple[int, Sequence[str]]]) -> Parsed:
    """Return the same from texts in the order of `COLUMNS`, empty where there is none.

    Args:
        rows: each with the number of its line.
    """
    newest: dict[tuple[str, str, str], tuple[datetime, int, Rating]] = {}
    refused: list[Refused] = []
    for line, texts in rows:
        found = _read(texts)
        if isinstance(found, Reason):
            viewer, image, dimension, number = texts[:4]
            refused.append(
                Refused(
                    line=line,
                    viewer=viewer,
                    image=image,
                    dimension=dimension,
                    rating=number,
                    reason=found,
                )
            )
            continue
        when, rating = found
        key = (rating.viewer, rating.image, rating.dimension)
        here = (when, line, rating)
        earlier = newest.setdefault(key, here)
        if earlier is not here:
            earlier, newest[key] = sorted((earlier, here), key=lambda item: item[:2])
            refused.append(refuse(earlier[2], earlier[1], Reason.SUPERSEDED))
    kept = sorted(newest.values(), key=lambda item: item[1])
    return Parsed(
        tuple(rating for _, _, rating in kept),
        tuple(line for _, line, _ in kept),
        tuple(sorted(refused, key=lambda item: item.line)),
    )


def refuse(rating: Rating, line: int, reason: Reason) -> Refused:
    """Return the record of a rating that is not used."""
    return Refused(
        line=line,
        viewer=rating.viewer,
        image=rating.image,
        dimension=rating.dimension,
        rating=f"{rating.rating:g}",
        reason=reason,
    )


def _read(texts: Sequence[str]) -> tuple[datetime, Rating] | Reason:
    """Return a row's time and rating, or why it cannot be used."""
    if not all(texts):
        return Reason.MISSING
    viewer, image, name, number, time, session = texts
    dimension = _DIMENSIONS.get(name)
    if dimension is None:
        return Reason.DIMENSION
    value = _number(number)
    if value is None:
        return Reason.NUMBER
    is_flag = dimension is Rated.NSFW
    if not (value in (0, 1) if is_flag else SCALE_LOW <= value <= SCALE_HIGH):
        return Reason.RANGE
    when = _time(time)
    if when is None:
        return Reason.TIME
    return when, Rating(
        viewer=viewer, image=image, dimension=dimension, rating=value, time=time, session=session
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if isfinite(value) else None


def _time(text: str) -> datetime | None:
    """Return a time that can be compared with others; one without a zone is UTC."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
