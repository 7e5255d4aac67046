"""The cost of a subset, against its definition."""

import numpy as np
import pytest

from tamis.hashing.compression.balance import PRIOR_INFORMATION, cost_of, fold_numbers, judge
from tamis.hashing.compression.curves import Prior, fitted_curves

DRAW = np.random.Generator(np.random.PCG64(4))
ABILITIES = np.sort(DRAW.standard_normal(9))
SCORES = (DRAW.random((9, 14)) < 1 / (1 + np.exp(-1.5 * ABILITIES[:, None]))).astype(np.float64)
PRIOR = Prior(1.4, 0.7)
FOLDS = np.array([0, 1, 2, 2, 0, 1, 1, 2, 0])


def test_a_cost_is_the_error_on_left_out_models_and_the_variance_that_is_left():
    subset = [2, 5, 11]
    expected = []
    for model in range(9):
        others = np.not_equal(FOLDS, FOLDS[model])
        slopes, levels = fitted_curves(SCORES[others], ABILITIES[others], PRIOR)
        right = 1 / (1 + np.exp(-(levels + slopes * ABILITIES[model])))
        rise = np.mean(slopes * right * (1 - right))
        known = sum(slopes[i] ** 2 * right[i] * (1 - right[i]) for i in subset) + PRIOR_INFORMATION
        error = rise * sum(slopes[i] * (SCORES[model, i] - right[i]) for i in subset) / known
        expected.append(2.5 * error**2 + rise**2 / known)
    cost = cost_of(judge(SCORES, ABILITIES, FOLDS, PRIOR), 2.5)
    assert cost(np.array([subset]))[0] == pytest.approx(np.mean(expected), abs=1e-7)


def test_a_left_out_model_has_no_part_in_its_own_curves():
    other = SCORES.copy()
    other[3] = 1 - other[3]
    one, two = judge(SCORES, ABILITIES, FOLDS, PRIOR), judge(other, ABILITIES, FOLDS, PRIOR)
    in_fold = np.equal(FOLDS, FOLDS[3])
    assert one.information[:, in_fold].tolist() == two.information[:, in_fold].tolist()
    assert one.information[:, ~in_fold].tolist() != two.information[:, ~in_fold].tolist()


def test_neighbours_are_in_different_folds():
    folds = fold_numbers(13, 5, seed=3)
    assert [sorted(folds[i : i + 5].tolist()) for i in (0, 5)] == [[0, 1, 2, 3, 4]] * 2
    assert len(set(folds[10:].tolist())) == 3
    assert folds.tolist() == fold_numbers(13, 5, seed=3).tolist()
