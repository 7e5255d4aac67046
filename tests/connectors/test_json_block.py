import json

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tamis.connectors.json_block import nesting, parse_block, parse_lines
from tamis.connectors.json_fault import fault

INTEGER = pa.struct([("a", pa.int64())])


def rows(block: bytes, record: pa.DataType | None = None) -> list[dict] | None:
    table = parse_block(block, block.count(b"\n") + (not block.endswith(b"\n")), record)
    return None if table is None else table.to_pylist()


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (b'{"a":1}', [{"a": 1}]),
        (b'{"a":1}\n', [{"a": 1}]),
        (b'{"a":1}\r\n{"a":2}\r\n', [{"a": 1}, {"a": 2}]),
        (b'{"a":1}\n{}', [{"a": 1}, {"a": None}]),
        (b'{}\n{"a":null}', [{"a": None}, {"a": None}]),
    ],
)
def test_blocks_of_records(block, expected):
    assert rows(block, INTEGER) == expected


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"\n",
        b'\n{"a":1}',
        b'{"a":1}\n\n',
        b'{"a":1}\n{"a":2',
        b"null",
        b'null\n{"a":1}',
        b'{"a":1} {"a":2}',
        b'{"a":1}\n{"a":1}\r{"a":2}',
        b'{"a":1} null {"a":2}',
        b'{"a":\n1}',
        b'{"a":{}\n}',
        b'{"a":1}\n[1]',
        b'{"a":1,"a":2}',
        b'{"a":9223372036854775808}',
        b'{"a":' + b"9" * 400 + b"}",
        b'{"\xff":1}',
        b'{"b":"\xff"}',
        b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"b":"\\ud800"}',
    ],
    ids=lambda block: repr(block[:20]),
)
def test_blocks_with_anything_else(block):
    assert rows(block) is None
    assert rows(block, INTEGER) is None


def test_a_block_that_does_not_fit_the_type():
    for block in (b'{"a":1}\n{"a":"1"}', b'{"a":1.5}', b'{"b":1}'):
        assert rows(block, INTEGER) is None


def test_rounding_is_seen_at_every_depth():
    wide = pa.struct([("a", pa.list_(pa.struct([("x", pa.list_(pa.float64())), ("y", pa.string())])))])
    good = [
        b'{"a":[{"x":[0.5]},null,{"x":[1,9007199254740994],"y":"s"}]}',
        b'{"a":null}',
        b'{"a":[{"x":[-1e300,NaN]}]}',
    ]
    assert rows(b"\n".join(good), wide)[0] == {
        "a": [{"x": [0.5], "y": None}, None, {"x": [1.0, 9007199254740994.0], "y": "s"}]
    }
    bad = b'{"a":[null,{"x":[0.5,9007199254740993]}]}'
    assert rows(b"\n".join([*good, bad]), wide) is None
    assert [numbers for numbers, _ in parse_lines([good[0], bad, *good[1:]], wide)] == [[0], [2, 3]]


@pytest.mark.parametrize(
    "values",
    [
        [[None, None], [None]],
        [[None, None, 1.5], None, [None, None, None, 2.5]],
        [[None, None, []], [[None, None], None]],
        [[None, {"x": [None, None]}], [{"x": None}]],
        [{"x": [[None, None, "s"]]}, {"x": [None, [None]]}],
        [[None, None, {}]],
        [[], None, [[], [None, None]]],
    ],
    ids=str,
)
def test_lists_of_nulls_keep_their_length(values):
    """pyarrow 26 makes them shorter, and reads beyond their end."""
    records = [{"a": value} for value in values]
    block = "\n".join(map(json.dumps, records)).encode()
    found = parse_block(block, len(records), None)
    for table in (found, parse_block(block, len(records), pa.struct(list(found.schema)))):
        table.validate(full=True)
        assert table.to_pylist() == records


def test_a_text_full_of_brackets_is_no_nesting():
    block = json.dumps({"a": "[{" * 50_000 + '\\"' + "[" * 10}).encode()
    assert rows(b"\n".join([block] * 3)) == [json.loads(block)] * 3


