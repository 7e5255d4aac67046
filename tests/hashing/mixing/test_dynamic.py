"""Mixtures by redundancy: golden vectors, properties of an update, and copies of a source."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.mixing.checks import as_histograms
from tamis.hashing.mixing.distances import pairwise
from tamis.hashing.mixing.dynamic import coverage, one_shot, router_update, trajectory
from tamis.hashing.mixing.tilt import Tilt, mean_distances, scaled_eta, tilted

LOADS = [[4, 3, 2, 1], [4, 3, 2, 1], [1, 2, 3, 4]]


def test_golden_updates():
    apart = mean_distances(pairwise(as_histograms(LOADS), "l2"))
    assert apart.tolist() == pytest.approx([0.149071, 0.149071, 0.298142], abs=1e-6)
    path = trajectory([1, 1, 1], LOADS, 20)
    assert path[0].tolist() == pytest.approx([1 / 3] * 3)
    assert path[1].tolist() == pytest.approx([0.164176, 0.164176, 0.671647], abs=1e-6)
    assert path[20].tolist() == pytest.approx([0.021403, 0.021403, 0.957194], abs=1e-6)
    slow = trajectory([1, 1, 1], LOADS, 10, smoothing=0.8)
    assert slow[10].tolist() == pytest.approx([0.290458, 0.290458, 0.419085], abs=1e-6)


def test_the_inverse_favours_what_is_alike():
    assert router_update([1, 1, 1], LOADS, sign="common").tolist() == pytest.approx(
        [0.443592, 0.443592, 0.112816], abs=1e-6
    )


def by_hand(weights, distances, eta, c, prior):
    raw = [w * math.exp(eta * d) for w, d in zip(weights, distances, strict=True)]
    return [(1 - c) * r / sum(raw) + c * p for r, p in zip(raw, prior, strict=True)]


SOURCES = st.integers(1, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.floats(0.01, 1), min_size=n, max_size=n),
        st.lists(st.floats(0, 1), min_size=n, max_size=n),
        st.floats(0, 20),
        st.floats(0, 1),
    )
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(SOURCES, st.randoms())
def test_an_update_is_its_formula(case, random):
    raw, distances, eta, c = case
    n = len(raw)
    weights = [w / math.fsum(raw) for w in raw]
    found = tilted(weights, distances, eta=eta, smoothing=c)
    np.testing.assert_allclose(found, by_hand(weights, distances, eta, c, [1 / n] * n), atol=1e-12)
    assert math.fsum(found) == pytest.approx(1, abs=1e-14)
    assert (found >= c / n - 1e-12).all()
    assert (found <= (1 - c) + c / n + 1e-12).all()
    order = random.sample(range(n), n)
    permuted = tilted([weights[i] for i in order], [distances[i] for i in order], eta=eta, smoothing=c)
    np.testing.assert_array_equal(permuted, found[order])
    bare = tilted(weights, distances, eta=eta, smoothing=0.0)
    for i in range(n):
        for j in range(n):
            if distances[i] > distances[j]:
                assert bare[i] / weights[i] >= bare[j] / weights[j] * (1 - 1e-9)


def test_equal_histograms_change_nothing_but_by_smoothing():
    same = [[1, 2], [2, 4], [3, 6]]
    start = [0.6, 0.3, 0.1]
    assert router_update(start, same, smoothing=0).tolist() == pytest.approx(start, abs=1e-7)
    expected = [0.95 * w + 0.05 / 3 for w in start]
    assert router_update(start, same).tolist() == pytest.approx(expected, abs=1e-7)
    assert router_update(start, LOADS, smoothing=1).tolist() == pytest.approx([1 / 3] * 3)
    still = router_update(start, LOADS, eta=0, smoothing=0.25)
    assert (still - 1 / 3).tolist() == pytest.approx([0.75 * (w - 1 / 3) for w in start])


def test_a_weight_of_0_gets_no_more_than_its_part_of_the_prior():
    assert tilted([0, 1, 1], [1, 0, 0], eta=1000, smoothing=0).tolist() == [0, 0.5, 0.5]
    assert tilted([0, 1, 1], [1, 0, 0], eta=1000, smoothing=0.3).tolist() == pytest.approx([0.1, 0.45, 0.45])
    assert tilted([0, 1, 1], [1, 0, 0], eta=1, smoothing=0.3, prior=[0, 1, 1]).tolist() == [0, 0.5, 0.5]
    assert tilted([1e-300, 1], [1, 0], eta=1e5, smoothing=0).tolist() == [1, 0]


def test_what_cannot_be_is_refused():
    with pytest.raises(ConfigError, match="`eta` is 0 or more"):
        tilted([1, 1], [0, 1], eta=-1, smoothing=0)
    with pytest.raises(ConfigError, match="`smoothing` is 0 to 1"):
        tilted([1, 1], [0, 1], eta=1, smoothing=1.5)
    with pytest.raises(ConfigError, match="`sign` is one of"):
        Tilt(sign="up")
    with pytest.raises(InputError, match="distances are one for each source"):
        tilted([1, 1], [0, 1, 2], eta=1, smoothing=0)
    with pytest.raises(InputError, match="some of the weights is above 0"):
        tilted([0, 0], [0, 1], eta=1, smoothing=0)
    with pytest.raises(InputError):
        coverage([])


def test_the_scale_rule():
    assert scaled_eta(Tilt(), [0.1, 0.6], kind="hellinger", buckets=8) == pytest.approx(2.0)
    assert scaled_eta(Tilt(strength=0.5), [0.1, 0.6], kind="root-js", buckets=8) == pytest.approx(1.0)
    assert scaled_eta(Tilt(), [0.1, 0.11], kind="hellinger", buckets=8) == 20.0
    assert scaled_eta(Tilt(), [0.0, 0.001], kind="l2", buckets=4096) == pytest.approx(640.0)
    assert scaled_eta(Tilt(), [0.3, 0.3], kind="hellinger", buckets=8) == 0.0
    assert scaled_eta(Tilt(eta=10.0), [0.1, 0.6], kind="l2", buckets=8) == 10.0


def test_one_shot_is_a_tilt_of_the_prior():
    apart = pairwise(as_histograms(LOADS), "hellinger") @ [0.2, 0.7, 0.1]
    expected = by_hand([0.2, 0.7, 0.1], apart, 1 / (apart.max() - apart.min()), 0.05, [0.2, 0.7, 0.1])
    assert one_shot(LOADS, prior=[2, 7, 1]).tolist() == pytest.approx(expected, abs=1e-12)
    assert one_shot([[3, 1]]).tolist() == [1.0]
    published = Tilt(eta=10.0, smoothing=0.05)
    assert one_shot(LOADS, tilt=published, distance="l2").tolist() == pytest.approx(
        trajectory([1, 1, 1], LOADS, 1)[1].tolist()
    )


@pytest.mark.parametrize("distance", ["hellinger", "root-js", "l2"])
@pytest.mark.parametrize("start", [[1, 1, 1], [8, 1, 1], [1, 2, 30]])
def test_coverage_settles_at_the_centre(distance, start):
    found = coverage(LOADS, start=start, tilt=Tilt(eta=5.0, smoothing=0.0), distance=distance)
    assert found.settled
    assert found.weights[:2].sum() == pytest.approx(0.5, abs=1e-6)
    assert found.weights[0] / found.weights[1] == pytest.approx(start[0] / start[1], rel=1e-6)
    assert np.ptp(found.distances) < 1e-6


def test_coverage_settles_where_whole_updates_would_swing():
    found = coverage([[1, 0], [0, 1]], start=[0.6, 0.4], tilt=Tilt(eta=20.0, smoothing=0.0))
    assert found.settled
    assert found.weights.tolist() == pytest.approx([0.5, 0.5], abs=1e-8)
    one = coverage([[1, 0], [0, 1]], start=[0.6, 0.4], tilt=Tilt(eta=20.0, smoothing=0.0), steps=1)
    assert one.weights[0] < 0.1  # a whole update goes too far
    assert not one.settled


def test_a_blend_of_others_falls_to_its_part_of_the_prior():
    hull = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 1, 1, 1]]
    found = coverage(hull, tilt=Tilt(eta=2.0, smoothing=0.0))
    assert found.weights.tolist() == pytest.approx([0.5, 0.5, 0.0], abs=1e-6)
    kept = coverage(hull, tilt=Tilt(eta=2.0, smoothing=0.1))
    assert 0.1 / 3 < kept.weights[2] < 0.1


@settings(max_examples=15, derandomize=True, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5).filter(any), min_size=2, max_size=4),
    st.sampled_from(["hellinger", "l2"]),
    st.integers(2, 4),
)
def test_copies_weigh_as_one_if_they_share_its_prior(rows, distance, copies):
    prior = np.arange(1, len(rows) + 1, dtype=float)
    cloned = [rows[0]] * copies + rows[1:]
    shared = np.concatenate([np.full(copies, prior[0] / copies), prior[1:]])
    alone = coverage(rows, prior=prior, distance=distance, steps=400)
    together = coverage(cloned, prior=shared, distance=distance, steps=400)
    assert together.weights[:copies].sum() == pytest.approx(alone.weights[0], abs=1e-6)
    alone, together = one_shot(rows, prior=prior, distance=distance), one_shot(cloned, prior=shared, distance=distance)
    assert together[:copies].sum() == pytest.approx(alone[0], abs=1e-6)


def test_copies_under_an_even_prior_weigh_more():
    even = coverage(LOADS, tilt=Tilt(eta=1.0), distance="l2")
    assert even.weights[:2].sum() == pytest.approx(0.531, abs=2e-3)
    shared = coverage(LOADS, prior=[1, 1, 2], tilt=Tilt(eta=1.0), distance="l2")
    assert shared.weights[:2].sum() == pytest.approx(0.5, abs=1e-6)


def test_random_halves_weigh_as_the_whole():
    rng = np.random.Generator(np.random.PCG64(11))
    shapes = rng.dirichlet(np.full(1000, 0.1), size=3)
    rows = rng.binomial(10_000, 0.5)  # of 10,000 with 30 words each, in the first half
    halves = [rng.multinomial(30 * half, shapes[0]) for half in (rows, 10_000 - rows)]
    others = [rng.multinomial(200_000, shape) for shape in shapes[1:]]
    whole = coverage([halves[0] + halves[1], *others], prior=[3, 2, 2])
    split = coverage([*halves, *others], prior=[3 * rows / 10_000, 3 - 3 * rows / 10_000, 2, 2])
    assert split.weights[:2].sum() == pytest.approx(whole.weights[0], abs=0.03)
    np.testing.assert_allclose(split.weights[2:], whole.weights[1:], atol=0.03)


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=4, max_size=4).filter(any), min_size=1, max_size=5), st.randoms())
def test_the_order_of_sources_does_not_matter(rows, random):
    order = random.sample(range(len(rows)), len(rows))
    shuffled = [rows[i] for i in order]
    for method in (
        one_shot,
        lambda some: coverage(some, steps=300).weights,
        lambda some: router_update([1] * len(some), some),
    ):
        np.testing.assert_allclose(method(shuffled), method(rows)[order], atol=1e-7)


def test_coverage_tells_its_way():
    found = coverage(LOADS, prior=[1, 1, 2])
    steps = [step for step, _ in found.path]
    assert steps == list(range(min(found.steps, 32) + 1)) + steps[33:]
    assert steps[-1] == found.steps
    assert found.path[0][1].tolist() == [0.25, 0.25, 0.5]
    assert found.path[-1][1].tolist() == found.weights.tolist()
    long = coverage([[9, 1, 5], [8, 2, 1], [1, 9, 2]], tilt=Tilt(eta=0.01), steps=1000)
    assert [step for step, _ in long.path][30:40] == [30, 31, 32, 36, 40, 44, 49, 54, 60, 66]
    assert long.path[-1][0] == long.steps
