"""Ridge leverage, against its formula."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.leverage import leverage, leverage_weights

VECTORS = np.array([[1.0, 0, 0], [1, 0, 0], [0, 3, 0], [0, 0, 1]])


def test_scores_are_their_formula():
    centred = VECTORS - VECTORS.mean(axis=0)
    gram = centred @ centred.T
    expected = np.diag(gram @ np.linalg.inv(gram + 10 * 4 * np.eye(4)))
    np.testing.assert_allclose(leverage(VECTORS), expected / expected.sum(), atol=1e-12)
    assert leverage(VECTORS).tolist() == pytest.approx([0.104109, 0.104109, 0.618733, 0.173050], abs=1e-6)
    order = [3, 1, 0, 2]
    np.testing.assert_allclose(leverage(VECTORS[order]), leverage(VECTORS)[order], atol=1e-12)


def test_weights_for_either_purpose():
    scores = [0.2, 0.3, 0.5]
    tuned = np.exp(np.array(scores) / 0.2)
    assert leverage_weights(scores, "finetune").tolist() == pytest.approx((tuned / tuned.sum()).tolist())
    trained = np.exp(1 / np.array(scores) / 5)
    assert leverage_weights(scores, "pretrain").tolist() == pytest.approx((trained / trained.sum()).tolist())
    with pytest.raises(ConfigError, match="`purpose` is one of finetune, pretrain"):
        leverage_weights(scores, "serve")


def test_nothing_overflows():
    assert leverage_weights([0.0, 1.0], "pretrain").tolist() == [1.0, 0.0]
    assert leverage_weights([1e-300, 1e-300, 1.0], "pretrain").tolist() == [0.5, 0.5, 0.0]


def test_equal_vectors_have_equal_scores():
    assert leverage(np.ones((4, 3))).tolist() == [0.25] * 4
    assert leverage([[5.0, 1.0]]).tolist() == [1.0]


def test_what_is_no_vector_is_refused():
    for vectors in ([], [[np.nan, 1.0]], [[np.inf, 1.0]]):
        with pytest.raises(InputError, match="matrix of numbers"):
            leverage(vectors)
    with pytest.raises(ConfigError, match="ridge is above 0"):
        leverage(VECTORS, ridge=0)
