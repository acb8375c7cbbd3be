"""The matrix of pairs."""

import numpy as np
import pytest
from scipy import stats

from protocol.errors import StatisticsError
from protocol.statistics.additive import fit_additive

STRATA = ["NSI"] * 40 + ["SCI"] * 30 + ["AIGI"] * 30
ENCODERS, DECODERS = ("gpt", "qwen", "llava"), ("pg", "sd", "real", "tiny")
FOUR = {"gpt", "qwen", "pg", "sd"}


def matrix(
    seed: int, interaction: float = 0.0, noise: float = 0.2
) -> dict[tuple[str, str], np.ndarray]:
    """Return scores by pair; `interaction` is added to the pair of gpt and pg alone."""
    rng = np.random.default_rng(seed)
    hardness = rng.normal(2, 1, 100)
    return {
        (encoder, decoder): hardness
        + 0.1 * ENCODERS.index(encoder)
        + 0.3 * DECODERS.index(decoder)
        + (interaction if (encoder, decoder) == ("gpt", "pg") else 0.0)
        + rng.normal(0, noise, 100)
        for encoder in ENCODERS
        for decoder in DECODERS
    }


def test_full_matrix_s_effects_are_row_and_column_means_less_the_grand_mean() -> None:
    scores = matrix(0, interaction=0.4)
    cells = np.array([[scores[e, d].mean() for d in DECODERS] for e in ENCODERS])
    found = fit_additive(scores, STRATA)
    assert found.mean.value == pytest.approx(cells.mean())
    for i, encoder in enumerate(ENCODERS):
        expected = cells[i].mean() - cells.mean()
        assert found.encoders[encoder].value == pytest.approx(expected)
    for j, decoder in enumerate(DECODERS):
        expected = cells[:, j].mean() - cells.mean()
        assert found.decoders[decoder].value == pytest.approx(expected)
    left = {(x.encoder, x.decoder): x.value.value for x in found.interactions}
    for i, encoder in enumerate(ENCODERS):
        for j, decoder in enumerate(DECODERS):
            expected = cells[i, j] - cells[i].mean() - cells[:, j].mean() + cells.mean()
            assert left[encoder, decoder] == pytest.approx(expected, abs=1e-9)


def test_matrix_with_gaps_gives_least_squares_under_the_same_constraints() -> None:
    scores = matrix(1)
    del scores["qwen", "sd"], scores["llava", "tiny"], scores["gpt", "real"]
    found = fit_additive(scores, STRATA)
    # Another way to the same: dummies for all, and two rows that ask for sums of 0, with weight.
    rows, wanted = [], []
    for (encoder, decoder), values in scores.items():
        rows.append([1.0, *(encoder == e for e in ENCODERS), *(decoder == d for d in DECODERS)])
        wanted.append(values.mean())
    rows += [[0.0, 1e6, 1e6, 1e6, 0, 0, 0, 0], [0.0, 0, 0, 0, 1e6, 1e6, 1e6, 1e6]]
    solution = np.linalg.lstsq(np.array(rows, dtype=float), np.array([*wanted, 0, 0]))[0]
    parts = [found.mean, *(found.encoders[e] for e in ENCODERS)]
    parts += [found.decoders[d] for d in DECODERS]
    assert [part.value for part in parts] == pytest.approx(solution, abs=1e-8)


def test_an_interaction_that_is_there_is_found_and_one_that_is_not_is_not() -> None:
    found = fit_additive(matrix(2, interaction=0.4), STRATA)
    assert found.p_additive is not None
    assert 0 < found.p_additive < 0.01
    (there,) = [x for x in found.interactions if (x.encoder, x.decoder) == ("gpt", "pg")]
    # One pair's 0.4 is 0.4 * (1 - 1/3) * (1 - 1/4) of interaction, the rest is effects.
    assert there.value.low <= 0.2 <= there.value.high
    p_values = [fit_additive(matrix(seed), STRATA, resamples=500).p_additive for seed in range(100)]
    assert np.mean([p is not None and p < 0.05 for p in p_values]) <= 0.12


@pytest.mark.parametrize("seed", range(5))
def test_of_two_by_two_the_p_value_is_the_t_test_s_of_the_one_contrast(seed: int) -> None:
    scores = {pair: s for pair, s in matrix(seed, 0.05).items() if set(pair) <= FOUR}
    found = fit_additive(scores, ["NSI"] * 100)
    one, two, three, four = scores.values()
    theirs = stats.ttest_1samp(one - two - three + four, 0).pvalue
    assert found.p_additive == pytest.approx(theirs, abs=0.04)


def test_effects_intervals_hold_the_truth_in_93_to_97_percent() -> None:
    held = []
    for seed in range(400):
        found = fit_additive(matrix(seed), STRATA, resamples=800, seed=seed)
        for index, encoder in enumerate(ENCODERS):
            effect = found.encoders[encoder]
            held.append(effect.low <= 0.1 * (index - 1) <= effect.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_a_pair_that_alone_decides_an_effect_has_no_interaction() -> None:
    scores = {p: s for p, s in matrix(3).items() if p[1] != "tiny" or p[0] == "gpt"}
    pairs = {(x.encoder, x.decoder) for x in fit_additive(scores, STRATA).interactions}
    assert ("gpt", "tiny") not in pairs
    assert len(pairs) == 9


def test_an_image_that_a_pair_lacks_is_left_out_for_all_and_counted() -> None:
    scores = matrix(4)
    scores["gpt", "sd"][5] = np.nan
    found = fit_additive(scores, STRATA)
    assert (found.images, found.left_out) == (99, 1)


def test_pairs_that_fall_apart_are_refused() -> None:
    kept = {("gpt", "pg"), ("gpt", "sd"), ("qwen", "real"), ("qwen", "tiny")}
    scores = {pair: values for pair, values in matrix(5).items() if pair in kept}
    with pytest.raises(StatisticsError, match="fall apart"):
        fit_additive(scores, STRATA)
    with pytest.raises(StatisticsError, match="need two of each"):
        fit_additive({("gpt", "pg"): np.ones(100)}, STRATA)
