"""Mean opinion scores: on viewers with a known truth, and against sureal and scipy."""

import tracemalloc
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from simulated_viewers import GROUP, rows_of, simulate
from sureal.subjective_model import MosModel

from protocol.errors import RatingError
from protocol.mos import Opinions, Screening, centre_sessions, nsfw_reports, opinions
from protocol.ratings import Rated, Reason, parse_ratings
from protocol.screening import bt500_rejected, rank_correlations, spearman

TRUTH = np.random.default_rng(9).uniform(0.8, 4.2, 200)


def found(ratings: np.ndarray, **options: Any) -> Opinions:
    return opinions(parse_ratings(rows_of(ratings)), Rated.CONSISTENCY, **options)


def mos_of(part: Opinions) -> np.ndarray:
    return np.array([score.mos for score in part.scores])


def removed(part: Opinions) -> set[str]:
    return {viewer.viewer for viewer in part.viewers if viewer.reason is not None}


def sureal_answer(ratings: np.ndarray, **options: bool) -> dict[str, Any]:
    reader = SimpleNamespace(opinion_score_3darray=ratings.T[:, :, None])
    # For a viewer without any far rating it divides 0 by 0, and keeps the viewer.
    with np.errstate(invalid="ignore"):
        answer: dict[str, Any] = MosModel._run_modeling(reader, **options)
    return answer


@pytest.mark.parametrize("noise", [0.25, 0.5, 0.7])
@pytest.mark.parametrize("clickers", [0, 1, 3])
def test_truth_is_found_and_exactly_the_random_clickers_are_removed(
    noise: float, clickers: int
) -> None:
    part = found(simulate(TRUTH, noise=noise, clickers=clickers))
    # The truth as the viewers saw it: each group of 40 images has its own mean taken off.
    groups = np.arange(200)[None] // GROUP
    seen = centre_sessions(TRUTH[None], groups)[0]
    assert removed(part) == {f"v{20 - i - 1:02d}" for i in range(clickers)}
    assert stats.spearmanr(mos_of(part), seen).statistic > 0.97


def test_who_correlates_by_less_than_0_6_is_removed_and_nobody_else() -> None:
    rng = np.random.default_rng(0)
    noise = np.linspace(0.2, 4.0, 40)[:, None]
    part = found(np.clip(TRUTH + noise * rng.normal(size=(40, 200)), 0, 5), normalise=False)
    told = sorted((viewer.srocc or 0.0, viewer.reason) for viewer in part.viewers)
    removed_at = [srocc for srocc, reason in told if reason is Reason.OUTLIER]
    kept_at = [srocc for srocc, reason in told if reason is None]
    assert len(removed_at) + len(kept_at) == 40
    assert 0.55 < max(removed_at) < 0.6 <= min(kept_at) < 0.65


def test_screening_by_correlation_helps_when_a_quarter_clicks_at_random() -> None:
    ratings = simulate(TRUTH, noise=0.5, clickers=5)
    kept = mos_of(found(ratings, normalise=False))
    everyone = mos_of(found(ratings, normalise=False, screening=Screening.NONE))
    assert np.abs(kept - TRUTH).mean() < 0.8 * np.abs(everyone - TRUTH).mean()


def test_z_scores_are_another_s_implementation_s() -> None:
    ratings = np.round(simulate(TRUTH[:GROUP], drift=0.0), 3)
    ratings[3, 7] = ratings[5, 7:12] = np.nan
    part = found(ratings, screening=Screening.NONE)
    theirs = sureal_answer(ratings, zscore_mode=True)
    z = (mos_of(part) - 2.5) * 6 / 5
    assert z == pytest.approx(theirs["quality_scores"], abs=1e-9)
    errors = [6 / 5 * (score.standard_error or 0.0) for score in part.scores]
    assert errors == pytest.approx(theirs["quality_scores_std"], abs=1e-9)


def test_raw_means_and_errors_are_another_s_implementation_s() -> None:
    ratings = np.round(simulate(TRUTH[:60], clickers=2), 3)
    ratings[2, ::3] = np.nan
    part = found(ratings, screening=Screening.NONE, normalise=False)
    theirs = sureal_answer(ratings)
    assert mos_of(part) == pytest.approx(theirs["quality_scores"], abs=1e-9)
    errors = [score.standard_error for score in part.scores]
    assert errors == pytest.approx(theirs["quality_scores_std"], abs=1e-9)


