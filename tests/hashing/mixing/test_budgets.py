"""Shares by gains and by similarity."""

import numpy as np
import pytest

from tamis.hashing.errors import InputError
from tamis.hashing.mixing.budgets import order_free, taylor_softmax
from tamis.hashing.mixing.rounding import largest_remainder


def test_golden_shares():
    assert taylor_softmax([1.70, 0.88, 0.66]).tolist() == pytest.approx([0.5, 0.273486, 0.226514], abs=1e-6)
    assert taylor_softmax([2.1, 0.8, 0.1]).tolist() == pytest.approx([0.621923, 0.248535, 0.129543], abs=1e-6)


def test_identical_tasks_get_unequal_shares_by_gain():
    gains = [3.6, 2.8, 2.0, 1.2]  # graph cut of four copies
    assert taylor_softmax(gains).tolist() == pytest.approx([0.414671, 0.288922, 0.187126, 0.109281], abs=1e-6)


def test_the_more_identical_tasks_the_more_unequal():
    shares = taylor_softmax(1840 - 0.4 * (2 * np.arange(1, 1841) - 1))  # graph cut of 1,840 copies
    assert (shares[[0, -1]] * 1840).tolist() == pytest.approx([2.42, 0.097], abs=5e-3)
    assert shares[0] / shares[-1] == pytest.approx(24.8, abs=0.1)


def test_normalised_gains_do_not_depend_on_their_scale():
    small, large = taylor_softmax([4, 2, 1], normalise=True), taylor_softmax([400, 200, 100], normalise=True)
    assert small.tolist() == pytest.approx([2.5 / 5.40625, 1.625 / 5.40625, 1.28125 / 5.40625], abs=1e-12)
    assert small.tolist() == large.tolist()
    assert taylor_softmax([0.0, 0.0], normalise=True).tolist() == [0.5, 0.5]


def test_gains_that_are_none_are_refused():
    with pytest.raises(InputError, match="gains are 0 or more; found -0.5"):
        taylor_softmax([1.0, -0.5])
    with pytest.raises(InputError, match="numbers from 0 on"):
        taylor_softmax([1.0, float("nan")])
    with pytest.raises(InputError, match="one number for each source"):
        taylor_softmax([])


def test_identical_tasks_get_identical_shares_free_of_order():
    clones = np.array([[1, 1, 0.2], [1, 1, 0.2], [0.2, 0.2, 1]])
    shares = order_free(clones)
    assert shares[0] == shares[1]
    assert shares.tolist() == pytest.approx([1.4 / 5.0, 1.4 / 5.0, 2.2 / 5.0], abs=1e-12)  # 1 / 2.2, 1 / 2.2, 1 / 1.4
    assert largest_remainder(order_free(np.ones((4, 4))), 100).tolist() == [25, 25, 25, 25]
    order = [2, 0, 1]
    assert order_free(clones[np.ix_(order, order)]).tolist() == shares[order].tolist()


def test_similarities_that_are_none_are_refused():
    for matrix in ([[1, -0.1], [-0.1, 1]], [[0, 1], [1, 1]], [[1, float("nan")], [0, 1]], [[1, 0]], []):
        with pytest.raises(InputError):
            order_free(matrix)
