"""Planted copies: what each fault does, where copies go, and what is counted of them."""

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.corruption import KINDS, corrupted
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.measures import clopper_pearson
from tamis.pipeline.blocking.pairs import pairs_of_one_table, pairs_table
from tamis.pipeline.blocking.planted import found_copies, plant
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.search import found_pairs

PRODUCTS = pa.table(
    {
        "id": [7, 8, 9, 10],
        "name": ["Sony  Bravia television", "Apple iPhone", "x", None],
        "price": [5.0, 12.5, None, None],
        "brand": ["sony corp", "apple", None, ""],
    }
)
WORD = st.text("abcdeé中1", min_size=1, max_size=6)
VALUE = st.none() | st.lists(WORD, min_size=1, max_size=5).map(" ".join)


def generator(seed=1):
    return np.random.Generator(np.random.PCG64(seed))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("typo", ["oSny Braiva television", "5", None]),
        ("dropped token", ["Sony", "5", None]),
        ("swapped tokens", ["Bravia television Sony", "5", None]),
        ("missing value", [None, "5", None]),
        ("abbreviation", ["Sony B. t.", "5", None]),
    ],
)
def test_faults_are_always_the_same(kind, expected):
    assert corrupted(["Sony Bravia television", "5", None], kind, 2, generator()) == expected


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.lists(VALUE, min_size=1, max_size=4), st.sampled_from(list(KINDS)), st.integers(0, 99))
def test_what_each_fault_does(values, kind, seed):
    changed = corrupted(values, kind, 1, generator(seed))
    split = [[] if value is None else value.split(" ") for value in values]
    possible = {
        "typo": any(len(token) > 2 for some in split for token in some),
        "dropped token": any(len(some) > 1 for some in split),
        "swapped tokens": any(len(set(some)) > 1 for some in split),
        "missing value": sum(value is not None for value in values) > 1,
        "abbreviation": any(len(token) > 3 and token.isalpha() for some in split for token in some),
    }
    assert (changed is not None) == possible[kind]
    if changed is None:
        return
    (column,) = [i for i in range(len(values)) if changed[i] != values[i]]
    before, after = split[column], [] if changed[column] is None else changed[column].split(" ")
    if kind == "missing value":
        assert after == []
    elif kind == "dropped token":
        assert after in [before[:i] + before[i + 1 :] for i in range(len(before))]
    elif kind == "swapped tokens":
        assert after in [[*before[:i], before[i + 1], before[i], *before[i + 2 :]] for i in range(len(before) - 1)]
    else:
        (place,) = [i for i in range(len(before)) if before[i] != after[i]]
        one, other = before[place], after[place]
        if kind == "abbreviation":
            assert other == one[0] + "."
        else:
            cut = [one[:i] + one[i + 1 :] for i in range(len(one))]
            more = [other[:i] + other[i + 1 :] for i in range(len(other))]
            assert other in cut or one in more or set(cut) & set(more) or sorted(one) == sorted(other)


def test_where_copies_go():
    planted = plant(PRODUCTS, None, "id", copies=5, seed=3)
    assert planted.asking.to_pylist() == [
        {"id": "7", "name": "Sony Bravia television", "price": "5", "brand": "sony corp"},
        {"id": "8", "name": "Apple iPhone", "price": "12.5", "brand": "apple"},
        {"id": "9", "name": "x", "price": None, "brand": None},
        {"id": "10", "name": None, "price": None, "brand": None},
        {"id": "planted:7", "name": "cony Bravia television", "price": "5", "brand": "sony cprp"},
        {"id": "planted:8", "name": "iPhone", "price": "12.5", "brand": "apple"},
    ]
    assert planted.copies.to_pylist() == [
        {"left_id": "planted:7", "right_id": "7", "kind": "typo"},
        {"left_id": "planted:8", "right_id": "8", "kind": "dropped token"},
    ]
    assert (planted.dirty, planted.edits, planted.seed) == (True, 2, 3)
    known = read_records(PRODUCTS, "id")
    again = read_records(planted.asking, "id")
    assert again.marked[:4].to_pylist() == known.marked.to_pylist()


