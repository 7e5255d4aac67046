"""Weights from a router's loads: as published, and phases of them."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.mixing.dynamic import router_update
from tamis.hashing.mixing.schedule import DynamicWeights
from tamis.pipeline.allocation import allocate
from tamis.pipeline.mixing.method import weights
from tamis.pipeline.mixing.mixture_of import as_mixture
from tamis.pipeline.mixing.router import by_router
from tamis.pipeline.mixing.settings import MixingSettings
from tamis.pipeline.mixing.sources import Sources

SAME = np.array([[[4.0, 3, 2, 1]], [[4.0, 3, 2, 1]], [[1.0, 2, 3, 4]]])
LATER = np.concatenate([SAME, [[[1.0, 1, 1, 1]], [[4.0, 3, 2, 1]], [[2.0, 2, 3, 3]]]], axis=1)
NAMES = ("a", "b", "c")


def settings(**values):
    return MixingSettings.model_validate(values)


def test_golden_updates_with_loads_that_stay():
    once = by_router(SAME, (0,), settings())
    assert once.weights.round(6).tolist() == [0.164176, 0.164176, 0.671647]
    assert once.phases == ()
    found = by_router(SAME, (0,), settings(updates=20))
    assert found.weights.round(6).tolist() == [0.021403, 0.021403, 0.957194]
    assert [step for step, _ in found.path] == list(range(21))
    assert found.path[1][1].tolist() == once.weights.tolist()
    calm = by_router(SAME, (0,), settings(updates=10, smoothing=0.8))
    assert calm.weights.round(6).tolist() == [0.290458, 0.290458, 0.419085]
    assert found.reasons[2] == "loads 0.2981 from the others"


def test_loads_of_several_steps_are_phases():
    found = by_router(LATER, (100, 300), settings())
    first = router_update(np.ones(3), SAME[:, 0])
    second = router_update(first, LATER[:, 1])
    assert [steps for steps, _ in found.phases] == [100, 200, 200]  # the last as long as the one before
    for (_, row), expected in zip(found.phases, (np.full(3, 1 / 3), first, second), strict=True):
        assert row.tolist() == expected.tolist()
    mean = (100 * np.full(3, 1 / 3) + 200 * first + 200 * second) / 500
    assert found.weights == pytest.approx(mean)
    assert [step for step, _ in found.path] == [0, 100, 300, 500]
    assert found.notes == {"eta": 10.0, "steps": 500, "phases": 3}


def test_phases_are_those_of_the_schedule():
    loads = {100: LATER[:, 0], 200: LATER[:, 1]}
    schedule = DynamicWeights(NAMES, measure=loads.__getitem__)
    found = by_router(LATER, (100, 200), settings(steps=250))
    for (steps, row), (expected_steps, expected) in zip(found.phases, schedule.phases(250), strict=True):
        assert steps == expected_steps
        assert row == pytest.approx(expected, abs=1e-12)


def test_loads_from_the_start():
    found = by_router(LATER, (0, 50), settings())
    assert [steps for steps, _ in found.phases] == [50, 50]
    assert [step for step, _ in found.path] == [0, 50, 100]


def test_what_cannot_be():
    with pytest.raises(
        ConfigError, match="a training goes on after its last loads; found 300 steps, loads at step 300"
    ):
        by_router(LATER, (100, 300), settings(steps=300))
    with pytest.raises(ConfigError, match="loads of several steps make one update each"):
        by_router(LATER, (100, 300), settings(updates=2))


@pytest.mark.parametrize("budget", [7, 100, 5999, 6000])
def test_budgets_of_phases_are_within_what_there_is(budget):
    there = np.array([3000, 2000, 1000])
    sources = Sources(NAMES, there, unique=there.astype(float), loads=LATER, load_steps=(100, 300))
    found = weights("router", sources, settings(budget=budget))
    assert found.budgets.sum() == budget == sum(share for share, _ in found.phases)
    assert (found.budgets <= there).all()
    spent = sum(np.rint(share * row) for share, row in found.phases)
    assert spent.tolist() == found.budgets.tolist()
    plan = allocate(as_mixture(found), dict(zip(NAMES, there.tolist(), strict=True)))
    assert plan.wanted.tolist() == found.budgets.tolist()
    if budget > 5000:
        assert found.held[2]
        assert found.reasons[2].endswith("held at all it holds")
    if budget == 7:
        assert [share for share, _ in found.phases] == [1, 3, 3]


def test_a_source_without_text_has_no_weight_in_any_phase():
    sources = Sources(("a", "b", "c"), np.array([5, 0, 5]), loads=LATER, load_steps=(100, 300))
    found = weights("router", sources, settings())
    assert [row[1] for _, row in found.phases] == [0, 0, 0]
    assert [row.sum() for _, row in found.phases] == pytest.approx([1, 1, 1])
