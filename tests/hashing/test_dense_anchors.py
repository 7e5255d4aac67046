"""Best-ranked similar vectors against a loop over all pairs."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.dense_anchors import anchors
from tamis.hashing.dense_topk import dense_rows

from .test_dense_topk import nearly_equal, score

COMPONENT = st.sampled_from([-1.0, 0.0, 0.5, 1.0])
ROWS = st.lists(st.tuples(COMPONENT, COMPONENT, COMPONENT), max_size=14)
LEAST = st.sampled_from([-1.0, 0.0, 0.5, 0.7, 1.0])


def by_loop(rows, least, first, stop, most):
    pairs, capped = [], []
    for i in range(first, stop):
        mine = []
        for j in range(i):
            cosine = score(rows[i], rows[j], "cosine")
            if cosine >= max(least[i], least[j]):
                mine.append((i, j, cosine))
        pairs += mine[:most]
        capped += [i] if len(mine) > most else []
    return pairs, capped


def listed(found):
    pairs = list(zip(found.worse.tolist(), found.better.tolist(), found.scores.tolist(), strict=True))
    return pairs, found.capped.tolist()


@settings(max_examples=150, derandomize=True, deadline=None)
@given(ROWS, st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.data())
def test_pairs_are_those_of_a_loop(rows, most, block, tile, data):
    vectors = np.array(rows, np.float32).reshape(-1, 3)
    least = np.array([data.draw(LEAST) for _ in rows])
    first = data.draw(st.integers(0, len(rows)))
    found = anchors(dense_rows(vectors, "cosine"), least, first, len(rows), most, block=block, tile=tile)
    assert listed(found) == by_loop(vectors, least, first, len(rows), most)


def test_near_ties_around_the_threshold():
    some = nearly_equal(3, 200, 24)
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    cosines = sorted(score(some[i], some[j], "cosine") for i in range(200) for j in range(i))
    for place in (100, len(cosines) // 2, len(cosines) - 50):
        least = np.full(200, cosines[place])
        expected = by_loop(some, least, 0, 200, 5)
        assert listed(anchors(dense_rows(some, "cosine"), least, 0, 200, 5)) == expected
        assert listed(anchors(dense_rows(some, "cosine"), least, 0, 200, 5, block=33, tile=70)) == expected


def test_the_best_ranked_come_first_and_others_are_said_to_be_there():
    rows = np.ones((6, 2), np.float32)
    found = anchors(dense_rows(rows, "cosine"), np.full(6, 1.0), 0, 6, 2)
    assert listed(found) == (
        [(1, 0, 1.0), *((i, j, 1.0) for i in range(2, 6) for j in range(2))],
        [3, 4, 5],
    )
