from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.pipeline.blocking.augmentation import Augmentation, attributes_of, augmented, written
from tamis.pipeline.blocking.records import read_records

NONE = Augmentation(attributes=0, tokens=0, typos=0, shuffled=0, turned=0, cut=0)
RECORD = [("name", "sony pink camera dsc-w120"), ("maker", "sony"), ("price", "104.95")]
VALUES = st.lists(st.text("ab cCOLVAL", max_size=12), min_size=3, max_size=3)


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


@settings(max_examples=200, derandomize=True, deadline=None)
@given(VALUES)
def test_attributes_are_read_back(values):
    columns = ["name", "the price", "x"]
    table = pa.table({"id": ["1"]} | {name: [value] for name, value in zip(columns, values, strict=True)})
    marked = read_records(table, "id").marked[0].as_py()
    found = attributes_of(marked, columns)
    assert written(found, marked=True) == marked
    expected = [(name, " ".join(value.split())) for name, value in zip(columns, values, strict=True) if value.split()]
    assert found == expected


def test_a_mark_within_a_value_is_one_only_where_its_column_may_follow():
    text = "COL a VAL x COL a VAL y COL b VAL z"
    assert attributes_of(text, ["a", "b"]) == [("a", "x COL a VAL y"), ("b", "z")]
    assert attributes_of("COL a.b VAL x COL aXb VAL y", ["a.b"]) == [("a.b", "x COL aXb VAL y")]
    assert attributes_of("", ["a"]) == []
    assert attributes_of("COL a VAL x", []) == []


def test_written():
    assert written(RECORD[1:], marked=True) == "COL maker VAL sony COL price VAL 104.95"
    assert written(RECORD[1:], marked=False) == "sony 104.95"
    assert written([], marked=True) == ""


def test_no_change():
    assert augmented(RECORD, NONE, rng()) == RECORD


def test_nothing_left_is_the_record_as_it_was():
    for share in ("attributes", "tokens"):
        how = Augmentation(**{"attributes": 0, "tokens": 0, share: 1.0})
        assert sorted(augmented(RECORD, how, rng())) == sorted(RECORD)
    assert augmented([], Augmentation(), rng()) == []


def test_golden_views():
    how = Augmentation(attributes=0.2, tokens=0.2, typos=0.3, shuffled=0.5, turned=0.5, cut=0.2)
    views = [written(augmented(RECORD, how, rng(seed)), marked=False) for seed in range(4)]
    assert views == ["ony pink camera", "sony sony pink caemra dsc-w120", "ink camera sony 14.95", "sny 1004.95"]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from(["attributes", "tokens", "shuffled", "turned", "cut"]))
def test_each_operator_makes_no_new_token(seed, operator):
    how = Augmentation(
        **{"attributes": 0, "tokens": 0, "typos": 0, "shuffled": 0, "turned": 0, "cut": 0, operator: 0.7}
    )
    found = augmented(RECORD, how, rng(seed))
    assert found
    before = dict(RECORD)
    for name, value in found:
        mine, all_of_it = value.split(), before[name].split()
        assert not Counter(mine) - Counter(all_of_it)
        if operator in ("attributes", "shuffled"):
            assert mine == all_of_it
        if operator == "cut":
            assert mine == all_of_it[: len(mine)]
        if operator == "tokens":
            rest = iter(all_of_it)
            assert all(token in rest for token in mine)
    if operator != "attributes" and operator != "tokens":
        assert sorted(name for name, _ in found) == sorted(before)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.integers(0, 1 << 32))
def test_a_typing_error_loses_doubles_or_turns_a_letter(seed):
    token = "abcd"
    [(_, found)] = augmented([("a", token)], Augmentation(0, 0, 1.0, 0, 0, 0), rng(seed))
    lost = {token[:i] + token[i + 1 :] for i in range(3)}
    doubled = {token[: i + 1] + token[i:] for i in range(3)}
    turned = {"bacd", "acbd", "abdc"}
    assert found in lost | doubled | turned
    assert augmented([("a", "x")], Augmentation(0, 0, 1.0, 0, 0, 0), rng(seed)) == [("a", "x")]


def test_shares_are_kept():
    how = Augmentation(attributes=0, tokens=0.25, typos=0, shuffled=0, turned=0, cut=0)
    words = " ".join(f"w{i}" for i in range(10_000))
    [(_, found)] = augmented([("a", words)], how, rng(3))
    assert abs(len(found.split()) / 10_000 - 0.75) < 0.02


@pytest.mark.parametrize("wrong", [{"tokens": -0.1}, {"typos": 1.1}, {"cut": float("nan")}])
def test_shares_that_cannot_be(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Augmentation(**wrong)
