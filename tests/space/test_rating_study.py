"""In which order a viewer sees a study, and when there is a rest."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import paint

from protocol.errors import RatingError
from protocol.ratings import GROUP_IMAGES
from space.rating.study import Pair, find_pairs, order_for, rest_until, session_of

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


def made_pairs(count: int) -> list[Pair]:
    return [Pair(image=f"{at}.png", distorted=Path(), reference=Path()) for at in range(count)]


def test_viewers_have_orders_of_their_own_that_stay() -> None:
    pairs = made_pairs(50)
    first, again, other = (order_for(viewer, pairs) for viewer in ("a", "a", "b"))
    assert first == again
    assert first != other
    assert sorted(p.image for p in first) == sorted(p.image for p in pairs)


def test_no_picture_is_left_out_for_the_capitals_in_its_name(tmp_path: Path) -> None:
    for folder in ("distorted", "references"):
        (tmp_path / folder).mkdir()
        for name in ("a.png", "b.PNG"):
            paint(40, 30, seed=0).save(tmp_path / folder / name)
    pairs = find_pairs(tmp_path / "distorted", tmp_path / "references")
    assert [pair.image for pair in pairs] == ["a.png", "b.PNG"]


def test_an_hour_without_a_rest_ends_in_one() -> None:
    times = [START + timedelta(minutes=minute) for minute in range(61)]
    assert rest_until(times[:60], times[59], 60) is None
    assert rest_until(times, times[-1], 61) == times[-1] + timedelta(minutes=5)
    assert rest_until(times, times[-1] + timedelta(minutes=5), 61) is None
    rested = [*times[:50], *(time + timedelta(minutes=6) for time in times[50:])]
    assert rest_until(rested, rested[-1], 61) is None


def test_there_is_a_rest_between_two_groups() -> None:
    times = [START, START + timedelta(minutes=1)]
    assert rest_until(times, times[-1], GROUP_IMAGES) is not None
    assert rest_until(times, times[-1], GROUP_IMAGES - 1) is None
    assert rest_until([], START, 0) is None
    assert (session_of(GROUP_IMAGES - 1), session_of(GROUP_IMAGES)) == ("g0", "g1")


def test_a_clock_that_is_set_back_makes_no_rest_of_hours() -> None:
    times = [START, START + timedelta(minutes=1)]
    hour_back = times[-1] - timedelta(hours=1)
    assert rest_until(times, hour_back, GROUP_IMAGES) is None
    assert rest_until([hour_back, *times], hour_back, GROUP_IMAGES) == hour_back + timedelta(
        minutes=5
    )


def test_a_picture_without_a_reference_of_its_size_is_named(tmp_path: Path) -> None:
    distorted, references = tmp_path / "distorted", tmp_path / "references"
    references.mkdir()
    for system in ("one", "two"):
        (distorted / system).mkdir(parents=True)
        paint(40, 30, seed=7).save(distorted / system / "NSI_pgc_001.png")
    with pytest.raises(RatingError, match="2 pictures have no reference"):
        find_pairs(distorted, references)
    paint(40, 31, seed=1).save(references / "NSI_pgc_001.png")
    with pytest.raises(RatingError, match=r"001.png is 40x30, its reference 40x31; wanted equal"):
        find_pairs(distorted, references)
    (references / "NSI_pgc_001.png").write_bytes(b"\xff\xd8\xff\xe0" * 10)
    with pytest.raises(RatingError, match="is no PNG file, whatever its name says"):
        find_pairs(distorted, references)
    with pytest.raises(RatingError, match="is no folder"):
        find_pairs(distorted / "none", references)
