"""Weights by step, which stop and go on."""

import json

import numpy as np
import pytest

from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.hashing.mixing.dynamic import router_update, trajectory
from tamis.hashing.mixing.schedule import DynamicWeights, Updating
from tamis.hashing.mixing.tilt import Tilt

NAMES = ["chat", "code", "math"]
LOADS = [[4, 3, 2, 1], [4, 3, 2, 1], [1, 2, 3, 4]]


def drifting(step):
    rng = np.random.Generator(np.random.PCG64(step))
    return rng.integers(1, 100, (3, 8))


def schedule(measure=drifting, **settings):
    return DynamicWeights(NAMES, measure=measure, **settings)


def test_weights_are_the_published_trajectory():
    weights, path = schedule(lambda step: LOADS), trajectory([1, 1, 1], LOADS, 20)
    assert weights(0).tolist() == weights(99).tolist() == path[0].tolist()
    assert weights(100).tolist() == pytest.approx([0.164176, 0.164176, 0.671647], abs=1e-6)
    assert weights(2000).tolist() == path[20].tolist()
    assert weights(2000).tolist() == pytest.approx([0.021403, 0.021403, 0.957194], abs=1e-6)


def test_weights_do_not_depend_on_the_steps_that_were_asked_for():
    each, some = schedule(), schedule()
    every = [each(step).tolist() for step in range(0, 1000, 10)]
    assert some(990).tolist() == every[99]
    assert some(450).tolist() == every[45]  # also backwards
    by_hand = [1 / 3] * 3
    for step in (100, 200):
        by_hand = router_update(by_hand, drifting(step)).tolist()
    assert every[20] == by_hand


@pytest.mark.parametrize("feedback", [False, True])
def test_what_goes_on_is_what_never_stopped(feedback):
    updating = Updating(every=7, tilt=Tilt(eta=2.0), distance="hellinger", feedback=feedback)
    whole, before, after = (schedule(updating=updating, prior=[1, 2, 3]) for _ in range(3))
    expected = [whole(step).tolist() for step in range(100)]
    assert [before(step).tolist() for step in range(41)] == expected[:41]
    after.loads(before.dumps())
    assert [after(step).tolist() for step in range(41, 100)] == expected[41:]
    assert after(3).tolist() == expected[3]
    assert after.state_dict() == whole.state_dict()


def test_golden_state():
    weights = schedule(lambda step: [[1, 1]] * 3, prior=[1, 1, 2])
    weights(100)
    assert json.loads(weights.dumps()) == {
        "format": "tamis-dynamic-weights",
        "version": 1,
        "names": ["chat", "code", "math"],
        "updating": {
            "every": 100,
            "tilt": {"eta": 10.0, "strength": 1.0, "smoothing": 0.05, "sign": "distinct"},
            "distance": "l2",
            "feedback": False,
        },
        "prior": [0.25, 0.25, 0.5],
        "history": [[0, [0.25, 0.25, 0.5]], [100, [0.25, 0.25, 0.5]]],
    }


def test_phases_are_the_stretches_between_updates():
    phases = schedule().phases(250)
    assert [steps for steps, _ in phases] == [100, 100, 50]
    assert phases[1][1].tolist() == schedule()(100).tolist()
    assert [steps for steps, _ in schedule().phases(100)] == [100]
    long = schedule()
    long(900)
    assert [steps for steps, _ in long.phases(250)] == [100, 100, 50]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "same version; found 2 for 1"),
        ({"format": "other"}, "same format"),
        ({"names": ["a", "b", "c"]}, "same names"),
        ({"updating": {}}, "same updating"),
        ({"prior": [1, 0, 0]}, "same prior"),
        ({"history": []}, "history of a state is whole"),
        ({"history": None}, "history of a state is whole"),
        ({"history": [[0, [1, 0]]]}, "history of a state is whole"),
        ({"history": [[50, [1, 0, 0]]]}, "history of a state is whole"),
        ({"history": [[0, [0.5, 0.1, 0.1]]]}, "add up to 1"),
        ({"history": [[0, ["a", 0, 0]]]}, "history of a state is whole"),
    ],
)
def test_states_of_others_are_refused(change, message):
    weights = schedule()
    weights(300)
    with pytest.raises(ArtefactError, match=message):
        schedule().load_state_dict(weights.state_dict() | change)


def test_what_cannot_be_is_refused():
    with pytest.raises(ArtefactError, match="a state is JSON"):
        schedule().loads("{")
    with pytest.raises(ArtefactError, match="same format"):
        schedule().loads("[]")
    with pytest.raises(ConfigError, match="steps count from 0"):
        schedule()(-1)
    with pytest.raises(ConfigError, match="names of their own"):
        DynamicWeights(["a", "a"], measure=drifting)
    with pytest.raises(ConfigError, match="`every` is 1 to"):
        schedule(updating=Updating(every=0))
    with pytest.raises(InputError, match="the prior are one for each source"):
        schedule(prior=[1, 1])
    with pytest.raises(InputError, match="loads are one for each source"):
        schedule(lambda step: LOADS[:2])(100)
    with pytest.raises(InputError, match="equally long"):
        schedule(lambda step: [[1, 2], [1], [1, 2]])(100)
    with pytest.raises(InputError):
        DynamicWeights([], measure=drifting)
