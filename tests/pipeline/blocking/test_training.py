import hypothesis.strategies as st
import networkx
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.blocking.augmentation import Augmentation
from tamis.pipeline.blocking.lexical import lexical_search
from tamis.pipeline.blocking.records import read_records
from tamis.pipeline.blocking.training import Split, pairs_from_labels, pairs_of_views, silver_pairs

WORDS = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "haven", "ivory", "jade", "koala", "lemon"]


def texts(n, seed=0, spoiled=False):
    rng = np.random.default_rng(seed)
    found = [" ".join(rng.choice(WORDS, 4)) + f" {i * 7919 + 1000}" for i in range(n)]
    return [text.replace("e", "", 1) + " new" if spoiled else text for text in found]


def records(some, prefix, order=None):
    order = range(len(some)) if order is None else order
    table = {"id": [f"{prefix}{i:03d}" for i in order], "name": [some[i] for i in order]}
    return read_records(pa.table(table), "id")


def labels(pairs):
    columns = [f"a{a:03d}" for a, *_ in pairs], [f"b{b:03d}" for _, b, *_ in pairs], [(*one, 1)[2] for one in pairs]
    names = {"left_id": pa.string(), "right_id": pa.string(), "label": pa.int64()}
    return pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, names.values(), strict=True)], names=[*names]
    )


N = 40
LEFT, RIGHT = records(texts(N), "a"), records(texts(N, spoiled=True), "b")
TRUE = [(i, i) for i in range(0, N, 2)]


def ids(data, places):
    return [data.ids[i] for i in places]


def held_ids(data):
    """Return the ids of all records that are held out, by their texts."""
    by_text = {data.text_of(i, 0, 0): data.ids[i] for i in range(len(data.ids))}
    held = data.held_out
    return {by_text[held.queries[a]] for a, _ in held.pairs} | {by_text[held.searched[b]] for _, b in held.pairs}


def test_what_is_held_out_is_not_trained_with():
    data = pairs_from_labels(LEFT, RIGHT, labels(TRUE), split=Split(share=0.25, seed=3))
    assert len(data.first) == 15
    assert len(data.held_out.pairs) == 5
    held = held_ids(data)
    assert len(held) == 10
    used = {*data.first.tolist(), *data.second.tolist(), *data.negatives[data.negatives >= 0].tolist()}
    assert not held & set(ids(data, used))
    assert [a[1:] for a in ids(data, data.first)] == [b[1:] for b in ids(data, data.second)]
    for a, b in data.held_out.pairs:  # the texts are those of matching records
        assert data.held_out.queries[a].split()[-1] in data.held_out.searched[b]


@settings(max_examples=40, derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=12), st.integers(0, 50), st.data())
def test_things_are_split_whole(pairs, seed, data):
    left, right = records(texts(10), "a"), records(texts(10, spoiled=True), "b")
    tested = data.draw(st.sets(st.sampled_from(sorted(pairs)), max_size=2))
    graph = networkx.Graph((f"a{a:03d}", f"b{b:03d}") for a, b in pairs)
    thing = {node: i for i, some in enumerate(networkx.connected_components(graph)) for node in some}
    free = {thing[f"a{a:03d}"] for a, _ in pairs} - {thing[f"a{a:03d}"] for a, _ in tested}
    known, test = labels(sorted(pairs - tested)), labels(sorted(tested))
    if len(free) < 3:
        with pytest.raises(InputError, match="three things or more"):
            pairs_from_labels(left, right, known, test=test, split=Split(seed=seed))
        return
    found = pairs_from_labels(left, right, known, test=test, split=Split(seed=seed), hard=1)
    used = {*ids(found, found.first), *ids(found, found.second), *ids(found, found.negatives[found.negatives >= 0])}
    trained = {thing[one] for one in used if one in thing}
    held = {thing[one] for one in held_ids(found)}
    out = {thing[f"a{a:03d}"] for a, _ in tested}
    assert trained >= {thing[one] for one in ids(found, found.first)}
    assert not trained & held
    assert not out & (trained | held)
    groups = {found.ids[i]: group for i, group in enumerate(found.groups.tolist())}
    assert all((groups[a] == groups[b]) == (thing[a] == thing[b]) for a in thing for b in thing)
    for first, some in zip(found.first, found.negatives, strict=True):
        assert all(found.groups[first] != found.groups[one] for one in some if one >= 0)


