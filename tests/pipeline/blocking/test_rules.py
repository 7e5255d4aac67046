"""Rules against a search of all pairs in plain Python."""

import math
import pickle

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking import rules as module
from tamis.pipeline.blocking.pairs import check_pairs
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.rules import rule_search
from tamis.pipeline.blocking.search import Block, found_pairs

ROW = st.tuples(st.none() | st.text("ab ", max_size=5), st.none() | st.sampled_from(["1", "2", "3"]))
ROWS = st.lists(ROW, max_size=9)
RULES = {
    "words(name)": lambda name, year: set((name or "").split()),
    "year": lambda name, year: {year} - {None},
    "name[:2]": lambda name, year: {" ".join((name or "").split())[:2]} - {""},
    "words(name) & year": lambda name, year: {(word, year) for word in (name or "").split() if year},
}
"""Rules, and the keys that each gives a record."""


def records(rows, ids=None):
    names, years = ([row[i] for row in rows] for i in (0, 1))
    ids = [f"r{i}" for i in range(len(rows))] if ids is None else ids
    table = pa.table({"id": pa.array(ids, pa.string()), "name": pa.array(names, pa.string())})
    return read_records(table.append_column("year", pa.array(years, pa.string())), "id")


def rule_pairs(left, right, rules, k=None, **options):
    return found_pairs(rule_search(left, right, rules, k, **options), left, right, threads=1)


def scored(rows, left, right, rules):
    """Return {(left, right): cosine} of all pairs of places of some rows that share a key."""
    keys = [{(rule, key) for rule in rules for key in RULES[rule](*row)} for row in rows]
    holders = {}
    for place, some in enumerate(keys):
        for key in some:
            holders.setdefault(key, []).append(place)
    paired = {key for key, some in holders.items() if any(i != j for i in left for j in right if {i, j} <= set(some))}
    weight = {key: math.log1p(len(rows) / len(holders[key])) ** 2 for key in paired}
    found = {}
    for i in left:
        for j in right:
            shared = keys[i] & keys[j]
            if i != j and shared:
                lengths = [sum(weight[key] for key in keys[n] & paired) for n in (i, j)]
                found[i, j] = sum(weight[key] for key in shared) / math.sqrt(lengths[0] * lengths[1])
    return found


def as_dict(pairs):
    check_pairs(pairs)
    return {(row["left_id"], row["right_id"]): row["score"] for row in pairs.to_pylist()}


