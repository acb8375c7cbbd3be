"""Which ratings can be used."""

import pytest

from protocol.ratings import COLUMNS, Rated, Reason, parse_ratings

GOOD = ("v1", "a.png", "consistency", "3.5", "2026-01-01T10:00:00Z", "g0")


def row(**changes: str | None) -> dict[str, str | None]:
    return {**dict(zip(COLUMNS, GOOD, strict=True)), **changes}


def test_a_good_rating_is_kept_as_it_is() -> None:
    parsed = parse_ratings([row()])
    (rating,) = parsed.ratings
    assert (rating.dimension, rating.rating, parsed.lines, parsed.refused) == (
        Rated.CONSISTENCY,
        3.5,
        (2,),
        (),
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"viewer": ""}, Reason.MISSING),
        ({"session": None}, Reason.MISSING),
        ({"dimension": "beauty"}, Reason.DIMENSION),
        ({"rating": "good"}, Reason.NUMBER),
        ({"rating": "nan"}, Reason.NUMBER),
        ({"rating": "inf"}, Reason.NUMBER),
        ({"rating": "5.01"}, Reason.RANGE),
        ({"rating": "-0.1"}, Reason.RANGE),
        ({"dimension": "nsfw", "rating": "0.5"}, Reason.RANGE),
        ({"time": "yesterday"}, Reason.TIME),
    ],
)
def test_every_other_has_its_reason(changes: dict[str, str | None], reason: Reason) -> None:
    parsed = parse_ratings([row(), row(**{"image": "b.png", **changes})])
    assert len(parsed.ratings) == 1
    (refused,) = parsed.refused
    assert (refused.line, refused.reason) == (3, reason)


def test_of_two_ratings_of_the_same_the_later_counts_wherever_it_stands() -> None:
    later = row(rating="4", time="2026-01-01T12:00:00+00:00")
    for rows in ([row(), later], [later, row()]):
        parsed = parse_ratings(rows)
        assert [rating.rating for rating in parsed.ratings] == [4]
        (refused,) = parsed.refused
        assert (refused.rating, refused.reason) == ("3.5", Reason.SUPERSEDED)


def test_three_ratings_of_the_same_leave_one() -> None:
    rows = [row(rating=str(n), time=f"2026-01-01T10:0{m}:00Z") for n, m in ((1, 2), (2, 0), (3, 1))]
    parsed = parse_ratings(rows)
    assert [rating.rating for rating in parsed.ratings] == [1]
    assert [item.line for item in parsed.refused] == [3, 4]


def test_times_of_several_zones_are_compared_as_times() -> None:
    earlier = row(rating="1", time="2026-01-01T11:00:00+02:00")
    parsed = parse_ratings([row(), earlier])
    assert [rating.rating for rating in parsed.ratings] == [3.5]


def test_the_ends_of_the_scale_belong_to_it() -> None:
    parsed = parse_ratings([row(rating="0"), row(image="b.png", rating="5")])
    assert len(parsed.ratings) == 2
