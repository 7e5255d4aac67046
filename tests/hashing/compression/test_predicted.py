"""Scores predicted from curves and bends, against slow sums."""

import numpy as np
import pytest

from tamis.hashing.compression.bends import Bends
from tamis.hashing.compression.curves import Curves, logistic, right_on
from tamis.hashing.compression.predicted import GRID, full_on_grid, predicted_scores

CURVES = Curves(np.array([1.0, 2.0, 0.5]), np.array([0.0, -1.0, 1.0]))
FEATURES = np.array([[1.0, 0.5], [-1.0, 0.5], [0.0, -1.0]])
ANSWERS = np.array([[1.0, 0.0, 1.0], [0.25, np.nan, 1.0], [np.nan] * 3])


def test_without_bends_a_prediction_is_the_mean_over_abilities():
    flat = Bends(np.zeros((3, 2)), np.ones(2))
    found = predicted_scores(ANSWERS, CURVES, flat, full_on_grid(CURVES, flat.features, -0.3), 1.5)
    for row, predicted in zip(ANSWERS, found, strict=True):
        total = weight = 0.0
        for ability in GRID:
            own = np.exp(-0.5 * (ability / 1.5) ** 2)
            for answer, right in zip(row, right_on(CURVES, np.array([ability]))[0], strict=True):
                own *= 1.0 if np.isnan(answer) else right**answer * (1 - right) ** (1 - answer)
            total, weight = total + own / (1 + np.exp(0.3 - ability)), weight + own
        assert predicted == pytest.approx(total / weight, abs=1e-12)
    assert found[0] > found[1]


def test_a_rise_is_a_derivative_of_the_mean_of_curves():
    full = full_on_grid(CURVES, FEATURES, 0.4)
    assert full.straight[120] == pytest.approx(1 / (1 + np.exp(-0.4)))
    for at in (0, 100, 200):
        for bend in (0, 1):
            up, down = (
                logistic(CURVES.levels + CURVES.slopes * GRID[at] + step * FEATURES[:, bend]).mean()
                for step in (1e-5, -1e-5)
            )
            assert full.rises[at, bend] == pytest.approx((up - down) / 2e-5, abs=1e-9)


def test_small_bends_are_as_a_sum_over_all_of_them():
    bends = Bends(FEATURES, np.array([0.03, 0.02]))
    full = full_on_grid(CURVES, FEATURES, 0.0)
    found = predicted_scores(ANSWERS, CURVES, bends, full, 1.0)
    steps = np.linspace(-4, 4, 33)
    for row, predicted in zip(ANSWERS, found, strict=True):
        there = ~np.isnan(row)
        total = weight = 0.0
        for x in steps:
            for y in steps:
                bent = np.array([x, y]) * np.sqrt(bends.variances)
                logits = CURVES.levels + CURVES.slopes * GRID[:, None] + FEATURES @ bent
                right = logistic(logits)[:, there]
                own = np.prod(right ** row[there] * (1 - right) ** (1 - row[there]), axis=1)
                own = own * np.exp(-0.5 * (x * x + y * y) - 0.5 * GRID**2)
                total, weight = total + (own * (full.straight + full.rises @ bent)).sum(), weight + own.sum()
        assert predicted == pytest.approx(total / weight, abs=5e-4)
