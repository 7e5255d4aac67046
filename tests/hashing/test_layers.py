import math

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from tamis.hashing.layers import gelu, linear, mean_of_tokens, relu, unit_rows

VALUES = st.floats(-100, 100, width=32)


def test_the_mean_of_tokens_is_that_of_each_value():
    tokens = np.array([[[1, 2], [3, 6]], [[0, -1], [1, 0]]], np.float32)
    assert mean_of_tokens(tokens).tolist() == [[2, 4], [0.5, -0.5]]


def test_rows_of_length_one_keep_their_direction_and_zeros_stay():
    assert unit_rows(np.array([[3, 4], [0, 0], [0, -2]], np.float32)).tolist() == [
        [float(np.float32(0.6)), float(np.float32(0.8))],
        [0, 0],
        [0, -1],
    ]


def test_a_layer_is_a_product_and_a_bias():
    weights = np.array([[1, 0, 2], [0, 1, -1]], np.float32)
    assert linear(np.array([[3, 5]], np.float32), weights, np.array([0, 10, 0], np.float32)).tolist() == [[3, 15, 1]]


def test_activations_have_the_values_of_their_papers():
    x = np.array([[-3.0, -1.0, 0.0, 0.5, 2.0]], np.float32)
    assert relu(x).tolist() == [[0, 0, 0, 0.5, 2]]
    due = [v * 0.5 * math.erfc(-v / math.sqrt(2)) for v in x[0].tolist()]
    assert np.allclose(gelu(x)[0], due, rtol=1e-6, atol=0)
    assert np.allclose(gelu(x)[0], [-0.00404969, -0.15865525, 0.0, 0.34573123, 1.95449974], rtol=0, atol=1e-7)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(arrays(np.float32, (5, 7), elements=VALUES), arrays(np.float32, (7, 3), elements=VALUES))
def test_a_row_does_not_depend_on_the_others_and_adds_up_in_order(vectors, weights):
    bias = np.ones(3, np.float32)
    whole = linear(vectors, weights, bias)
    for i in range(5):
        assert linear(vectors[i : i + 1], weights, bias).tobytes() == whole[i].tobytes()
        for k in range(3):
            total = float(bias[k])
            for j in range(7):
                total += float(vectors[i, j]) * float(weights[j, k])
            assert whole[i, k] == np.float32(total)
