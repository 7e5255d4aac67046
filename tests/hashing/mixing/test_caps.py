"""Water filling, against bisection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.caps import capped, capped_phases, limits


def by_bisection(weights, limit):
    low, high = 0.0, 1e12
    for _ in range(300):
        level = (low + high) / 2
        low, high = (level, high) if np.minimum(level * weights, limit).sum() < 1 else (low, level)
    return np.minimum(high * weights, limit)


def test_what_is_cut_off_goes_to_the_others():
    assert capped([0.5, 0.25, 0.25], [0.2, 1, 1]).tolist() == pytest.approx([0.2, 0.4, 0.4], abs=1e-15)
    assert capped([0.5, 0.3, 0.2], [0.2, 0.4, 1]).tolist() == pytest.approx([0.2, 0.4, 0.4], abs=1e-15)
    assert capped([2, 2], [1, 1]).tolist() == [0.5, 0.5]
    assert capped([1, 0, 1], [0.4, 1, 0.6]).tolist() == pytest.approx([0.4, 0.0, 0.6], abs=1e-15)
    assert capped([1, 3], [0.5, 0.5]).tolist() == [0.5, 0.5]


def test_limits_are_passes_over_what_there_is():
    assert limits([10, 100, 1000], 100, 2.0).tolist() == [0.2, 1.0, 1.0]
    assert limits([10, 20], 100, [4.0, 1.0]).tolist() == [0.4, 0.2]
    with pytest.raises(ConfigError, match="a budget is above 0"):
        limits([1], 0, 1)


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match=r"hold the budget.*enough for 0\.7 of it"):
        capped([1, 1], [0.3, 0.4])
    with pytest.raises(ConfigError, match=r"enough for 0\.3 of it"):
        capped([1, 0], [0.3, 1.0])
    with pytest.raises(InputError):
        capped([1, -1], [1, 1])
    with pytest.raises(InputError):
        capped([1, 1], [1])


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 10), st.floats(0, 1)), min_size=1, max_size=8), st.randoms())
def test_capping_is_water_filling(pairs, random):
    weights, limit = np.array(pairs).T
    if limit.sum() < 1:
        limit[random.randrange(len(limit))] = 1.0
    found = capped(weights, limit)
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert (found <= limit).all()
    np.testing.assert_allclose(found, by_bisection(weights / weights.sum(), limit), atol=1e-9)
    order = random.sample(range(len(limit)), len(limit))
    np.testing.assert_allclose(capped(weights[order], limit[order]), found[order], atol=1e-14)


def test_phases_share_what_there_is():
    # 3 of the first source for the 4 that are wanted: its weights times v in both phases, where
    # 4 (v / (3 + v) + 3 v / (1 + 3 v)) = 3, so v = (sqrt(40) - 2.5) / 7.5
    found = capped_phases([[0.25, 0.75], [0.75, 0.25]], [4, 4], [3, 100])
    assert found.round(6).tolist() == [[0.581139, 3.418861], [2.418861, 1.581139]]
    assert capped_phases([[0.25, 0.75], [0.75, 0.25]], [4, 4], [4, 4]).round(9).tolist() == [[1, 3], [3, 1]]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 2**32))
def test_phases_are_the_nearest_within_limits(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    phases, sources = int(rng.integers(1, 5)), int(rng.integers(1, 5))
    wanted = rng.dirichlet(np.ones(sources), phases) + 0.01
    wanted /= wanted.sum(axis=1, keepdims=True)
    sizes = rng.integers(1, 50, phases).astype(float)
    most = rng.random(sources) + 0.1
    most *= sizes.sum() * (1.05 + rng.random()) / most.sum()
    found = capped_phases(wanted, sizes, most)
    assert found.sum(axis=1) == pytest.approx(sizes)
    assert (found.sum(axis=0) <= most * (1 + 1e-9)).all()
    # nearest: found / wanted is a factor of the phase, times one of the source that is 1 unless all of it is taken
    factors = found / (wanted * sizes[:, None])
    factors /= factors.max(axis=1, keepdims=True)
    assert factors == pytest.approx(np.broadcast_to(factors[0], factors.shape), rel=1e-6)
    full = found.sum(axis=0) >= most * (1 - 1e-6)
    assert factors[0][~full] == pytest.approx(1.0)
    if phases == 1:
        assert found[0] / sizes[0] == pytest.approx(capped(wanted[0], np.minimum(most / sizes[0], 1)), abs=1e-9)


def test_phases_of_too_little():
    with pytest.raises(ConfigError, match="the sources hold the budget"):
        capped_phases([[0.5, 0.5]], [10], [3, 4])
