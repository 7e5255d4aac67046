"""The bound by two blockers: by hand, and that it is one for blockers that miss the same matches."""

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.pairs import pairs_table
from tamis.pipeline.blocking.recapture import recall_at_most, recaptured

IDS = pa.array([f"{i:03}" for i in range(400)])


def table(which):
    ids = IDS.filter(pa.array(which))
    return pairs_table(ids, ids, np.ones(len(ids)), "b", np.ones(len(ids), np.int64))


def test_by_hand():
    found = recaptured(90, 80, 75)
    assert (found.found, found.missed_at_least) == (95, 15 * 5 / 76)
    assert found.missed_at_least + found.found == pytest.approx(91 * 81 / 76 - 1, rel=1e-12)  # Chapman's
    assert found.recall_at_most == 95 / (95 + 75 / 76)
    assert found.recall_at_most_95 == pytest.approx(0.99766857, abs=1e-8)
    assert recaptured(5, 5, 5).recall_at_most == recaptured(5, 5, 5).recall_at_most_95 == 1.0
    assert found.as_json() == {
        "one": 90, "other": 80, "both": 75, "found": 95, "missed_at_least": 15 * 5 / 76,
        "recall_at_most": 95 / (95 + 75 / 76), "recall_at_most_95": found.recall_at_most_95,
    }  # fmt: skip


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_what_the_bound_is(only_one, only_other, both):
    if not only_one + only_other + both:
        return
    found = recaptured(only_one + both, only_other + both, both)
    assert 0 < found.recall_at_most <= found.recall_at_most_95 <= 1
    assert found == recaptured(only_one + both, only_other + both, both)
    turned = recaptured(only_other + both, only_one + both, both)
    assert (turned.recall_at_most, turned.recall_at_most_95) == (found.recall_at_most, found.recall_at_most_95)


def test_from_tables():
    rng = np.random.Generator(np.random.PCG64(2))
    one, other = rng.random(400) < 0.6, rng.random(400) < 0.7
    found = recall_at_most(table(one), table(other), IDS, IDS)
    assert (found.one, found.other, found.both) == (one.sum(), other.sum(), (one & other).sum())
    assert found.recall_at_most == pytest.approx(1 - 0.4 * 0.3, abs=0.05)  # independent: the recall itself


@pytest.mark.parametrize("easy", [0.3, 0.5, 0.8])
def test_blockers_that_miss_the_same_get_a_bound_above_their_recall(easy):
    rng = np.random.Generator(np.random.PCG64(3))
    quoted, above = [], []
    for _ in range(50):
        chance = np.where(rng.random(400) < easy, 0.95, 0.2)  # what is hard for one is hard for both
        one, other = rng.random(400) < chance, rng.random(400) < chance
        found = recall_at_most(table(one), table(other), IDS, IDS)
        recall = float((one | other).mean())
        quoted.append(found.recall_at_most_95 >= recall)
        above.append(found.recall_at_most - recall)
    assert all(quoted)
    assert np.mean(above) > 0.05


def test_nothing_confirmed():
    with pytest.raises(InputError, match="confirmed matches"):
        recall_at_most(table(np.zeros(400, np.bool_)), table(np.zeros(400, np.bool_)), IDS, IDS)
