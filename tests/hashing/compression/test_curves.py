"""Curves of items and scores predicted from them, against slow sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.curves import (
    LEVEL_VARIANCE,
    Curves,
    Prior,
    ability_of,
    fitted_curves,
    fitted_prior,
    logistic,
    right_on,
)
from tamis.hashing.compression.predicted import GRID, predicted_scores, scores_on_grid

PRIOR = Prior(1.7, 0.8)


def log_posterior(scores, abilities, slope, level):
    right = 1 / (1 + np.exp(-(level + slope * abilities)))
    likely = (scores * np.log(right) + (1 - scores) * np.log(1 - right)).sum()
    return likely - 0.5 * level**2 / LEVEL_VARIANCE - 0.5 * (slope - PRIOR.mean) ** 2 / PRIOR.variance


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_other_curve_is_likelier(seed):
    draw = np.random.Generator(np.random.PCG64(seed))
    scores, abilities = draw.integers(0, 2, (12, 6)).astype(np.float64), draw.standard_normal(12)
    scores[:, 0], scores[:, 1] = 0.0, 1.0
    curves = fitted_curves(scores, abilities, PRIOR)
    for item in range(6):
        best = log_posterior(scores[:, item], abilities, curves.slopes[item], curves.levels[item])
        for slope, level in draw.standard_normal((30, 2)) * 0.3:
            other = log_posterior(scores[:, item], abilities, curves.slopes[item] + slope, curves.levels[item] + level)
            assert other <= best + 1e-9


def test_constant_items_and_equal_models_give_numbers():
    scores = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    curves = fitted_curves(scores, np.zeros(3), PRIOR)
    assert np.isfinite([*curves.slopes, *curves.levels]).all()
    assert curves.slopes.tolist() == [1.7, 1.7]
    assert curves.levels[0] == pytest.approx(-curves.levels[1])


@pytest.mark.parametrize(("mean", "spread"), [(0.8, 0.3), (1.6, 0.9), (2.2, 0.5)])
def test_the_prior_is_found_again(mean, spread):
    draw = np.random.Generator(np.random.PCG64(6))
    abilities = np.linspace(-2, 2, 40)
    curves = Curves(mean + spread * draw.standard_normal(4000), draw.standard_normal(4000))
    scores = (draw.random((40, 4000)) < right_on(curves, abilities)).astype(np.float64)
    found = fitted_prior(scores, abilities)
    assert found.mean == pytest.approx(mean, rel=0.08)
    assert np.sqrt(found.variance) == pytest.approx(spread, abs=0.12)


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
