"""Curves of items and scores predicted from them, against slow sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.curves import (
    LEVEL_VARIANCE,
    MEAN_SLOPE,
    SLOPE_VARIANCE,
    Curves,
    ability_of,
    fitted_curves,
    logistic,
    right_on,
)
from tamis.hashing.compression.predicted import GRID, predicted_scores, scores_on_grid


def log_posterior(scores, abilities, slope, level):
    right = 1 / (1 + np.exp(-(level + slope * abilities)))
    likely = (scores * np.log(right) + (1 - scores) * np.log(1 - right)).sum()
    return likely - 0.5 * level**2 / LEVEL_VARIANCE - 0.5 * (slope - MEAN_SLOPE) ** 2 / SLOPE_VARIANCE


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_other_curve_is_likelier(seed):
    draw = np.random.Generator(np.random.PCG64(seed))
    scores, abilities = draw.integers(0, 2, (12, 6)).astype(np.float64), draw.standard_normal(12)
    scores[:, 0], scores[:, 1] = 0.0, 1.0
    curves = fitted_curves(scores, abilities)
    for item in range(6):
        best = log_posterior(scores[:, item], abilities, curves.slopes[item], curves.levels[item])
        for slope, level in draw.standard_normal((30, 2)) * 0.3:
            other = log_posterior(scores[:, item], abilities, curves.slopes[item] + slope, curves.levels[item] + level)
            assert other <= best + 1e-9


def test_constant_items_and_equal_models_give_numbers():
    scores = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    curves = fitted_curves(scores, np.zeros(3))
    assert np.isfinite([*curves.slopes, *curves.levels]).all()
    assert curves.slopes.tolist() == [MEAN_SLOPE, MEAN_SLOPE]
    assert curves.levels[0] == pytest.approx(-curves.levels[1])


def test_logistic_and_ability():
    assert logistic(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 0.5, 1.0]
    assert ability_of(np.array([0.0, 0.5, 1.0]), 9).tolist() == pytest.approx([-np.log(19), 0.0, np.log(19)])


def test_a_prediction_is_the_mean_over_abilities():
    curves = Curves(np.array([1.0, 2.0, 0.5]), np.array([0.0, -1.0, 1.0]))
    on_grid = scores_on_grid(curves)
    answers = np.array([[1.0, 0.0, 1.0], [0.25, np.nan, 1.0], [np.nan] * 3])
    found = predicted_scores(answers, curves, on_grid, 1.5)
    for row, predicted in zip(answers, found, strict=True):
        total = weight = 0.0
        for ability, full in zip(GRID, on_grid, strict=True):
            own = np.exp(-0.5 * (ability / 1.5) ** 2)
            for answer, right in zip(row, right_on(curves, np.array([ability]))[0], strict=True):
                own *= 1.0 if np.isnan(answer) else right**answer * (1 - right) ** (1 - answer)
            total, weight = total + own * full, weight + own
        assert predicted == pytest.approx(total / weight, abs=1e-12)
    assert found[0] > found[1]
