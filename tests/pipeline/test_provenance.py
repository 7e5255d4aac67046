import pytest
from described import MANIFEST, amount

from tamis.pipeline.arrow_types import ArrowType, arrow_type
from tamis.pipeline.provenance import losses, portable, source_amounts, stages


def test_stages_name_files_elsewhere_by_their_last_names():
    assert stages(MANIFEST) == [
        ("exact", {}),
        ("decontaminate", {"benchmarks": [{"path": "gsm8k.jsonl", "name": None}], "ngram": 13}),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/a/b/", "b"),
        ("s3://bucket/key.parquet", "key.parquet"),
        ("C:\\data\\x.csv", "x.csv"),
        ("in/a.jsonl", "in/a.jsonl"),
        ("a / b > 1", "a / b > 1"),
        ((1, None, ["/x/y"]), [1, None, ["y"]]),
    ],
)
def test_portable(value, expected):
    assert portable(value) == expected


def test_losses():
    assert losses(MANIFEST) == [
        ("removed", "exact", amount(2, 40, 8)),
        ("removed", "decontaminate", amount(0)),
        ("quarantined", "not-utf8", amount(1, 20, 4)),
        ("references", "compared with, not written", amount(1, 20, 4)),
        ("unsampled", "not taken", amount(1, 20, 4)),
    ]


def test_source_amounts_are_those_of_all_files():
    assert source_amounts(MANIFEST) == {
        "web": amount(2, 40, 8) | {"gpt2": 11},
        "wi|ki": amount(3, 60, 12) | {"gpt2": 15},
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("int64", ArrowType("int64")),
        ("decimal128(9, 2)", ArrowType("decimal128(9, 2)")),
        ("timestamp[us, tz=UTC]", ArrowType("timestamp[us, tz=UTC]")),
        ("list<element: string not null>", ArrowType("string", 1)),
        ("large_list<item: fixed_size_list<item: float>[3]>", ArrowType("float", 2)),
        ("dictionary<values=string, indices=int32, ordered=0>", ArrowType("string")),
        ("map<string, int32>", ArrowType("map<string, int32>")),
        ("struct<>", ArrowType("struct")),
        (
            "list<element: struct<a: int8, b: list<item: struct<c: decimal128(9, 2), d: bool>>>>",
            ArrowType(
                "struct",
                1,
                (
                    ("a", ArrowType("int8")),
                    ("b", ArrowType("struct", 1, (("c", ArrowType("decimal128(9, 2)")), ("d", ArrowType("bool"))))),
                ),
            ),
        ),
    ],
)
def test_arrow_types_by_name(name, expected):
    assert arrow_type(name) == expected
