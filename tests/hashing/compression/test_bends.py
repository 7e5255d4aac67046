"""Bends of models over difficulty."""

import numpy as np
import pytest

from tamis.hashing.compression.bends import features_of, fitted_bends
from tamis.hashing.compression.curves import Curves, ability_of, fitted_curves, fitted_prior


def test_features_are_a_line_and_a_parabola_over_difficulty():
    scores = np.array([[0.0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]])
    logits = np.log([1 / 4, 2 / 3, 3 / 2, 4])  # (right + 1) / (wrong + 1)
    line = logits / np.sqrt(np.mean(logits**2))
    curve = (line**2 - 1) / np.std(line**2)
    assert features_of(scores) == pytest.approx(np.stack([line, curve], axis=1), abs=1e-12)


def test_items_of_one_difficulty_bend_nothing():
    assert features_of(np.eye(4)).tolist() == [[0.0, 0.0]] * 4


@pytest.mark.parametrize(("line", "parabola"), [(0.6, 0.1), (0.4, 0.4), (0.0, 0.0)])
def test_spreads_are_found_again(line, parabola):
    draw = np.random.Generator(np.random.PCG64(3))
    levels, slopes = draw.normal(0.0, 1.5, 2000), draw.normal(1.6, 0.4, 2000)
    shape = (levels - levels.mean()) / levels.std()
    features = np.stack([shape, (shape**2 - 1) / np.std(shape**2)], axis=1)
    logits = levels + slopes * np.linspace(-1.5, 1.5, 40)[:, None]
    logits = logits + (draw.standard_normal((40, 2)) * [line, parabola]) @ features.T
    scores = (draw.random((40, 2000)) < 1 / (1 + np.exp(-logits))).astype(np.float64)
    abilities = ability_of(scores.mean(axis=1), 2000)
    abilities = abilities - abilities.mean()
    curves = fitted_curves(scores, abilities, fitted_prior(scores, abilities))
    found = np.sqrt(fitted_bends(scores, abilities, curves, 2.0).variances)
    assert found == pytest.approx([line, parabola], abs=0.2)


def test_golden():
    draw = np.random.Generator(np.random.PCG64(5))
    scores = draw.integers(0, 2, (6, 30)).astype(np.float64)
    found = fitted_bends(scores, np.linspace(-1, 1, 6), Curves(np.full(30, 1.5), np.zeros(30)), 2.0)
    assert found.variances.tolist() == pytest.approx([0.480937, 0.030744], abs=1e-6)
