import doctest

import pyarrow as pa
import pytest

from tamis.connectors import json_fault as module
from tamis.connectors.json_fault import (
    BLANK_LINE,
    DUPLICATE_KEY,
    INEXACT_NUMBER,
    INVALID_JSON,
    INVALID_UTF8,
    LONE_SURROGATE,
    MAX_DEPTH,
    NOT_AN_OBJECT,
    TOO_DEEP,
    WRONG_TYPE,
    depth,
    fault,
    kind_of,
)


def test_examples():
    assert doctest.testmod(module).failed == 0


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"{}", ""),
        (b' {"a": 1}\t\r', ""),
        (b'{"a": NaN, "b": -Infinity}', ""),
        (b"", BLANK_LINE),
        (b" \t\r", BLANK_LINE),
        (b'{"a": "\xff"}', INVALID_UTF8),
        (b'{"\xc3": 1}', INVALID_UTF8),
        (b'{"a": "\xed\xa0\x80"}', INVALID_UTF8),
        (b'{"a": 1', INVALID_JSON),
        (b'{"a": 1}}', INVALID_JSON),
        (b'{"a": 1} {"a": 2}', INVALID_JSON),
        (b'{"a": 1,}', INVALID_JSON),
        (b"{'a': 1}", INVALID_JSON),
        (b'{"a": 01}', INVALID_JSON),
        (b'{"a": Inf}', INVALID_JSON),
        (b'{"a": "tab\there"}', INVALID_JSON),
        (b'{"a": "nul\0"}', INVALID_JSON),
        (b'{"a": 1}\x0c', INVALID_JSON),
        (b'\xef\xbb\xbf{"a": 1}', INVALID_JSON),
        (b"\xc2\xa0", INVALID_JSON),
        (b"[1]", NOT_AN_OBJECT),
        (b"1", NOT_AN_OBJECT),
        (b"null", NOT_AN_OBJECT),
        (b'"x"', NOT_AN_OBJECT),
        (b'{"a": "\\ud800"}', LONE_SURROGATE),
        (b'{"a": [{"b": "\\udc00\\ud800"}]}', LONE_SURROGATE),
        (b'{"\\udfff": 1}', LONE_SURROGATE),
        (b'{"a": "\\ud83e\\udd8a"}', ""),
        (b'{"a": 1, "a": 1}', DUPLICATE_KEY),
        (b'{"a": null, "\\u0061": null}', DUPLICATE_KEY),
        (b'{"a": [{"b": 1, "b": 2}]}', DUPLICATE_KEY),
        (b'{"a": [{"b": 1}, {"b": 2}]}', ""),
        (b'{"a": 9223372036854775807, "b": -9223372036854775808}', ""),
        (b'{"a": 9223372036854775808}', INEXACT_NUMBER),
        (b'{"a": -9223372036854775809}', INEXACT_NUMBER),
        (b'{"a": ' + b"9" * 5000 + b"}", INEXACT_NUMBER),
        (b'{"a": 1e308}', ""),
        (b'{"a": 1e309}', INEXACT_NUMBER),
        (nested(MAX_DEPTH), ""),
        (nested(MAX_DEPTH + 1), TOO_DEEP),
        (nested(100_000), TOO_DEEP),
        (b'{"a": "' + b"[{" * 1000 + b'"}', ""),
    ],
)
def test_rules(line, rule):
    assert fault(line) == rule


RECORD = pa.struct(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("b", pa.bool_()),
        ("s", pa.string()),
        ("S", pa.large_string()),
        ("n", pa.null()),
        ("l", pa.list_(pa.float64())),
        ("t", pa.struct([("x", pa.list_(pa.struct([("y", pa.int64())])))])),
    ]
)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"{}", ""),
        (b'{"i": null, "f": null, "b": null, "s": null, "n": null, "l": null, "t": null}', ""),
        (b'{"i": 1, "f": 1.5, "b": true, "s": "1", "S": "", "l": [1, null, 2.5], "t": {"x": [{"y": 1}, {}]}}', ""),
        (b'{"i": 1.0}', WRONG_TYPE),
        (b'{"i": "1"}', WRONG_TYPE),
        (b'{"i": true}', WRONG_TYPE),
        (b'{"i": [1]}', WRONG_TYPE),
        (b'{"f": 9007199254740992, "i": 9007199254740993}', ""),
        (b'{"f": 9007199254740994}', ""),
        (b'{"f": 9007199254740993}', INEXACT_NUMBER),
        (b'{"l": [1, -9007199254740993]}', INEXACT_NUMBER),
        (b'{"f": NaN}', ""),
        (b'{"f": "NaN"}', WRONG_TYPE),
        (b'{"b": 1}', WRONG_TYPE),
        (b'{"s": 1}', WRONG_TYPE),
        (b'{"S": {}}', WRONG_TYPE),
        (b'{"n": 1}', WRONG_TYPE),
        (b'{"l": 1}', WRONG_TYPE),
        (b'{"l": {}}', WRONG_TYPE),
        (b'{"t": {"x": [{"y": "1"}]}}', WRONG_TYPE),
        (b'{"t": {"z": null}}', WRONG_TYPE),
        (b'{"z": null}', WRONG_TYPE),
    ],
)
def test_fitting_a_type(line, rule):
    assert fault(line, RECORD) == rule


@pytest.mark.parametrize(
    ("line", "level"),
    [
        (b"", 0),
        (b"1", 0),
        (b"{}", 1),
        (b'{"a": []}', 2),
        (b'{"a": [], "b": {}}', 2),
        (b'{"a": "\\"[[[["}', 1),
        (b'{"a": "\\\\", "b": [[]]}', 3),
        (b'{"a": "[[[[', 5),
        (nested(70), 70),
    ],
)
def test_depth_counts_brackets_outside_strings(line, level):
    assert depth(line) == level


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"{}", pa.struct([])),
        (b'{"b": 1, "a": null}', pa.struct([("b", pa.int64()), ("a", pa.null())])),
        (b'{"a": "2020-01-01", "b": 1.0}', pa.struct([("a", pa.string()), ("b", pa.float64())])),
        (b'{"a": []}', pa.struct([("a", pa.list_(pa.null()))])),
        (b'{"a": [1, null, 2.5]}', pa.struct([("a", pa.list_(pa.float64()))])),
        (
            b'{"a": [{"x": 1}, {"y": true}]}',
            pa.struct([("a", pa.list_(pa.struct([("x", pa.int64()), ("y", pa.bool_())])))]),
        ),
        (b'{"a": 1, "a": 2}', None),
        (b'{"a": 9223372036854775808}', None),
        (b"[]", None),
        (b"", None),
    ],
)
def test_the_type_of_a_line(line, kind):
    assert kind_of(line, {}) == kind


def test_the_type_of_a_line_that_excludes_itself_is_a_union():
    kind = kind_of(b'{"a": ["x", 1]}', {}).field("a").type.value_type
    assert [field.type for field in kind] == [pa.string(), pa.int64()]


def test_types_are_made_once_for_lines_of_equal_shape():
    known = {}
    assert kind_of(b'{"a": 1}', known) is kind_of(b'{"a": 2}', known)
    assert kind_of(b'{"a": "1"}', known) == pa.struct([("a", pa.string())])
    assert [str(kind) for kind in known.values()] == ["struct<a: int64>", "struct<a: string>"]