@pytest.mark.parametrize("images", [1, 2, 7, 8, 9, 200])
def test_scores_are_the_same_to_the_last_bit_however_many_images_are_worked_on_at_once(
    monkeypatch: pytest.MonkeyPatch, images: int
) -> None:
    ratings = simulate(TRUTH[:images], viewers=150)
    ratings[np.random.default_rng(3).random(ratings.shape) < 0.4] = np.nan
    whole = found(ratings, screening=Screening.NONE, normalise=images > GROUP)
    monkeypatch.setattr("protocol.agreement._PART", 4)
    assert found(ratings, screening=Screening.NONE, normalise=images > GROUP) == whole


def test_a_study_where_most_rate_little_holds_few_copies_of_viewers_by_images() -> None:
    ratings = simulate(np.resize(TRUTH, 4000), viewers=50)
    ratings[np.random.default_rng(3).random(ratings.shape) < 0.9] = np.nan
    parsed = parse_ratings(rows_of(ratings))
    images = len(opinions(parsed, Rated.CONSISTENCY, Screening.NONE, normalise=False).scores)
    table = 50 * images * np.dtype(float).itemsize
    tracemalloc.start()
    opinions(parsed, Rated.CONSISTENCY, Screening.NONE, normalise=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * table


def test_bt500_rejects_whom_another_s_implementation_rejects() -> None:
    rejected = 0
    for seed in range(8):
        # Erratic viewers: mostly right, but one rating in four is far to either side.
        rng = np.random.default_rng(seed)
        ratings = TRUTH + rng.normal(0, 0.3, (20, 200))
        wild = rng.random((2, 200)) < 0.25
        ratings[:2] += np.where(wild, rng.choice([-0.9, 0.9], (2, 200)), 0)
        theirs = sureal_answer(ratings, subject_rejection=True)["observer_rejected"]
        # sureal divides by N where the recommendation, section 2.2.1, divides by N - 1.
        assert bt500_rejected(ratings, ddof=0).tolist() == theirs
        rejected += sum(theirs)
    assert rejected >= 8


def test_bt500_by_hand() -> None:
    # Nineteen viewers spread evenly over 0.8: none of them is 2 deviations from the mean, 0.24.
    rng = np.random.default_rng(0)
    spread = np.linspace(-0.4, 0.4, 19)
    ratings = 2.5 + np.array([[0.0, *rng.permutation(spread)] for _ in range(40)]).T
    # The first is far on four images to each side: 20 % far, |4 - 4| = 0; in the other panel it
    # is far on eight images to one side, which is a bias and no reason.
    biased = ratings.copy()
    ratings[0, :4], ratings[0, 4:8] = 3.25, 1.75
    biased[0, :8] = 3.25
    assert not bt500_rejected(biased).any()
    assert bt500_rejected(ratings).tolist() == [True, *[False] * 19]
    part = found(ratings, screening=Screening.BT500, normalise=False)
    assert removed(part) == {"v00"}
    assert {score.ratings for score in part.scores} == {19}


@pytest.mark.parametrize(
    ("viewers", "gap", "is_far"),
    [
        # With N - 1 below the root; with N these are 1.98 and 2.02 deviations.
        (20, 1.93, False),
        (20, 1.97, False),
        (20, 2.03, True),
        # One far rating among many: the image's kurtosis is above 4 and the limit sqrt(20), 4.47.
        (60, 4.4, False),
        (60, 4.55, True),
    ],
)
def test_bt500_s_limits_by_hand(viewers: int, gap: float, is_far: bool) -> None:
    spread = np.linspace(-0.4, 0.4, viewers - 1)
    # How far the first must lie from the others' middle to be `gap` sample deviations from all.
    n = viewers
    square = gap**2 * (spread**2).sum() / ((n - 1) ** 3 / n**2 - gap**2 * (n - 1) / n)
    column = np.array([np.sqrt(square), *spread])
    assert (column[0] - column.mean()) / column.std(ddof=1) == pytest.approx(gap)
    ratings = 2.5 + np.stack([column, -column] * 2 + [np.array([0.0, *spread])] * 20, axis=1)
    assert bt500_rejected(ratings)[0] == is_far


def test_correlations_are_scipy_s_with_ties_and_gaps() -> None:
    ratings = np.round(simulate(TRUTH[:50], noise=1.0))
    ratings[0, ::7] = np.nan
    means = np.nanmean(ratings, axis=0)
    for row, ours in zip(ratings, rank_correlations(ratings), strict=True):
        rated = ~np.isnan(row)
        assert ours == pytest.approx(stats.spearmanr(row[rated], means[rated]).statistic)
    assert spearman(np.ones(5), np.arange(5.0)) is None


def test_a_session_s_mean_becomes_two_and_a_half() -> None:
    ratings = np.array([[1.0, 2.0, 3.0, 5.0, np.nan]])
    groups = np.array([[0, 0, 1, 1, 1]])
    centred = centre_sessions(ratings, groups)
    assert centred[0, :4] == pytest.approx([2.0, 3.0, 1.5, 3.5])
    assert np.isnan(centred[0, 4])


def test_a_shift_between_sessions_changes_no_score() -> None:
    ratings = np.round(1.5 + simulate(TRUTH / 5, noise=0.1, drift=0.0), 3)
    shifted = ratings.copy()
    shifted[4, GROUP : 2 * GROUP] += 0.5
    assert mos_of(found(ratings)) == pytest.approx(mos_of(found(shifted)), abs=1e-9)


def test_standard_error_is_how_far_repeated_experiments_spread() -> None:
    # Ten viewers without bias or drift rate each image; the scores of many such panels.
    def panel(seed: int) -> Opinions:
        rng = np.random.default_rng(seed)
        return found(
            np.clip(TRUTH[:30] + rng.normal(0, 0.3, (10, 30)), 0, 5),
            normalise=False,
            screening=Screening.NONE,
        )

    panels = [panel(seed) for seed in range(100)]
    spread = np.std([mos_of(p) for p in panels], axis=0)
    told = np.mean([[s.standard_error or 0.0 for s in p.scores] for p in panels], axis=0)
    assert told.mean() == pytest.approx(spread.mean(), rel=0.06)


def test_one_viewer_gives_scores_without_an_error() -> None:
    part = found(simulate(TRUTH, viewers=1), screening=Screening.NONE)
    assert {score.standard_error for score in part.scores} == {None}


def test_constant_viewers_and_short_sessions_are_refused_with_their_reason() -> None:
    ratings = np.round(simulate(TRUTH[:80]), 3)
    ratings[4] = 3.0
    ratings[6, GROUP + 5 :] = np.nan  # five ratings in the second session
    part = found(ratings)
    reasons = {(item.viewer, item.reason) for item in part.refused}
    assert reasons == {("v04", Reason.CONSTANT), ("v06", Reason.SHORT_SESSION)}
    assert sum(item.viewer == "v06" for item in part.refused) == 5
    (short,) = [viewer for viewer in part.viewers if viewer.viewer == "v06"]
    assert (short.ratings, short.reason) == (GROUP, None)


def test_a_viewer_who_left_at_once_is_none_of_those_who_agree() -> None:
    ratings = simulate(TRUTH[:80])
    late = np.full((1, ratings.shape[1]), np.nan)
    late[0, :3] = 2.5
    part = found(np.vstack([ratings, late]))
    assert part.agreement_all == found(ratings).agreement_all
    assert part.agreement_all.icc_mean is not None


def test_refused_and_used_ratings_are_all_ratings() -> None:
    ratings = simulate(TRUTH, clickers=2)
    part = found(ratings)
    assert sum(score.ratings for score in part.scores) + len(part.refused) == ratings.size


def test_nobody_left_is_an_error_and_no_empty_table() -> None:
    clickers = simulate(TRUTH[:80], viewers=30, clickers=30)
    with pytest.raises(RatingError, match="none of 30 viewers is left"):
        found(clickers)
    with pytest.raises(RatingError, match="no usable perception rating"):
        opinions(parse_ratings(rows_of(clickers)), Rated.PERCEPTION)


def test_offensive_images_are_counted_by_viewer() -> None:
    ratings = np.zeros((3, 2))
    ratings[:2, 1] = 1
    parsed = parse_ratings(rows_of(ratings, "nsfw", digits=0))
    assert nsfw_reports(parsed) == {"image_0001.png": 2}
