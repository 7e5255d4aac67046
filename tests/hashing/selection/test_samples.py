"""Sampled facility location beside that on all rows."""

import numpy as np
import pytest

from tamis.hashing.errors import ConfigError
from tamis.hashing.selection.dense_columns import dense_columns
from tamis.hashing.selection.facility_location import FacilityLocation, coverage
from tamis.hashing.selection.greedy import greedy
from tamis.hashing.selection.optimum import Budget
from tamis.hashing.selection.samples import lowest, sampled_columns

from . import set_cases


def test_golden_sample():
    keys = np.arange(20)
    assert lowest(keys, 5, seed=1, purpose="candidates").tolist() == GOLDEN_SAMPLE
    assert set(GOLDEN_SAMPLE) <= set(lowest(keys, 9, seed=1, purpose="candidates").tolist())
    assert lowest(keys, 99, seed=1, purpose="candidates").tolist() == keys.tolist()
    assert lowest(keys[::-1], 5, seed=1, purpose="candidates").tolist() == sorted(19 - np.array(GOLDEN_SAMPLE))


GOLDEN_SAMPLE = [0, 3, 5, 7, 17]


def test_a_sample_of_all_is_all():
    made = set_cases.vectors(1, 30)
    sample = sampled_columns(made, candidates=99, seed=0)
    assert (sample.rows.tolist(), sample.candidates.tolist(), sample.scale) == (list(range(30)), list(range(30)), 1.0)
    sampled, whole = (greedy(FacilityLocation(c), Budget(5)) for c in (sample.columns, dense_columns(made)))
    assert sampled.items.tolist() == whole.items.tolist()
    assert sampled.value == whole.value


def test_the_estimate_is_unbiased_for_a_fixed_set():
    made = set_cases.vectors(2, 200, 8)
    fixed = np.array([3, 50, 120])
    whole, estimates = coverage(dense_columns(made), fixed), []
    for seed in range(40):
        rows = lowest(np.arange(200), 50, seed=seed, purpose="represented rows")
        sample = sampled_columns(made, rows=50, candidates=200, seed=seed)
        assert np.array_equal(sample.rows, rows)
        assert sample.scale == 4.0
        estimates.append(sample.scale * coverage(sample.columns, fixed))
    assert np.mean(estimates) == pytest.approx(whole, rel=0.01)
    assert np.std(estimates) < 0.05 * whole


def test_a_choice_on_a_sample_is_near_that_on_all():
    made = set_cases.vectors(3, 600, 8)
    columns = dense_columns(made)
    whole = greedy(FacilityLocation(columns), Budget(10)).value
    for seed in range(4):
        sample = sampled_columns(made, rows=150, candidates=150, seed=seed)
        found = greedy(FacilityLocation(sample.columns), Budget(10))
        assert coverage(columns, sample.candidates[found.items]) >= 0.97 * whole


def test_candidates_represent_all_rows():
    made = set_cases.vectors(4, 80)
    sample = sampled_columns(made, candidates=10, seed=5)
    found = greedy(FacilityLocation(sample.columns), Budget(3))
    chosen = sample.candidates[found.items]
    assert sample.scale == 1.0
    assert found.value == coverage(dense_columns(made), chosen)
    among = greedy(FacilityLocation(dense_columns(made)), Budget(3), among=sample.candidates)
    assert chosen.tolist() == among.items.tolist()


def test_what_is_refused():
    with pytest.raises(ConfigError, match="found 3, 0"):
        sampled_columns(set_cases.vectors(1, 5), rows=0, candidates=3, seed=0)
