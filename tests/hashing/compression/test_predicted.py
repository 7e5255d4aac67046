"""Scores predicted from curves and bends, against slow sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.compression.bends import Bends
from tamis.hashing.compression.curves import Curves, logistic, right_on
from tamis.hashing.compression.predicted import GRID, full_on_grid, likeliest_bends, predicted_scores

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


def test_many_sharp_answers_are_as_a_sum_over_all_bends():
    draw = np.random.Generator(np.random.PCG64(4))
    curves = Curves(draw.uniform(2.5, 4.0, 100), draw.normal(0.0, 2.0, 100))
    line = curves.levels / 2.0
    bends = Bends(np.stack([line, (line * line - 1.0) / 1.4], axis=1), np.array([0.35, 0.1]))
    own = right_on(Curves(curves.slopes, curves.levels + bends.features @ [1.0, -0.5]), np.array([-1.5, 0.3, 2.0]))
    answers = (draw.random(own.shape) < own).astype(np.float64)
    full = full_on_grid(curves, bends.features, 0.0)
    found = predicted_scores(answers, curves, bends, full, 1.0)
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-3, 3, 31), np.linspace(-2, 2, 21), indexing="ij"))
    bent = np.stack([x, y], axis=1)
    likely = np.empty((3, len(GRID), len(bent)))
    for at, ability in enumerate(GRID):
        logits = curves.levels + curves.slopes * ability + bent @ bends.features.T
        own = -0.5 * (bent**2 / bends.variances).sum(axis=1) - 0.5 * ability**2
        likely[:, at] = answers @ logits.T - np.logaddexp(0.0, logits).sum(axis=1) + own
    for row, predicted in zip(likely, found, strict=True):
        weights = np.exp(row - row.max())
        scores = full.straight[:, None] + full.rises @ bent.T
        assert predicted == pytest.approx((weights * scores).sum() / weights.sum(), abs=2e-3)


@settings(max_examples=15, derandomize=True, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_other_bends_are_likelier(seed):
    draw = np.random.Generator(np.random.PCG64(seed))
    bends = Bends(draw.standard_normal((30, 2)), draw.uniform(0.01, 1.0, 2))
    row, logits = draw.integers(0, 2, 30).astype(np.float64), 4.0 * draw.standard_normal((5, 30))

    def posterior(bent):
        moved = logits + bent @ bends.features.T
        return (row * moved - np.logaddexp(0, moved)).sum(axis=1) - 0.5 * (bent**2 / bends.variances).sum(axis=1)

    found, likely = likeliest_bends(row, logits, bends)
    for step in draw.standard_normal((30, 5, 2)) * 0.2:
        assert (posterior(found + step) <= posterior(found) + 1e-9).all()
    right = logistic(logits + found @ bends.features.T)
    for at in range(5):
        weighed = bends.features * (right[at] * (1 - right[at]))[:, None]
        size = np.linalg.slogdet(weighed.T @ bends.features + np.diag(1 / bends.variances))[1]
        assert likely[at] == pytest.approx(posterior(found)[at] - 0.5 * size, abs=1e-6)
