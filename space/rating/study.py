"""What is rated, in which order, and when a viewer rests."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from protocol.errors import RatingError
from protocol.ratings import GROUP_IMAGES, SESSION_SECONDS
from protocol.samples import png_files

REST_SECONDS = 300
"""How long a rest is at least. P names none; five minutes is ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A distorted picture and its reference."""

    image: str
    """What the ratings call it: its path under the folder of distorted pictures."""
    distorted: Path
    reference: Path


def find_pairs(distorted: Path, references: Path) -> list[Pair]:
    """Return the pictures to rate; a picture's reference has the same file name.

    Args:
        distorted: PNG files, in folders of any depth: one for each system, for instance.
        references: a folder of PNG files.

    Raises:
        RatingError: a folder is missing or empty, or a picture has no reference of its size.
        PictureError: a picture to rate is no PNG.
    """
    for folder in (distorted, references):
        if not folder.is_dir():
            raise RatingError(f"{folder} is no folder; wanted a folder of PNG files")
    paths = [path for path in png_files(distorted.rglob("*")) if path.is_file()]
    if not paths:
        raise RatingError(f"{distorted} holds no PNG file to rate")
    missing = [path for path in paths if not (references / path.name).is_file()]
    if missing:
        raise RatingError(
            f"{len(missing)} pictures have no reference of their name in {references}, "
            f"{missing[0]} for example"
        )
    for path in paths:
        found, wanted = _size_of(path), _size_of(references / path.name)
        if found != wanted:
            raise RatingError(
                f"{path} is {found[0]}x{found[1]}, its reference {wanted[0]}x{wanted[1]}; "
                "wanted equal sizes"
            )
    return [
        Pair(
            image=path.relative_to(distorted).as_posix(),
            distorted=path,
            reference=references / path.name,
        )
        for path in paths
    ]


def _size_of(path: Path) -> tuple[int, int]:
    """Return the width and height in a PNG's header."""
    with path.open("rb") as file:
        start = file.read(24)
    if len(start) < 24 or not start.startswith(b"\x89PNG\r\n\x1a\n"):
        raise RatingError(f"{path} is no PNG file, whatever its name says; save it as one")
    return int.from_bytes(start[16:20]), int.from_bytes(start[20:24])


def order_for(viewer: str, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs in the viewer's own random order, the same one each time."""
    seed = int.from_bytes(hashlib.sha256(viewer.encode()).digest()[:8], "big")
    ordered = list(pairs)
    random.Random(seed).shuffle(ordered)
    return ordered


def session_of(place: int) -> str:
    """Return the name of the group that a place of the order belongs to."""
    return f"g{place // GROUP_IMAGES}"


def rest_until(
    times: Sequence[datetime], now: datetime, place: int, *, is_begun: bool = False
) -> datetime | None:
    """Return when a viewer may go on; None when that is now.

    A rest is due after an hour without one, and between two groups.

    Args:
        times: of the viewer's ratings, in order.
        now: the present.
        place: of the next picture in the viewer's order.
        is_begun: whether that picture has an answer, so that the rest before it is over.
    """
    # Answers from before the clock was set back would make a rest of as long as it was ahead.
    times = [time for time in times if time <= now]
    if not times:
        return None
    rest = timedelta(seconds=REST_SECONDS)
    start = last = times[0]
    for time in times[1:]:
        if time - last >= rest:
            start = time
        last = time
    is_due = last - start >= timedelta(seconds=SESSION_SECONDS)
    is_between_groups = place > 0 and place % GROUP_IMAGES == 0 and not is_begun
    if (is_due or is_between_groups) and now < last + rest:
        return last + rest
    return None
