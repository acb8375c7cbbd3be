"""Agreement between viewers, against published figures and another's implementation."""

import krippendorff
import numpy as np
import pytest
from simulated_viewers import simulate

from protocol.agreement import agreement, intraclass, krippendorff_alpha

# Shrout & Fleiss 1979, table 2: four judges rate six targets.
SHROUT_FLEISS = np.array(
    [[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]], dtype=float
)


def test_intraclass_correlations_are_those_that_shrout_and_fleiss_print() -> None:
    single, mean = intraclass(SHROUT_FLEISS)
    assert single == pytest.approx(0.29, abs=0.005)
    assert mean == pytest.approx(0.62, abs=0.005)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.7])
def test_alpha_is_another_s_implementation_s(missing: float) -> None:
    ratings = np.round(simulate(np.random.default_rng(1).uniform(0, 5, 60), viewers=8, noise=1.0))
    ratings[np.random.default_rng(2).random(ratings.shape) < missing] = np.nan
    theirs = krippendorff.alpha(ratings, level_of_measurement="interval")
    assert krippendorff_alpha(ratings) == pytest.approx(theirs)


def test_krippendorff_s_own_example() -> None:
    # Krippendorff 2011, section E: four observers, twelve units, interval metric: 0.849.
    empty = np.nan
    ratings = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, empty, empty, empty],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, empty, 3],
            [empty, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, empty],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, empty],
        ]
    )
    assert krippendorff_alpha(ratings) == pytest.approx(0.849, abs=5e-4)


def test_perfect_agreement_is_one_and_random_clicking_is_about_zero() -> None:
    same = np.tile(np.arange(30.0), (5, 1))
    assert krippendorff_alpha(same) == 1
    assert intraclass(same) == pytest.approx((1, 1))
    noise = np.random.default_rng(0).uniform(0, 5, (20, 500))
    alpha, (single, _) = krippendorff_alpha(noise), intraclass(noise)
    assert alpha == pytest.approx(0, abs=0.01)
    assert single == pytest.approx(0, abs=0.01)


def test_what_cannot_be_known_is_none() -> None:
    assert krippendorff_alpha(np.full((3, 4), 2.0)) is None
    assert intraclass(np.ones((1, 5))) == (None, None)
    gaps = np.array([[1.0, np.nan], [np.nan, 2.0]])
    found = agreement(gaps)
    assert (found.alpha, found.icc_single, found.images, found.icc_images) == (None, None, 0, 0)


def test_correlations_are_over_images_that_all_rated() -> None:
    ratings = simulate(np.random.default_rng(1).uniform(0, 5, 60), viewers=6)
    ratings[0, :10] = np.nan
    found = agreement(ratings)
    assert (found.images, found.icc_images) == (60, 50)
    assert (found.icc_single, found.icc_mean) == intraclass(ratings[:, 10:])
