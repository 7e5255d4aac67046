import hypothesis.strategies as st
import numpy as np
from hypothesis import given, settings

from tamis.hashing.deal import ITSELF, PAIR_WEIGHT, deal, nothing_dealt


def dealt(groups, weights, capacity, cuts=()):
    """Return the lines for {worse: betters}, dealt in calls that end after the groups at ``cuts``."""
    state, lines, names = nothing_dealt(), [], list(groups)
    for start, stop in zip([0, *cuts], [*cuts, len(names)], strict=True):
        pairs = [(worse, better) for worse in names[start:stop] for better in groups[worse]]
        worse, better = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
        own, weight = (np.array([weights[pair[side]] for pair in pairs], np.int64) for side in (0, 1))
        tiles, rows, partners, state = deal(worse, better, own, weight, capacity, state)
        lines += zip(tiles.tolist(), rows.tolist(), partners.tolist(), strict=True)
    return lines


def expected(groups, weights, capacity):
    """Deal with sets."""
    tile, held, pairs, lines = 0, set(), 0, []
    for worse, betters in groups.items():
        pairs += len(betters)
        weight = sum(weights[row] for row in {*held, worse, *betters})
        if held and weight + PAIR_WEIGHT * pairs > capacity:
            tile, held, pairs = tile + 1, set(), len(betters)
        for row in (worse, *betters):
            if row not in held:
                held.add(row)
                lines.append((tile, row, ITSELF))
            if row != worse:
                lines.append((tile, worse, row))
    return lines


GROUPS = st.dictionaries(
    st.integers(50, 99), st.lists(st.integers(0, 49), min_size=1, max_size=5, unique=True), max_size=20
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(GROUPS, st.integers(1, 400), st.data())
def test_pairs_are_dealt_as_with_sets(groups, capacity, data):
    weights = [1 + row * 7 % 10 for row in range(100)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(groups)), max_size=3)))
    assert dealt(groups, weights, capacity, cuts) == expected(groups, weights, capacity)


def test_a_tile_of_more_rows_than_the_first_table_holds():
    groups = {10_000 + i: [i * 2**40, i * 2**40 + 1, 7] for i in range(1, 2000)}
    weights = {row: 1 for worse, betters in groups.items() for row in (worse, *betters)}
    assert dealt(groups, weights, 10**6) == expected(groups, weights, 10**6)
    assert dealt(groups, weights, 90_000, [5, 700]) == expected(groups, weights, 90_000)


def test_golden():
    lines = dealt({5: [1, 2], 6: [2], 7: [1, 3]}, {row: 10 for row in range(8)}, 40 + 3 * PAIR_WEIGHT)
    assert lines == [
        (0, 5, -1), (0, 1, -1), (0, 5, 1), (0, 2, -1), (0, 5, 2), (0, 6, -1), (0, 6, 2),
        (1, 7, -1), (1, 1, -1), (1, 7, 1), (1, 3, -1), (1, 7, 3),
    ]  # fmt: skip