@settings(max_examples=60, derandomize=True, deadline=None)
@given(ROWS, ROWS, st.sets(st.sampled_from(sorted(RULES)), min_size=1, max_size=3))
def test_all_pairs_of_two_tables_and_their_scores(one, other, rules):
    left, right = records(one), records(other)
    found = as_dict(rule_pairs(left, right, sorted(rules)))
    n = len(one)
    expected = scored([*one, *other], range(n), range(n, n + len(other)), rules)
    assert found.keys() == {(f"r{i}", f"r{j - n}") for i, j in expected}
    for (i, j), score in expected.items():
        assert found[f"r{i}", f"r{j - n}"] == pytest.approx(score, rel=1e-12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(ROWS, st.sets(st.sampled_from(sorted(RULES)), min_size=1, max_size=3), st.sampled_from(sorted(RULES)))
def test_one_table_without_excluded_pairs(rows, rules, exclude):
    found = as_dict(rule_pairs(records(rows), None, sorted(rules), exclude=[exclude]))
    some = range(len(rows))
    never = scored(rows, some, some, [exclude])
    expected = {pair: score for pair, score in scored(rows, some, some, rules).items() if pair not in never}
    assert found.keys() == {(f"r{i}", f"r{j}") for i, j in expected if i < j}
    for (i, j), score in expected.items():
        if i < j:
            assert found[f"r{i}", f"r{j}"] == pytest.approx(score, rel=1e-12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(ROWS, ROWS, st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_best_k_are_the_first_of_all_whatever_the_order_of_tables(one, other, k, random):
    rules = ["words(name)", "year"]
    every = rule_pairs(records(one), records(other), rules)
    best = rule_pairs(records(one), records(other), rules, k)
    assert best == every.filter(pc.less_equal(every["rank"], k)).combine_chunks()
    a, b = ([*range(len(rows))] for rows in (one, other))
    random.shuffle(a)
    random.shuffle(b)
    mixed = [records([rows[i] for i in order], [f"r{i}" for i in order]) for rows, order in ((one, a), (other, b))]
    assert rule_pairs(*mixed, rules, k) == best


def test_by_hand():
    left = records([("Sony TV", "1"), ("sony radio", "2"), (None, None)])
    right = records([("the sony tv", "1"), ("radio SONY", "3"), ("", "2")])
    search = rule_search(left, right, ["words(name) & year", "words(name)[:3]"])
    found = found_pairs(search, left, right)
    rows = [(row["left_id"], row["right_id"], row["rank"]) for row in found.to_pylist()]
    assert rows == [("r0", "r0", 1), ("r0", "r1", 2), ("r1", "r1", 1), ("r1", "r0", 2)]
    assert set(found["blocker"].to_pylist()) == {"rules"}
    assert found["score"][0].as_py() == 1.0
    assert search.blocks.count == 5
    assert search.blocks.largest == (
        Block("words(name)[:3]: son", 2, 2, False),
        Block("words(name) & year: sony & 1", 1, 1, False),
        Block("words(name) & year: tv & 1", 1, 1, False),
        Block("words(name)[:3]: rad", 1, 1, False),
        Block("words(name)[:3]: tv", 1, 1, False),
    )


def test_columns_that_are_named_differently():
    left, right = records([("ab", "1")]), records([("x", "ab")])
    assert as_dict(rule_pairs(left, right, ["name = year"])).keys() == {("r0", "r0")}
    assert rule_search(left, right, ["name = year"]).blocks.largest == (Block("name = year: ab", 1, 1, False),)
    with pytest.raises(ConfigError, match="names each column once"):
        rule_search(left, None, ["name = year"])


def test_blocks_that_are_too_large_are_shown_and_not_used():
    one = records([("a x", "1"), ("a x", "1"), ("a", "1")])
    search = rule_search(one, None, ["words(name)", "year"], max_block=2)
    assert (search.blocks.count, search.blocks.purged, search.blocks.purged_pairs) == (3, 2, 6)
    assert search.blocks.largest[0] == Block("words(name): a", 3, 3, True)
    assert as_dict(found_pairs(search, one, None)) == {("r0", "r1"): 1.0}


def test_excluded_rules_are_judged_though_their_blocks_are_large():
    one = records([("a x", "1"), ("a x", "1"), ("a x", "2")])
    found = rule_pairs(one, None, ["words(name)"], exclude=["year"], max_block=3)
    assert as_dict(found).keys() == {("r0", "r2"), ("r1", "r2")}


def test_a_search_can_be_pickled_and_ranges_change_nothing():
    rng = np.random.default_rng(2)
    one = records([(" ".join(rng.choice(list("abcdefgh"), 3)), str(rng.integers(3))) for _ in range(60)])
    search = pickle.loads(pickle.dumps(rule_search(one, None, ["words(name)"], 3)))
    whole = search(0, 60)
    for first, last in ((0, 7), (7, 8), (8, 60)):
        part = search(first, last)
        mine = (whole.queries >= first) & (whole.queries < last)
        assert part.rows.tolist() == whole.rows[mine].tolist()
        assert part.scores.tolist() == whole.scores[mine].tolist()


def test_too_many_keys(monkeypatch):
    monkeypatch.setattr(module, "MOST_KEYS", 3)
    one = records([("a", "1"), ("a b", "1")])
    rule_search(one, None, ["words(name) & year"])
    with pytest.raises(InputError, match="4 of 'words\\(name\\) & words\\(name\\)' for 'r1'"):
        rule_search(one, None, ["words(name) & words(name)"])


def test_empty_tables():
    one, none = records([("a", "1")]), records([])
    for left, right in ((one, none), (none, one), (none, none), (none, None), (one, None)):
        assert rule_pairs(left, right, ["words(name)", "year"], 2, exclude=["year"]).num_rows == 0


@pytest.mark.parametrize(
    ("rules", "options", "message"),
    [
        ([], {}, "a rule to block by"),
        (["nmae"], {}, "Did you mean 'name'"),
        (["name"], {"k": 0}, "k is at least 1"),
        (["name"], {"max_block": 0}, "at least one pair"),
        (["name"], {"exclude": ["yaer"]}, "Did you mean 'year'"),
    ],
)
def test_settings_that_cannot_be(rules, options, message):
    with pytest.raises(ConfigError, match=message):
        rule_search(records([("a", "1")]), None, rules, **options)
