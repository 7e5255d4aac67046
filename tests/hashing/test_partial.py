import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import ConfigError
from tamis.hashing.partial import PartialSketches, Signatures, sketch_parts
from tamis.hashing.sketch import KINDS, signatures, sketch_plan

from . import oracle

WORD = st.sampled_from(["sift", "the", "flour", "and", "keep", "bran", "for", "hens", "in", "a", "yard"])
WORDS = st.lists(WORD, max_size=12).map(" ".join)


def parts(texts, plan):
    return sketch_parts(*oracle.packed(texts), plan)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(WORDS, min_size=3, max_size=3), st.sampled_from(KINDS), st.sampled_from([32, 64]))
def test_parts_merge_to_the_sketch_of_their_union(texts, kind, bits):
    plan = sketch_plan(kind, values=64, bits=bits, shingle=1)
    one, two, three = (parts([text], plan) for text in texts)
    whole = signatures(*oracle.packed([" ".join(texts)]), plan)
    for merged in (one.merge(two, three), three.merge(one).merge(two, one), one.merge(two.merge(three))):
        finished = merged.finish()
        assert finished.values.dtype == (np.uint32 if bits == 32 else np.uint64)
        assert finished.values.tolist() == (whole & (1 << bits) - 1).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_finished_sketches_are_signatures(kind):
    plan = sketch_plan(kind, values=32)
    texts = ["", "a", "the tamis sifts the flour", "word " * 500, "..."]
    found = parts(texts, plan).finish()
    assert len(found) == len(texts)
    assert found.values.tolist() == signatures(*oracle.packed(texts), plan).tolist()
    assert set(found.values[0].tolist()) == {oracle.EMPTY}


def test_an_estimate():
    plan = sketch_plan("fss", values=4096, shingle=1)
    a = parts([" ".join(f"w{i}" for i in range(300)), "x"], plan).finish()
    b = parts([" ".join(f"w{i}" for i in range(100, 400)), "x"], plan).finish()
    one, other = a.similarity(b)
    assert one == pytest.approx(0.5, abs=0.04)
    assert other == 1.0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("unit", ["word", "char", "byte"])
def test_texts_without_words_have_no_values_and_are_like_none(kind, bits, unit):
    plan = sketch_plan(kind, values=8, bits=bits, unit=unit)
    texts = ["!!! ???", "", b"a b \xff", "word"]
    found = parts(texts, plan).finish()
    assert found.values.tolist() == (signatures(*oracle.packed(texts), plan) & (1 << bits) - 1).tolist()
    assert found.similarity(found).tolist() == [0.0, 0.0, 0.0, 1.0]


def test_texts_are_compared_place_by_place():
    plan = sketch_plan("oph", values=8)
    one, three = parts(["a"], plan), parts(["a", "b", "c"], plan)
    for attempt in (lambda: one.merge(three), lambda: one.finish().similarity(three.finish())):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert (caught.value.rule, caught.value.value) == ("texts are compared place by place", "1 beside 3")


def test_merging_after_filling_is_not_merging_before():
    # Why there are two types: the values of filled bins depend on which bins were empty.
    plan = sketch_plan("oph", values=64, shingle=1)
    one, other = parts(["one two three"], plan), parts(["four five"], plan)
    wrong = np.minimum(one.finish().values, other.finish().values)
    assert (wrong != one.merge(other).finish().values).sum() > 20


def test_signatures_cannot_be_merged():
    plan = sketch_plan("oph", values=8)
    part = parts(["a"], plan)
    assert not hasattr(Signatures, "merge")
    with pytest.raises(ConfigError) as caught:
        part.merge(part.finish())
    assert (caught.value.rule, caught.value.value) == ("only unfinished sketches merge", "Signatures")


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        ({"kind": "fss"}, "sketch oph against fss"),
        ({"values": 16}, "values 8 against 16"),
        ({"bits": 32}, "bits 64 against 32"),
        ({"unit": "char"}, "unit word against char"),
        ({"shingle": 4}, "shingle 5 against 4"),
        ({"seed": 1}, "seed "),
    ],
)
def test_sketches_made_in_different_ways_do_not_meet(options, difference):
    one = parts(["a"], sketch_plan("oph", values=8))
    other = parts(["a"], sketch_plan(**{"kind": "oph", "values": 8} | options))
    for attempt in (lambda: one.merge(other), lambda: one.finish().similarity(other.finish())):
        with pytest.raises(ConfigError) as caught:
            attempt()
        assert caught.value.rule == "sketches are made in the same way"
        assert difference in caught.value.value


def test_partial_sketches_travel():
    plan = sketch_plan("oph", values=8)
    sent = pickle.loads(pickle.dumps(parts(["a b c"], plan)))
    assert isinstance(sent, PartialSketches)
    assert sent.merge(parts(["d"], plan)).finish().values.tolist() == (
        parts(["a b c"], plan).merge(parts(["d"], plan)).finish().values.tolist()
    )
