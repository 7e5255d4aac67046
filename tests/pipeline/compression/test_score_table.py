"""Scores from tables, wide and long."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.compression.score_table import read_scores


@pytest.fixture
def write(tmp_path):
    def written(name, content):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        else:
            pq.write_table(pa.table(content), path)
        return str(path)

    return written


def test_wide(write):
    columns = {"q": ["x", "y", "z"], "text": ["a", None, "c"], "m": [True, False, None], "n": [0.5, 1.0, 0.0]}
    found = read_scores(write("a.parquet", columns), item="q", text="text")
    assert found.models == ("m", "n")
    assert found.items.to_pylist() == ["x", "y", "z"]
    np.testing.assert_array_equal(found.scores, [[1, 0, np.nan], [0.5, 1, 0]])
    assert found.texts == ["a", None, "c"]


def test_wide_csv_without_ids_and_a_column_of_words_is_no_model(write):
    found = read_scores(write("a.csv", "note,m,n\nhard,1,true\neasy,0.25,false\nodd,,yes\n"))
    assert found.models == ("m", "n")
    assert found.items.to_pylist() == [0, 1, 2]
    np.testing.assert_array_equal(found.scores, [[1, 0.25, np.nan], [1, 0, 1]])
    assert found.texts is None


def test_long_in_any_order(write):
    rows = ['{"who":"n","q":2,"ok":true,"t":"two"}', '{"who":"m","q":10,"ok":false,"t":"ten"}']
    rows += ['{"who":"m","q":2,"ok":true,"t":null}', '{"who":"n","q":3,"ok":false,"t":"three"}']
    for number, order in enumerate(([0, 1, 2, 3], [3, 2, 1, 0])):
        path = write(f"{number}.jsonl", "\n".join(rows[i] for i in order) + "\n")
        found = read_scores(path, item="q", model="who", score="ok", text="t")
        assert found.models == ("m", "n")
        assert found.items.to_pylist() == [2, 3, 10]
        np.testing.assert_array_equal(found.scores, [[1, np.nan, 0], [1, 0, np.nan]])
        assert found.texts == ["two", "three", "ten"]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("q,m,n\n1,0,1\n", {"item": "id"}, "'id'; "),
        ("q,m,n\n1,0,1\n1,1,1\n", {"item": "q"}, "q '1' more than once"),
        ("q,m\n1,0\n", {"item": "q"}, "two models or more; found 1"),
        ("q,m,n\n1,0,good\n2,1,1\n", {"item": "q"}, "'n' has 'good'"),
        ("who,q,ok\nm,1,1\nm,1,0\nn,1,1\n", {"item": "q", "model": "who", "score": "ok"}, "has two for item '1'"),
        ("who,q,ok\nm,1,1\nm,2,0\n", {"item": "q", "model": "who", "score": "ok"}, "two models or more"),
        ("who,q,ok\nm,1,ja\nn,2,0\n", {"item": "q", "model": "who", "score": "ok"}, "'ja' in column 'ok'"),
        ("q,m,n\n", {}, "no row"),
    ],
)
def test_what_is_no_table_of_scores(write, content, options, said):
    with pytest.raises(InputError) as failed:
        read_scores(write("a.csv", content), **options)
    assert said in str(failed.value)


def test_a_row_without_an_id(write):
    with pytest.raises(InputError, match="row 1 has no 'q'"):
        read_scores(write("a.parquet", {"q": ["a", None], "m": [1, 0], "n": [0, 1]}), item="q")


def test_columns_of_a_long_table_are_named_together(write):
    with pytest.raises(ConfigError, match="models, items and scores"):
        read_scores(write("a.csv", "q,m\n1,1\n"), model="m", item="q")