@pytest.mark.parametrize("bad", [b"", b"{", b'{"a":"x"}', b'{"a":1.5}', b'{"b":1}', b'{"a":1}{"a":1}', b'{"a":"\xff"}'])
@pytest.mark.parametrize("every", [1, 2, 3, 50, 199])
def test_lines_are_parsed_around_bad_ones(bad, every):
    lines = [bad if i % every == every - 1 else b'{"a":%d}' % i for i in range(200)]
    found = {
        n: row["a"]
        for numbers, table in parse_lines(lines, INTEGER)
        for n, row in zip(numbers, table.to_pylist(), strict=True)
    }
    assert list(found) == sorted(found)
    assert found == {i: i for i, line in enumerate(lines) if line != bad}


def test_few_tables_for_few_bad_lines():
    lines = [b'{"a":%d}' % i for i in range(1000)]
    lines[300] = b'{"a":"x"}'
    lines[600] = b""
    assert [len(numbers) for numbers, _ in parse_lines(lines, INTEGER)] == [300, 698]


def test_spaces_around_lines_do_not_matter():
    lines = [b' {"a":1}', b'\t{"a":2} \r', b'{"a":3}']
    ((numbers, table),) = parse_lines(lines, INTEGER)
    assert (numbers, table.to_pylist()) == ([0, 1, 2], [{"a": 1}, {"a": 2}, {"a": 3}])


ATOMS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b'"a"',
    b'"b":',
    b"1",
    b"-0",
    b"1.5",
    b"1e5",
    b"01",
    b"null",
    b"true",
]
ATOMS += [
    b" ",
    b"\t",
    b"\r",
    b"\\",
    b"\\u0061",
    b"\\ud800",
    b"\xc3\xa9",
    b"\xff",
    b"\0",
    b"NaN",
    b"Infinity",
    b"Inf",
    b"-",
]
ATOMS += [b"9223372036854775808", b"9007199254740993", b'{"a":', b'{"a":1}', b'"2020-01-01"', b".", b"/", b"x", b"\x7f"]
WHOLE = [
    b'{"a":1}',
    b'{"a":[1,"x"],"b":{"a":null}}',
    b'{"a":"\\n\\ud83e\\udd8a","b":[[],[1.5]]}',
    b'{"b":[{"a":1},{"b":2}]}',
]


@st.composite
def mangled_lines(draw):
    """Lines that are nearly JSON: a good one with some bytes replaced, dropped or put in."""
    line = draw(st.sampled_from(WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        line = line[:at] + draw(st.sampled_from([b"", *ATOMS])) + line[at + draw(st.integers(0, 2)) :]
    return line


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(ATOMS), max_size=6).map(b"".join) | mangled_lines())
@example(b'{"a":-NaN}')
@example(b'{"a":-0}')
@example(b'{"a":1}null')
@example(b'{"a":"\\u00e9"}')
def test_python_and_pyarrow_agree_on_what_json_is(line):
    alone = rows(line) is not None
    (swept,) = [[n for numbers, _ in parse_lines([line], None) for n in numbers]]
    if fault(line):
        assert not alone
        assert swept == []
    elif line.strip(b" \t\r") == line and not _excludes_itself(json.loads(line)):
        assert alone
        assert swept == [0]


def _excludes_itself(value) -> bool:
    """Whether a list holds values that no type holds together: pyarrow alone finds no type for them."""
    if isinstance(value, dict):
        return any(map(_excludes_itself, value.values()))
    if not isinstance(value, list):
        return False
    kinds = {float if type(v) is int else type(v) for v in value if v is not None}
    merged = [v for v in value if isinstance(v, dict)]
    names = {name for v in merged for name in v}
    inner = [[v[name] for v in merged if name in v] for name in names]
    nested = [[item for v in value if isinstance(v, list) for item in v]]
    return len(kinds) > 1 or any(map(_excludes_itself, inner)) or (list in kinds and _excludes_itself(nested[0]))


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        (pa.int64(), 0),
        (pa.struct([]), 1),
        (pa.struct([("a", pa.int64())]), 1),
        (pa.struct([("a", pa.struct([]))]), 2),
        (pa.list_(pa.list_(pa.struct([("a", pa.list_(pa.null())), ("b", pa.null())]))), 4),
    ],
)
def test_nesting(kind, level):
    assert nesting(kind) == level
