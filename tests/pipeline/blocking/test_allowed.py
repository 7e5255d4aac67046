"""The best allowed neighbours against a choice among all neighbours in plain Python."""

import pickle
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.codes import pack_signs
from tamis.pipeline.blocking import allowed as module
from tamis.pipeline.blocking.allowed import AllowedSearch, allowed_only
from tamis.pipeline.blocking.codes import code_search
from tamis.pipeline.blocking.dense import dense_search
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.minhash import minhash_search
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.rules import rule_search, shared_keys

ROW = st.tuples(st.text("ab ", max_size=6), st.none() | st.sampled_from("123"))
ROWS = st.lists(ROW, max_size=12)


def records(rows, first=0):
    ids = pa.array([f"r{first + i:02}" for i in range(len(rows))], pa.string())
    names, years = (pa.array([row[i] for row in rows], pa.string()) for i in (0, 1))
    return read_records(pa.table({"id": ids, "name": names, "year": years}), "id")


def found_by(search, first, last):
    found = search(first, last)
    assert found.queries.tolist() == sorted(found.queries.tolist())
    return list(zip(found.queries.tolist(), found.rows.tolist(), found.scores.tolist(), strict=True))


def best_allowed(search, n, k, excluded):
    """Return the k first of all neighbours of each record that are not excluded."""
    every = found_by(replace(search, k=max(1, n)), 0, len(search))
    best = []
    for query in range(len(search)):
        best += [one for one in every if one[0] == query and not excluded(query, one[1])][:k]
    return best


def one_year(left, right):
    """Return whether two rows have one year."""
    return lambda query, row: left[query][1] is not None and left[query][1] == right[row][1]


@settings(max_examples=80, derandomize=True, deadline=None)
@given(ROWS, st.none() | ROWS, st.integers(1, 4), st.sampled_from(["lexical", "minhash", "rules"]))
def test_blockers_of_texts(one, other, k, name):
    left, right = records(one), None if other is None else records(other, 50)
    n = len(one if other is None else other)
    search = {
        "lexical": lambda: lexical_search(left, right, k, ngrams=(1, 2)),
        "minhash": lambda: minhash_search(left, right, k, threshold=0.1, size=1),
        "rules": lambda: rule_search(left, right, ["words(name)", "name[:1]"], k),
    }[name]()
    found = allowed_only(search, k, n, shared_keys(["year"], left, right))
    expected = best_allowed(search, n, k, one_year(one, one if other is None else other))
    assert found_by(found, 0, len(found)) == expected
    assert (found.name, found.blocks, len(found)) == (name, search.blocks, len(search))


def numbers(seed, n, years):
    rng = np.random.Generator(np.random.PCG64(seed))
    rows = [("x", str(rng.integers(years))) for _ in range(n)]
    return rows, rng.standard_normal((n, 16)).astype(np.float32)


@pytest.mark.parametrize("years", [1, 2, 9])
@pytest.mark.parametrize("kind", ["dense", "learned"])
@pytest.mark.parametrize("dirty", [False, True])
def test_blockers_of_vectors(kind, dirty, years):
    (one, asking), (other, searched) = numbers(3, 50, years), numbers(4, 70, years)
    left, right = records(one), None if dirty else records(other, 50)
    vectors = asking, None if dirty else searched
    if kind == "dense":
        search = dense_search(*vectors, 5)
    else:
        codes = [None if some is None else pack_signs(some) for some in vectors]
        search = code_search(*codes, 5, bands=4, width=4, bits=16, probes=2)
    n = len(one if dirty else other)
    found = allowed_only(search, 5, n, shared_keys(["year"], left, right))
    expected = best_allowed(search, n, 5, one_year(one, one if dirty else other))
    assert found_by(found, 0, len(one)) == expected
    if years == 1:
        assert expected == []
    elif kind == "dense":
        assert len(expected) == 5 * len(one)


@pytest.mark.parametrize("most", [1, 20, 1 << 20])
def test_ranges_and_what_is_asked_at_once_change_nothing(monkeypatch, most):
    monkeypatch.setattr(module, "MOST", most)
    rows, vectors = numbers(7, 60, 3)
    rows = [(name, year) if i % 5 else (name, None) for i, (name, year) in enumerate(rows)]
    left = records(rows)
    search = allowed_only(dense_search(vectors, None, 12), 12, 60, shared_keys(["year"], left, None))
    assert isinstance(search, AllowedSearch)
    search = pickle.loads(pickle.dumps(search))
    expected = best_allowed(search.search, 60, 12, one_year(rows, rows))
    for cuts in ([0, 60], [0, 1, 60], [0, 7, 8, 33, 60], list(range(61))):
        parts = [found_by(search, first, last) for first, last in zip(cuts, cuts[1:], strict=False)]
        assert [one for part in parts for one in part] == expected
    assert found_by(search, 30, 30) == []


def test_by_hand():
    """Of r00 the two nearest are of its year, and the others are not."""
    left = records([("sony tv black", "1"), ("garden", None)])
    right = records([("sony tv black", "1"), ("sony tv red", "1"), ("sony radio", "2"), ("tv", None)], 50)
    search = lexical_search(left, right, 1)
    assert [one[:2] for one in found_by(search, 0, 2)] == [(0, 0)]
    found = allowed_only(search, 1, 4, shared_keys(["year"], left, right))
    assert [one[:2] for one in found_by(found, 0, 2)] == [(0, 3)]
    two = allowed_only(replace(search, k=2), 2, 4, shared_keys(["year"], left, right))
    assert [one[:2] for one in found_by(two, 0, 2)] == [(0, 3), (0, 2)]
