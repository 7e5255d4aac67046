"""What a matrix of scores must be, and what stands for a missing cell."""

import numpy as np
import pytest

from tamis.hashing.compression.matrix import as_scores, as_training, completed, in_canonical_order, item_means
from tamis.hashing.errors import InputError

NAN = np.nan


def test_a_missing_cell_is_its_items_mean_moved_by_the_models_level():
    scores = np.array([[1.0, 1.0, 1.0, NAN], [0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.5]])
    means = item_means(scores)
    assert means.tolist() == pytest.approx([1 / 3, 1.0, 1 / 3, 0.25])
    filled = completed(scores, means)
    assert filled[0, 3] == pytest.approx(0.25 + (2 / 3 + 0 + 2 / 3) / 3)
    assert filled[:, :3].tolist() == scores[:, :3].tolist()
    low = completed(np.array([[0.0, 0.0, 0.0, NAN]]), means)
    assert low[0, 3] == 0.0  # cut


def test_an_order_that_rows_alone_decide():
    scores = np.array([[1.0, 0, 1], [0, 1, 0], [NAN, 1, 0], [1, 0, 0]])
    first = scores[in_canonical_order(scores)]
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        assert first.tobytes() == scores[order][in_canonical_order(scores[order])].tobytes()


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ([1.0, 0.0], "matrix"),
        ([[0.0, 2.0]], "0 to 1"),
        ([[0.0, -1.0]], "-1.0 of model 0, item 1"),
        ([[0.0, np.inf]], "0 to 1"),
        ([[NAN, NAN], [0.0, 1.0]], "model 0 has none"),
        ([[0.0, NAN], [0.0, NAN]], "item 1 has none"),
    ],
)
def test_what_is_no_matrix_of_scores(scores, said):
    with pytest.raises(InputError, match=said):
        as_scores(scores)


def test_what_cannot_be_learned_from():
    good = [[1.0, 0.0, 1.0]] * 4
    with pytest.raises(InputError, match="at least 5 models"):
        as_training(good)
    with pytest.raises(InputError, match="model 4 has 1 in all"):
        as_training([*good, [1.0, 1.0, 1.0]])
    assert as_training([*good, [0.0, 1.0, NAN]]).shape == (5, 3)
