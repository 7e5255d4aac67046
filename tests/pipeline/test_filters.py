"""Filters: what a condition may be, and what it does."""

import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.hashing.errors import ConfigError, InputError
from tamis.pipeline.config import make_config
from tamis.pipeline.filters import columns_of, plan_filters
from tamis.pipeline.verify import verify

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("lang", pa.string()),
        ("n", pa.int64()),
        ("meta", pa.struct([("x", pa.list_(pa.int64()))])),
        ("Odd name", pa.string()),
    ]
)
ROWS = [
    {"text": "abc def", "lang": "en", "n": 3, "meta": {"x": [1, 2]}},
    {"text": "x", "lang": None, "n": 1, "meta": None},
    {"text": "yyyyyy", "lang": "de", "n": None, "meta": {"x": []}},
]


def records():
    return pa.RecordBatch.from_pylist(ROWS, schema=SCHEMA)


@pytest.mark.parametrize(
    ("where", "columns", "failed"),
    [
        ("lang = 'en'", ["lang"], [-1, 0, 0]),
        ("length(TEXT) > 3 -- a comment", ["text"], [-1, 0, -1]),
        ("meta.x[1] = 1", ["meta"], [-1, 0, 0]),
        ("list_contains(meta.x, 2)", ["meta"], [-1, 0, 0]),
        ("len(list_filter(meta.x, lambda y: y > 1)) > 0", ["meta"], [-1, 0, 0]),
        ('"odd name" IS NULL', ["Odd name"], [-1, -1, -1]),
        ("split_part(text, ' ', 2) = 'def'", ["text"], [-1, 0, 0]),
        ("n % 2 = 1 AND text !~ 'z'", ["text", "n"], [-1, -1, 0]),
        ("TRY_CAST(text AS INTEGER) IS NULL", ["text"], [-1, -1, -1]),
        ("CASE WHEN n > 2 THEN lang IN ('en', 'fr') ELSE n IS NULL END", ["lang", "n"], [-1, 0, -1]),
        ("true", [], [-1, -1, -1]),
    ],
)
def test_conditions(where, columns, failed):
    filters = plan_filters([where], SCHEMA)
    assert columns_of(where, SCHEMA.names) == tuple(columns)
    assert filters.first_failed(records()).tolist() == failed
    assert pickle.loads(pickle.dumps(filters)) == filters
    one_by_one = [filters.first_failed(records().slice(i, 1)).tolist() for i in range(3)]
    assert [number for (number,) in one_by_one] == failed


def test_the_first_condition_that_does_not_hold_is_named():
    filters = plan_filters(["n > 0", "lang = 'en'", "length(text) = 7"], SCHEMA)
    assert filters.first_failed(records()).tolist() == [-1, 1, 0]


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("random() < 1", "random is no steady function"),
        ("now() > '2020-01-01'", "now is no steady function"),
        ("lang IN (SELECT 1)", "a subquery"),
        ("sum(n) > 1", "sum is no steady function"),
        ("count(*) OVER () > 1", "a window function"),
        ("columns(*) IS NOT NULL", r"it has \*"),
        ("read_text('/etc/passwd') IS NOT NULL", "read_text is no steady function"),
        ("current_setting('threads') = '1'", "current_setting is no steady function"),
        ("lang = 'a') FROM records; DROP TABLE x; SELECT (1", "Only SELECT statements"),
        ("lang = 'a') FROM records; SELECT (1", "more than one expression"),
        ("lang = 'a'), (1", "more than one expression"),
        ("lang = 'a') FROM records WHERE (true", "syntax error|more than one expression"),
        ("lang = 'en' UNION SELECT true", "syntax error"),
        ("(lang = 'en'", "syntax error"),
        ("n", "it is of type BIGINT"),
        ("'a'", "it is of type VARCHAR"),
        ("no_such_function(n)", "no_such_function"),
        ("", "it is of type TUPLE"),
    ],
)
def test_what_is_no_condition_is_refused(where, why):
    with pytest.raises(ConfigError, match=why):
        plan_filters([where], SCHEMA)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("langg = 'en'", "Did you mean 'lang'"),
        ("lang = english", "text goes in single quotes"),
        ("current_date > '2020-01-01'", "current_date"),
        ("records.lang = 'en'", "'records'"),
    ],
)
def test_columns_that_are_not_there(where, message):
    with pytest.raises(InputError, match=message):
        plan_filters([where], SCHEMA)


def test_a_value_that_cannot_be_judged():
    with pytest.raises(InputError, match="'text::int = 1': Conversion Error.*TRY_CAST"):
        plan_filters(["text::int = 1"], SCHEMA).first_failed(records())


def test_a_run_with_filters(tmp_path):
    texts = ["keep this", "short", "keep this", None, "keep that", "short"]
    pq.write_table(pa.table({"text": texts, "lang": ["en", "en", "de", "en", "en", None]}), tmp_path / "in.parquet")
    result = tamis.dedup(
        tmp_path / "in.parquet",
        out=tmp_path / "out",
        where=["lang = 'en'", "length(text) > 5"],
        on_error="quarantine",
    )
    rows = result.removed.select(["address", "stage", "reason", "keeper_address", "similarity"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (1, "filter", "length(text) > 5", None, None),
        (2, "filter", "lang = 'en'", None, None),
        (5, "filter", "lang = 'en'", None, None),
    ]
    assert sorted(row["text"] for batch in result.kept() for row in batch.to_pylist()) == ["keep that", "keep this"]
    total = result.ledger.total
    assert (total.read.rows, total.kept.rows, total.dropped["filter"].rows) == (6, 2, 3)
    assert total.dropped["filter"].bytes == len("short" + "keep this" + "short")
    assert [check.faults for check in verify(result.out)] == [()] * 11


def test_invalid_text_is_not_judged(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"caf\xe9 au lait")
    (tmp_path / "in" / "b.txt").write_text("café au lait")
    config = {
        "inputs": [{"path": str(tmp_path / "in"), "format": "text"}],
        "stages": [{"filter": "text LIKE '%lait'"}],
        "on_error": "quarantine",
        "out": str(tmp_path / "out"),
    }
    total = tamis.run(make_config(config)).ledger.total
    assert (total.kept.rows, total.quarantined["invalid-utf8"].rows) == (1, 1)


def test_a_filter_alarms_nobody(tmp_path):
    pq.write_table(pa.table({"text": [f"text {i}" for i in range(500)], "n": range(500)}), tmp_path / "in.parquet")
    result = tamis.dedup(tmp_path / "in.parquet", out=tmp_path / "out", where="n < 3")
    assert result.ledger.total.kept.rows == 3
