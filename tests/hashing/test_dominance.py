"""Surviving pairs against loops in Python."""

import numpy as np
import pytest

from tamis.hashing.dominance import NO_DEMAND, NO_OFFER, surviving_in_lake, surviving_pairs


def brute_force(demands, offers, same):
    pairs = [
        (i, j)
        for i in range(len(demands))
        for j in range(len(offers))
        if not (same and i == j) and all(d >= o for d, o in zip(demands[i], offers[j], strict=True))
    ]
    return len(pairs), {i for i, _ in pairs}, {j for _, j in pairs}


def ranked(rng, shape, share, nothing):
    values = rng.integers(-6, 7, shape).astype(np.int32)
    values[rng.random(shape) < share] = nothing
    return values


@pytest.mark.parametrize("same", [False, True])
@pytest.mark.parametrize(("children", "parents", "slots"), [(0, 3, 2), (3, 0, 2), (1, 1, 0), (7, 5, 3), (60, 60, 4)])
def test_pairs(children, parents, slots, same):
    rng = np.random.default_rng(children + slots)
    for _ in range(20):
        parents = children if same else parents
        demands = ranked(rng, (children, slots), rng.random(), NO_DEMAND)
        offers = ranked(rng, (parents, slots), rng.random(), NO_OFFER)
        found = np.zeros(children, np.bool_), np.zeros(parents, np.bool_)
        pairs = surviving_pairs(demands, np.ascontiguousarray(offers.T), same, *found)
        expected = brute_force(demands.tolist(), offers.tolist(), same)
        assert (pairs, *(set(np.flatnonzero(marks)) for marks in found)) == expected


@pytest.mark.parametrize("same", [False, True])
def test_more_parents_than_fit_a_block(same):
    rng = np.random.default_rng(5)
    demands = ranked(rng, (1300, 3), 0.2, NO_DEMAND)
    offers = ranked(rng, (1300, 3), 0.2, NO_OFFER)
    found = np.zeros(1300, np.bool_), np.zeros(1300, np.bool_)
    pairs = surviving_pairs(demands, np.ascontiguousarray(offers.T), same, *found)
    below = (demands[:, None, :] >= offers[None, :, :]).all(axis=2)
    if same:
        np.fill_diagonal(below, False)
    assert pairs == below.sum()
    assert np.array_equal(found[0], below.any(axis=1))
    assert np.array_equal(found[1], below.any(axis=0))


def test_marks_are_added_to():
    found = np.array([True, False]), np.array([True])
    one = np.zeros((2, 1), np.int32)
    assert surviving_pairs(one, np.ones((1, 1), np.int32), False, *found) == 0
    assert found[0].tolist() == [True, False]
    assert found[1].tolist() == [True]


@pytest.mark.parametrize("seed", range(8))
def test_a_lake(seed):
    rng = np.random.default_rng(seed)
    classes = sorted({tuple(sorted(set(rng.integers(0, 6, rng.integers(0, 6)).tolist()))) for _ in range(12)}, key=len)
    classes.reverse()
    n, k = 60, len(classes)
    of = rng.integers(0, k, n)
    above = [[p for p in range(k) if set(classes[c]) < set(classes[p])] for c in range(k)]
    below = [[c for c in range(k) if p in above[c]] for p in range(k)]
    demands = [ranked(rng, len(classes[c]), 0.4, NO_DEMAND) for c in of]
    offers = [ranked(rng, len(classes[c]), 0.4, NO_OFFER) for c in of]
    members = [np.flatnonzero(of == c) for c in range(k)]

    def ends(parts):
        return np.cumsum([0, *map(len, parts)]).astype(np.int64)

    own = np.zeros(n, np.bool_)
    starts = np.cumsum([0, *(len(members[p]) * len(below[p]) for p in range(k))])
    others = np.zeros(starts[-1], np.bool_)
    pairs = surviving_in_lake(
        np.concatenate(demands),
        np.concatenate(offers),
        ends(demands),
        np.concatenate(members).astype(np.int64),
        ends(members),
        np.array([slot for slots in classes for slot in slots], np.int64),
        ends(classes),
        np.array([p for found in above for p in found], np.int64),
        ends(above),
        starts[:-1].astype(np.int64),
        own,
        others,
    )
    expected, expected_own, expected_others = 0, set(), set()
    for child in range(n):
        slots = classes[of[child]]
        for parent in range(n):
            if child == parent or not (of[parent] == of[child] or of[parent] in above[of[child]]):
                continue
            offered = dict(zip(classes[of[parent]], offers[parent].tolist(), strict=True))
            if all(d >= offered[slot] for slot, d in zip(slots, demands[child].tolist(), strict=True)):
                expected += 1
                expected_own.add(child)
                if of[parent] == of[child]:
                    expected_own.add(parent)
                else:
                    expected_others.add((parent, int(of[child])))
    assert pairs == expected
    assert set(np.flatnonzero(own)) == expected_own
    found = set()
    for p in range(k):
        block = others[starts[p] : starts[p + 1]].reshape(len(below[p]), len(members[p]))
        found |= {(int(members[p][m]), below[p][i]) for i, m in zip(*np.nonzero(block), strict=True)}
    assert found == expected_others
