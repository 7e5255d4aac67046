import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tamis.hashing.errors import InputError
from tamis.pipeline.blocking.labels import check_texts, meaning
from tamis.pipeline.blocking.labels import read_labels as labels_of
from tamis.pipeline.blocking.records import read_records


def records(texts, start=0):
    return read_records(pa.table({"id": [str(i + start) for i in range(len(texts))], "text": texts}), "id")


def read_labels(table, left, right):
    found = labels_of(table, left.ids, None if right is None else right.ids)
    check_texts(found, left, right)
    return found


LEFT, RIGHT = records(["a", "b", "c", ""]), records(["d", "e", None], 10)


def labels(rows, names=("left_id", "right_id", "label")):
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)})


def test_by_hand():
    found = read_labels(labels([("2", "10", 1), ("0", "11", 1), ("0", "10", 0), ("2", "10", 1)]), LEFT, RIGHT)
    assert found.matches.tolist() == [[0, 1], [2, 0]]
    assert found.others.tolist() == [[0, 0]]


def test_without_a_label_all_are_matches():
    found = read_labels(labels([("0", "10"), ("1", "11")], ("left_id", "right_id")), LEFT, RIGHT)
    assert found.matches.tolist() == [[0, 0], [1, 1]]
    assert found.others.tolist() == []


@pytest.mark.parametrize("values", [[True, False], [1.0, 0.0], [1, 0], [" Yes", "NO"], ["1.0", "0"]])
def test_kinds_of_labels(values):
    table = pa.table({"left_id": ["0", "1"], "right_id": ["10", "10"], "label": values})
    found = read_labels(table, LEFT, RIGHT)
    assert (found.matches.tolist(), found.others.tolist()) == ([[0, 0]], [[1, 0]])


def test_what_labels_mean():
    said = ["1", " TRUE", "yes", "1.0", "0", "False ", "no", "0.0", "", "2", "y", None]
    assert meaning(pa.array(said)).to_pylist() == [True] * 4 + [False] * 4 + [None] * 4
    assert meaning(pa.array([1.0, 0.0, 0.5, float("nan"), None])).to_pylist() == [True, False, None, None, None]
    assert meaning(pa.array([], pa.null())).to_pylist() == []


def test_an_empty_record_can_be_known_though_nothing_is_learned_from_it():
    known = labels([("3", "10", 1)])
    assert labels_of(known, LEFT.ids, RIGHT.ids).matches.tolist() == [[3, 0]]


def test_ids_of_other_types():
    table = pa.table({"left_id": [0], "right_id": [11]})
    assert read_labels(table, LEFT, RIGHT).matches.tolist() == [[0, 1]]


def test_within_one_table_no_id_is_the_left_one():
    found = read_labels(labels([("2", "0", 1), ("0", "2", 1), ("1", "0", 0)]), LEFT, None)
    assert found.matches.tolist() == [[0, 2]]
    assert found.others.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (
            [("0", "10", 1), ("1", "11", 1), ("0", "10", 0)],
            "one label.*1 pair of labels labelled both 0 and 1.*'0' with '10'",
        ),
        ([("0", "99", 1), ("1", "98", 1)], "right_id of all labels.*2 others, the first '99'"),
        ([("x", "10", 1)], "left_id of all labels.*1 others, the first 'x'"),
        ([(None, "10", 1)], "left_id of all labels.*1 others, the first None"),
        ([("0", "10", 2)], "labels are 0 or 1.*1 others, as '2'"),
        ([("0", "10", None)], "labels are 0 or 1.*1 others, as 'None'"),
        ([("0", "10", "maybe"), ("0", "11", "yes")], "labels are 0 or 1.*1 others, as 'maybe'"),
        ([("0", "10", [1])], "labels are 0 or 1.*type list"),
        ([("3", "10", 1)], "have a value.*1 empty left record, as '3'"),
        ([("0", "12", 0)], "have a value.*1 empty right record, as '12'"),
    ],
)
def test_labels_that_cannot_be_learned_from(rows, match):
    with pytest.raises(InputError, match=match):
        read_labels(labels(rows), LEFT, RIGHT)


def test_labels_within_one_table_that_cannot_be_learned_from():
    with pytest.raises(InputError, match="'1' with itself"):
        read_labels(labels([("1", "1", 1)]), LEFT, None)
    with pytest.raises(InputError, match="1 pair of labels labelled both 0 and 1, the first '0' with '1'"):
        read_labels(labels([("0", "1", 1), ("1", "0", 0)]), LEFT, None)


def test_columns_that_are_missing():
    with pytest.raises(InputError, match="left_id and right_id"):
        read_labels(labels([("0", "10", 1)], ("left", "right_id", "label")), LEFT, RIGHT)


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.dictionaries(st.tuples(st.integers(0, 2), st.integers(0, 1)), st.booleans()), st.randoms())
def test_the_order_of_labels_changes_nothing(said, random):
    rows = [(str(a), str(b + 10), label) for (a, b), label in said.items()]
    random.shuffle(rows)
    table = pa.table(
        {
            "left_id": pa.array([row[0] for row in rows], pa.string()),
            "right_id": pa.array([row[1] for row in rows], pa.string()),
            "label": pa.array([row[2] for row in rows], pa.bool_()),
        }
    )
    found = read_labels(table, LEFT, RIGHT)
    assert [tuple(pair) for pair in found.matches.tolist()] == sorted(pair for pair, yes in said.items() if yes)
    assert [tuple(pair) for pair in found.others.tolist()] == sorted(pair for pair, yes in said.items() if not yes)
