"""The balance stage: which rows a leaf keeps, and what is said of leaves."""

from collections import Counter, defaultdict

import numpy as np
import pyarrow as pa
import pytest
from few_rows import staged
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.hashing.bagging import draws
from tamis.hashing.errors import ConfigError
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.hashing.hyperplanes import hyperplanes
from tamis.hashing.murmur3 import murmur3_bytes
from tamis.pipeline.config import make_config
from tamis.pipeline.selection.balance import entropy, leaf_facts
from tamis.pipeline.text_column import text_buffers


def balanced(folder, texts, balance, **columns):
    """Balance texts; return the result, which verifies."""
    return staged(folder, texts, {"balance": balance}, **columns)


def kept_of(result):
    return {row["id"] for batch in result.kept() for row in batch.to_pylist()}


TEXTS = [f"text number {i} of all" for i in range(60)]
KINDS = ["many"] * 40 + ["some"] * 15 + ["few"] * 5


def test_a_leaf_keeps_the_rows_with_the_lowest_draws(tmp_path):
    result = balanced(tmp_path, TEXTS, {"most": 10, "by": ["kind"]}, kind=KINDS)
    hashes = np.array([murmur3_bytes(text.encode(), seed=0) for text in TEXTS], np.uint64)
    high, low = (np.ascontiguousarray(hashes[:, half]).view(np.int64) for half in (0, 1))
    numbers = draws(high, low, seed=0, purpose="balance")
    leaves = defaultdict(list)
    for _, kind, row in sorted(zip(numbers.tolist(), KINDS, range(60), strict=True)):
        leaves[kind].append(f"r{row}")
    assert kept_of(result) == {name for rows in leaves.values() for name in rows[:10]}
    keepers = {row["id"]: (row["keeper_id"], row["reason"], row["similarity"]) for row in result.removed.to_pylist()}
    assert keepers == {name: (rows[0], "full-leaf", None) for rows in leaves.values() for name in rows[10:]}
    facts = result.report["selection"]["balance"]
    assert (facts["leaves"], facts["over_full"], facts["under_full"], facts["deficit"]) == (3, 2, 1, 5)
    assert facts["entropy_after"] > facts["entropy_before"]


def test_a_larger_leaf_keeps_all_that_a_smaller_one_does(tmp_path):
    small, large = (kept_of(balanced(tmp_path, TEXTS, {"most": n, "by": ["kind"]}, kind=KINDS)) for n in (4, 9))
    assert small < large


def test_cells_of_hyperplanes_are_leaves(tmp_path):
    result = balanced(tmp_path, TEXTS, {"most": 3, "bits": 2})
    vectors = hashed_vectors(*text_buffers(pa.array(TEXTS, pa.large_string()))).astype(np.float64)
    planes = hyperplanes(256, 2, 0)
    codes = [tuple(side) for side in (vectors @ planes.weights.astype(np.float64) >= 0).tolist()]
    counts = Counter(codes)
    assert Counter(codes[int(name[1:])] for name in kept_of(result)) == {
        code: min(3, count) for code, count in counts.items()
    }
    for row in result.removed.to_pylist():
        assert codes[int(row["id"][1:])] == codes[int(row["keeper_id"][1:])]


def test_sources_are_leaves(tmp_path):
    result = balanced(tmp_path, TEXTS, {"most": 7, "apart": True}, source=KINDS)
    assert Counter(row["source"] for batch in result.kept() for row in batch.to_pylist()) == {
        "many": 7,
        "some": 7,
        "few": 5,
    }


def test_leaves_are_made_by_something():
    with pytest.raises(ConfigError, match="`apart`, `by` or `bits`"):
        make_config({"inputs": [{"path": "x"}], "stages": [{"balance": {"most": 3}}]})


@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(1, 60))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_balancing_makes_leaves_no_less_even(sizes, most):
    rows = np.array(sizes)
    facts = leaf_facts([str(i) for i in range(len(rows))], rows, most)
    assert facts["entropy_after"] >= facts["entropy_before"] - 1e-9
    assert facts["deficit"] == sum(most - min(most, size) for size in sizes)
    assert facts["over_full"] + facts["under_full"] + sum(size == most for size in sizes) == len(sizes)


def test_entropy():
    assert entropy(np.array([2, 1, 1])) == 1.5
    assert entropy(np.array([9])) == 0.0