def test_among_records_of_another_table():
    other = pa.table({"key": ["planted:a", "b"], "colour": ["red", None], "name": ["Sony", "Nokia"]})
    asking = other.rename_columns({"key": "id"})
    searched = PRODUCTS.rename_columns({"id": "number"})
    planted = plant(asking, searched, "id", copies=2, searched_id="number", columns=["name", "colour", "price"], seed=3)
    assert planted.asking.column_names == ["id", "name", "colour"]
    assert planted.asking["id"].to_pylist() == ["planted:a", "b", "planted:planted:7", "planted:planted:8"]
    assert planted.asking["colour"].to_pylist() == ["red", None, None, None]
    assert planted.asking["name"].to_pylist()[:2] == ["Sony", "Nokia"]
    assert not planted.dirty


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.lists(VALUE, min_size=2, max_size=12), st.integers(0, 3), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(texts, seed, random):
    rows = [(f"r{i}", text) for i, text in enumerate(texts)]

    def made(some):
        table = pa.table({"id": [i for i, _ in some], "text": pa.array([text for _, text in some], pa.string())})
        try:
            planted = plant(table, None, "id", copies=3, seed=seed)
        except InputError:
            return None
        return planted.asking.to_pylist()[len(some) :], planted.copies.to_pylist()

    first = made(rows)
    random.shuffle(rows)
    assert made(rows) == first


def test_every_kind_has_its_share():
    rng = generator(4)
    words = ["".join(rng.choice(list("abcdefgh"), 6)) for _ in range(50)]
    texts = [" ".join(rng.choice(words, 5)) for _ in range(100)]
    table = pa.table({"id": range(100), "one": texts, "other": texts[::-1]})
    planted = plant(table, None, "id", copies=50)
    kinds = planted.copies["kind"].to_pylist()
    assert {kind: kinds.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 10)
    records = read_records(planted.asking, "id")
    found = found_copies(found_pairs(lexical_search(records, None, 3), records, None), planted, None)
    assert [(one.kind, one.copies) for one in found] == [("all", 50), *((kind, 10) for kind in KINDS)]
    assert found[0].found == sum(one.found for one in found[1:]) >= 45


def test_copies_do_not_lose_to_real_matches():
    rng = generator(6)
    texts = [" ".join("".join(rng.choice(list("abcdefgh"), 6)) for _ in range(5)) for _ in range(25)]
    table = pa.table({"id": range(25), "text": texts})
    planted = plant(table, table, "id", copies=25, edits=1)
    left, right = read_records(planted.asking, "id"), read_records(table, "id")
    pairs = found_pairs(lexical_search(left, right, 1), left, right)
    assert found_copies(pairs, planted, right.ids)[0].found == 25


@pytest.mark.parametrize("dirty", [True, False])
def test_what_is_counted(dirty):
    table = pa.table({"id": list("abc"), "text": ["sift grain", "mill grain", "sift flour"]})
    planted = plant(table, None if dirty else table, "id", copies=3)
    kinds = dict(zip(planted.copies["right_id"].to_pylist(), planted.copies["kind"].to_pylist(), strict=True))
    make = pairs_of_one_table if dirty else pairs_table
    left, right = pa.array(["planted:b", "planted:c", "a"]), pa.array(["b", "a", "b"])
    pairs = make(left, right, np.ones(3), "b", np.array([1, 1, 2]))
    found = found_copies(pairs, planted, None if dirty else table["id"].combine_chunks())
    assert (found[0].kind, found[0].copies, found[0].found) == ("all", 3, 1)
    assert (found[0].low, found[0].high) == clopper_pearson(1, 3)
    assert {one.kind: one.found for one in found[1:]} == {kind: int(i == "b") for i, kind in kinds.items()}
    assert found[0].as_json() == {
        "kind": "all", "copies": 3, "found": 1, "share": 1 / 3, "low": found[0].low, "high": found[0].high,
    }  # fmt: skip


@pytest.mark.parametrize("numbers", [{"copies": 0}, {"copies": 1, "edits": 0}, {"copies": 1, "seed": -1}])
def test_numbers_that_cannot_be(numbers):
    with pytest.raises(ConfigError, match="at least one copy"):
        plant(PRODUCTS, None, "id", **numbers)


def test_tables_that_cannot_be():
    with pytest.raises(InputError, match="both tables have a column.*name, price, brand and title"):
        plant(PRODUCTS, pa.table({"id": ["a"], "title": ["b"]}), "id", copies=1)
    with pytest.raises(InputError, match="columns that there are.*'titel' among brand, id, name, price"):
        plant(PRODUCTS, None, "id", copies=1, columns=["titel"])
    with pytest.raises(InputError, match="can be miswritten"):
        plant(PRODUCTS.slice(2), None, "id", copies=1)
    planted = plant(PRODUCTS, None, "id", copies=1)
    pairs = pairs_table(pa.array(["7"]), pa.array(["elsewhere"]), np.ones(1), "b", np.ones(1, np.int64))
    with pytest.raises(InputError, match="the right_id of all pairs"):
        found_copies(pairs, planted, pa.array(["8"]))
