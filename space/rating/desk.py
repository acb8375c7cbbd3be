"""What the browser asks and is told; the only place that knows who is where."""

import base64
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from protocol.errors import RatingError
from protocol.rating_log import RatingLog
from protocol.ratings import (
    GROUP_IMAGES,
    SCALE_HIGH,
    SCALE_LOW,
    Parsed,
    Rated,
    Rating,
)
from space.rating.study import Pair, order_for, rest_until, session_of

Told: TypeAlias = dict[str, Any]

SCORES = (Rated.CONSISTENCY, Rated.PERCEPTION)


class Desk:
    """One study's front desk; keeps nothing in memory that a restart could lose."""

    def __init__(
        self,
        log: RatingLog,
        pairs: Sequence[Pair],
        consent_text: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep the study; `now` is another clock in tests."""
        self._log = log
        self._pairs = pairs
        self._consent = consent_text
        self._now = now
        self._orders: dict[str, list[Pair]] = {}
        """By viewer."""
        self._shown: dict[str, tuple[str, int]] = {}
        """By viewer: mark and place of the picture that was shown last, which an answer is of."""

    def enter(self, name: str, *, agrees: bool) -> Told:
        """Let a viewer in and show the next picture.

        Raises:
            RatingError: the name is empty, or the viewer has not agreed.
        """
        viewer = self._log.pseudonym(name)
        if not agrees and not self._log.has_consented(viewer, self._consent):
            raise RatingError("please read the text above and agree to it first")
        self._log.consent(viewer, self._consent, _text(self._now()))
        return self.show(viewer)

    def show(self, viewer: str) -> Told:
        """Return the viewer's next picture, a rest, or the end.

        Raises:
            RatingError: the viewer has not agreed to this study's text.
        """
        self._check(viewer)
        parsed, times = self._log.answers(viewer)
        given = _given(parsed)
        order = self._order(viewer)
        open_places = [
            place
            for place, pair in enumerate(order)
            if any(score not in given.get(pair.image, {}) for score in SCORES)
        ]
        told: Told = {"viewer": viewer, "done": len(order) - len(open_places), "total": len(order)}
        if not open_places:
            return {**told, "state": "finished"}
        place = open_places[0]
        pair, now = order[place], self._now()
        is_begun = pair.image in given
        until = rest_until(times, now, place, is_begun=is_begun)
        if until is not None:
            return {**told, "state": "rest", "seconds": (until - now).total_seconds()}
        (mark,) = self._marks(viewer, [pair])
        self._shown[viewer] = mark, place
        return {
            **told,
            "state": "rate",
            "picture": mark,
            "group": place // GROUP_IMAGES + 1,
            "groups": (len(order) - 1) // GROUP_IMAGES + 1,
            "given": {str(what): value for what, value in given.get(pair.image, {}).items()},
            "distorted": _data_url(pair.distorted),
            "reference": _data_url(pair.reference),
        }

    def save(self, viewer: str, picture: str, dimension: str, rating: float) -> Told:
        """Write one answer; what is returned was on the disk before.

        The picture is named by its mark, so that the browser never learns which system made it,
        and so that an answer is of the picture that was shown where the study has changed since.

        Raises:
            RatingError: the viewer, the picture, the dimension or the rating is none.
            OSError: it could not be written.
        """
        self._check(viewer)
        place = self._place_of(viewer, picture)
        if dimension not in list(Rated):
            raise RatingError(f"nobody is asked for {dimension!r}")
        allowed = rating in (0, 1) if dimension == Rated.NSFW else SCALE_LOW <= rating <= SCALE_HIGH
        if not allowed:
            raise RatingError(f"{rating} is off the scale of {dimension}")
        self._log.append(
            Rating(
                viewer=viewer,
                image=self._order(viewer)[place].image,
                dimension=Rated(dimension),
                rating=float(rating),
                time=_text(self._now()),
                session=session_of(place),
            )
        )
        return {"saved": True, "picture": picture, "dimension": dimension, "rating": rating}

    def _order(self, viewer: str) -> list[Pair]:
        if viewer not in self._orders:
            self._orders[viewer] = order_for(viewer, self._pairs)
        return self._orders[viewer]

    def _place_of(self, viewer: str, picture: str) -> int:
        mark, place = self._shown.get(viewer, ("", 0))
        if picture == mark:
            return place
        # Shown before a restart, or in another tab: tens of thousands of marks are gone through.
        marks = self._marks(viewer, self._order(viewer))
        if picture not in marks:
            raise RatingError("this picture is not in the study any more; reload the page")
        return marks.index(picture)

    def _marks(self, viewer: str, pairs: Sequence[Pair]) -> list[str]:
        return self._log.marks(viewer, [pair.image for pair in pairs])

    def _check(self, viewer: str) -> None:
        if not self._log.has_consented(viewer, self._consent):
            raise RatingError("please enter your name and agree to the text first")


def _given(parsed: Parsed) -> Mapping[str, Mapping[Rated, float]]:
    given: dict[str, dict[Rated, float]] = {}
    for rating in parsed.ratings:
        given.setdefault(rating.image, {})[rating.dimension] = rating.rating
    return given


def _data_url(path: Path) -> str:
    """Return a picture whole: a link to its file would tell which system made it."""
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