def test_the_order_of_records_and_labels_changes_nothing():
    rng = np.random.default_rng(1)
    for make in (
        lambda left, right, known: pairs_from_labels(left, right, known, augmentation=Augmentation()),
        lambda left, right, _: silver_pairs(left, right),
        lambda left, right, _: pairs_of_views(left, right),
    ):
        expected = make(LEFT, RIGHT, labels(TRUE))
        left = records(texts(N), "a", rng.permutation(N))
        right = records(texts(N, spoiled=True), "b", rng.permutation(N))
        found = make(left, right, labels([TRUE[i] for i in rng.permutation(len(TRUE))]))
        for name in ("first", "second", "negatives", "groups"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist()
        assert found.examples(2).texts == expected.examples(2).texts
        assert found.held_out.queries == expected.held_out.queries
        assert found.held_out.searched == expected.held_out.searched
        assert found.summary() == expected.summary()


def test_hard_negatives_by_labels():
    said = [*TRUE, *((a, a + 1, 0) for a, _ in TRUE[:-1])]
    data = pairs_from_labels(LEFT, RIGHT, labels(said), negatives="labels", hard=2)
    expected = {f"a{a:03d}": [f"b{a + 1:03d}"] for a, _ in TRUE[:-1]}
    for first, some in zip(data.first, data.negatives, strict=True):
        assert ids(data, some[some >= 0]) == expected.get(data.ids[first], [])
    assert data.summary()["hard_negatives"] == "labels"


def test_hard_negatives_by_search_are_the_nearest_that_are_no_match():
    left = records(["amber one", "birch two", "cedar three", "delta four"], "a")
    right = records(["amber one", "birch two", "cedar three", "delta four", "amber ones", "birch twos"], "b")
    known = labels([(0, 0), (1, 1), (2, 2), (3, 3)])
    data = pairs_from_labels(left, right, known, split=Split(seed=1), hard=1)
    near = dict(zip(ids(data, data.first), data.negatives[:, 0].tolist(), strict=True))
    assert [data.ids[near[one]] for one in sorted(near) if one in ("a000", "a001")] == [
        {"a000": "b004", "a001": "b005"}[one] for one in sorted(near) if one in ("a000", "a001")
    ]


def test_hard_negatives_by_another_search():
    rng = np.random.default_rng(4)
    left = records(texts(N), "a", rng.permutation(N))
    right = records(texts(N, spoiled=True), "b", rng.permutation(N))
    expected = pairs_from_labels(LEFT, RIGHT, labels(TRUE), hard=2)
    found = pairs_from_labels(left, right, labels(TRUE), hard=2, search=lexical_search(left, right, 4))
    assert found.negatives.tolist() == expected.negatives.tolist()
    few = pairs_from_labels(left, right, labels(TRUE), hard=2, search=lexical_search(left, right, 1))
    assert (few.negatives == -1).all()  # the nearest is the match


def test_silver_pairs_are_mutual_and_sure():
    data = silver_pairs(LEFT, RIGHT, quantile=0.5, split=Split(share=0.2))
    every = silver_pairs(LEFT, RIGHT, quantile=0.0)
    assert every.summary()["silver_pairs"] == N
    assert 0 < data.summary()["silver_pairs"] <= N // 2
    assert [a[1:] for a in ids(data, data.first)] == [b[1:] for b in ids(data, data.second)]
    assert (data.negatives != data.second[:, None]).all()


def test_silver_pairs_within_one_table():
    some = [*texts(20), *(f"{text} again" for text in texts(20))]
    data = silver_pairs(records(some, "a"), None, quantile=0.0, split=Split(share=0.2))
    assert data.summary()["silver_pairs"] == 20
    pairs = zip(ids(data, data.first), ids(data, data.second), strict=True)
    assert [int(b[1:]) - int(a[1:]) for a, b in pairs] == [20] * 16
    assert data.held_out.dirty
    assert data.held_out.queries == data.held_out.searched
    assert len(data.held_out.pairs) == 4


def test_views():
    data = pairs_of_views(LEFT, RIGHT, split=Split(share=0.1), hard=1)
    one, again, other = data.examples(0), data.examples(0), data.examples(1)
    assert one.texts == again.texts
    assert one.texts != other.texts
    n = len(data.records)
    assert (one.second - one.first == n).all()
    assert (one.groups[one.first] == one.groups[one.second]).all()
    assert len(one) == 72
    assert len(data.held_out.pairs) == 8
    changed = sum(one.texts[a] != one.texts[b] for a, b in zip(one.first, one.second, strict=True))
    assert changed > 40
    hard = one.negatives[one.negatives >= 0]
    assert len(hard)
    assert (hard >= n).all()
    assert all(one.texts[i] for i in (*one.first, *one.second, *hard))


def test_texts_without_marks():
    data = pairs_from_labels(LEFT, RIGHT, labels(TRUE), text="texts")
    assert data.examples(0).texts[data.first[0]] == LEFT.texts[int(data.first[0])].as_py()
    marked = pairs_from_labels(LEFT, RIGHT, labels(TRUE))
    assert marked.examples(0).texts[marked.first[0]] == LEFT.marked[int(marked.first[0])].as_py()


def test_golden():
    data = pairs_from_labels(LEFT, RIGHT, labels(TRUE), split=Split(share=0.2, seed=7, distractors=3), hard=1)
    assert sorted(held_ids(data)) == ["a006", "a008", "a030", "a034", "b006", "b008", "b030", "b034"]
    assert len(data.held_out.searched) == 4 + 3
    assert data.summary() == {
        "source": "labels",
        "labelled_matches": 20,
        "labelled_others": 0,
        "others_within_a_thing": 0,
        "matches_kept_for_tests": 0,
        "hard_negatives": "search",
        "records": [40, 40],
        "text": "marked",
        "split": {"share": 0.2, "distractors": 3, "seed": 7},
        "pairs": 16,
        "held_out_pairs": 4,
        "augmentation": None,
    }


ONE = records(["a"], "a")


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: pairs_from_labels(ONE, RIGHT, labels([(0, 0)])), "two records or more.*1 in the left one"),
        (lambda: silver_pairs(LEFT, records(["b"], "b")), "two records or more.*1 in the right one"),
        (lambda: pairs_of_views(ONE, None), "two records or more"),
        (lambda: pairs_of_views(records(["", "", ""], "a"), None), "three things or more"),
        (lambda: pairs_from_labels(LEFT, RIGHT, labels([(0, 0, 0), (1, 1, 0)])), "0 matches of 0 things"),
        (lambda: pairs_from_labels(LEFT, RIGHT, labels([(0, 0), (0, 1)])), "2 matches of 1 things"),
        (lambda: pairs_from_labels(LEFT, RIGHT, labels(TRUE), negatives="labels"), "no pair labelled 0"),
        (lambda: silver_pairs(LEFT, records(["xyz", "uvw"], "b")), "silver pairs of"),
    ],
)
def test_inputs_that_cannot_be_trained_from(make, match):
    with pytest.raises(InputError, match=match):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pairs_from_labels(LEFT, RIGHT, labels(TRUE), hard=-1),
        lambda: silver_pairs(LEFT, RIGHT, quantile=1.0),
        lambda: Split(share=0.0),
        lambda: Split(distractors=-1),
    ],
)
def test_settings_that_cannot_be(make):
    with pytest.raises(ConfigError):
        make()
