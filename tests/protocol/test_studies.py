"""How viewers used the scale, counted by hand."""

import numpy as np
from simulated_viewers import rows_of

from protocol.mos import Screening, opinions
from protocol.ratings import Rated, parse_ratings
from protocol.studies import Study, describe_study


def study(ratings: np.ndarray, screening: Screening = Screening.NONE) -> Study:
    nsfw = np.zeros((1, ratings.shape[1]))
    return describe(rows_of(ratings) + rows_of(nsfw, "nsfw", digits=0), screening)


def describe(rows: list[dict[str, str | None]], screening: Screening = Screening.NONE) -> Study:
    parsed = parse_ratings(rows)
    part = opinions(parsed, Rated.CONSISTENCY, screening, normalise=False)
    return describe_study("one", parsed, [part])


def test_a_viewer_s_ratings_by_hand() -> None:
    found = study(np.array([[5.0, 0.0, 0.24, 4.75, 2.5], [1.0, np.nan, np.nan, np.nan, np.nan]]))
    assert (found.name, found.images) == ("one", 5)
    once, busy = found.viewers
    # The one whose mean is the lowest comes first.
    assert (once.number, busy.number) == (1, 2)
    # A quarter wide: 0 and 0.24, 2.5, then 4.75 and the scale's end.
    assert {at: count for at, count in enumerate(busy.counts) if count} == {0: 2, 10: 1, 19: 2}
    assert (busy.low, busy.lower, busy.middle, busy.upper, busy.high) == (0, 0.24, 2.5, 4.75, 5)
    assert busy.mean == (5 + 0.24 + 4.75 + 2.5) / 5
    assert {at: count for at, count in enumerate(once.counts) if count} == {4: 1}
    assert {once.low, once.lower, once.middle, once.upper, once.high, once.mean} == {1.0}


def test_mean_opinions_are_counted_for_all_pictures_and_for_each_folder() -> None:
    rows = rows_of(np.array([[5.0, 0.0, 0.25, 4.75, 2.5], [3.0, 0.0, 0.24, 5.0, 2.5]]))
    of_all = describe(rows)
    (everything,) = of_all.opinions
    assert (everything.folder, everything.dimension) == ("", Rated.CONSISTENCY)
    # 4, 0, 0.245, 4.875 and 2.5.
    assert {at: n for at, n in enumerate(everything.counts) if n} == {0: 2, 10: 1, 16: 1, 19: 1}
    assert (everything.low, everything.middle, everything.high) == (0, 2.5, 4.875)
    folders = ("a/full", "b", "b", "a/full", "a/full")
    for row in rows:
        row["image"] = f"{folders[int(str(row['image'])[-5])]}/{row['image']}"
    again, best, worst = describe(rows).opinions
    assert again == everything
    assert (best.folder, best.low, best.middle, best.high) == ("a/full", 2.5, 4, 4.875)
    assert (worst.folder, sum(worst.counts), worst.mean) == ("b", 2, 0.1225)


def test_it_is_said_whom_the_screening_removed() -> None:
    agree = np.tile(np.linspace(0.5, 4.5, 9), (4, 1))
    against = agree[0, ::-1] - 0.5
    found = study(np.vstack([agree, against]), Screening.SROCC)
    assert [viewer.is_used for viewer in found.viewers] == [False, True, True, True, True]
