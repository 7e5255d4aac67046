"""Records and fields of delimited text against Python's ``csv``, on byte soup."""

import csv
from random import Random

import numpy as np
import pytest

from tamis.hashing.delimited import (
    BLANK,
    GOOD,
    NOT_UTF8,
    PADDING,
    RAGGED,
    TEXT_AFTER_QUOTE,
    UNTERMINATED,
    cut_records,
    field_counts,
    first_record,
    gather_texts,
)

SOUPS = [
    [b'"', b",", b"\n", b"\r", b"a", b" ", "é".encode()],
    [b'"', b'"', b'""', b",", b"\r\n", b"a", b"bc"],
    [b'"', b",", b"\n", b"\r", b"\xff", b"\xc3", b"\xa9", "🦊".encode(), b"\xed\xa0\x80", b"\0"],
    [b'"x",', b'"a ""b"" c",', b"1,", b"\n", b"\r\n", b'"\r\n,",', b"long " * 9],
    [b",", b";", b"\n", b"a", b'"', b"|"],
]


def padded(data, after=b"\0"):
    return np.frombuffer(data + after * PADDING, np.uint8)


def records_of(data, delimiter=","):
    """Return (rule, fields as bytes) of each record, by Python."""
    taken = []

    def lines():
        for line in data.splitlines(keepends=True):
            taken.append(line)
            yield line.decode("utf-8", "surrogateescape")
        taken.append(None)

    parser = csv.reader(lines(), delimiter=delimiter, strict=True)
    found = []
    while True:
        taken.clear()
        try:
            fields = next(parser)
        except StopIteration:
            return found
        except csv.Error:
            found.append((UNTERMINATED if taken[-1] is None else TEXT_AFTER_QUOTE, []))
            continue
        texts = [field.encode("utf-8", "surrogateescape") for field in fields]
        try:
            b"".join(line for line in taken if line).decode("utf-8")
        except UnicodeDecodeError:
            found.append((NOT_UTF8, texts))
        else:
            found.append((GOOD if fields else BLANK, texts))


def texts_of(data, cut, columns):
    """Return the texts of each column, as bytes."""
    offsets, texts, starts = gather_texts(data, cut.edges, columns)
    rows = len(cut.edges) // (2 * columns)
    return [
        [texts[starts[c] + a : starts[c] + b].tobytes() for a, b in zip(own[:rows], own[1 : rows + 1], strict=True)]
        for c, own in enumerate(offsets.tolist())
    ]


def soup(rng):
    return b"".join(rng.choices(rng.choice(SOUPS), k=rng.choice([3, 8, 20, 60, 200])))


@pytest.mark.parametrize("seed", range(6))
def test_records_and_fields_are_those_of_python(seed):
    rng = Random(seed)
    rules_met = set()
    for _ in range(500):
        data, delimiter = soup(rng), rng.choice(",,;")
        wanted = [rng.random() < 0.7 for _ in range(rng.choice([1, 2, 3]))]
        width = len(wanted)
        expected = [
            (RAGGED if rule == GOOD and len(fields) != width else rule, fields)
            for rule, fields in records_of(data, delimiter)
        ]
        held = padded(data, rng.choice([b"\0", b'"', b",", b"\n", b"\xff"]))
        cut = cut_records(held, 0, len(data), True, ord(delimiter), np.array(wanted, np.uint8))
        assert cut.rules.tolist() == [rule for rule, _ in expected], data
        assert cut.widths.tolist() == [len(fields) for _, fields in expected], data
        assert cut.stop == len(data)
        good = [fields for rule, fields in expected if rule == GOOD]
        if any(wanted):
            columns = [[fields[c] for fields in good] for c in range(width) if wanted[c]]
            assert texts_of(held, cut, sum(wanted)) == columns, data
        else:
            assert cut.edges.tolist() == []
        rules_met.update(cut.rules.tolist())
    assert rules_met == {GOOD, RAGGED, TEXT_AFTER_QUOTE, UNTERMINATED, NOT_UTF8, BLANK}


@pytest.mark.parametrize("seed", range(3))
def test_what_does_not_end_within_a_stretch_is_left_for_the_next(seed):
    rng = Random(100 + seed)
    for _ in range(500):
        data = soup(rng)
        whole = cut_records(padded(data), 0, len(data), True, 44, np.ones(2, np.uint8))
        rules, widths, texts, at, end = [], [], [[], []], 0, 0
        longest = 0
        while at < len(data):
            end = min(len(data), end + rng.choice([1, 2, 3, 10, 70]))
            final = end == len(data)
            held = padded(data[:end], b'"')
            part = cut_records(held, at, end, final, 44, np.ones(2, np.uint8))
            assert at <= part.stop <= end
            assert not final or part.stop == end
            rules += part.rules.tolist()
            widths += part.widths.tolist()
            longest = max(longest, part.longest)
            for column, more in zip(texts, texts_of(held, part, 2), strict=True):
                column += more
            at = part.stop
        assert (rules, widths, longest) == (whole.rules.tolist(), whole.widths.tolist(), whole.longest), data
        assert texts == texts_of(padded(data), whole, 2)


@pytest.mark.parametrize("seed", range(3))
def test_counts_of_fields_stop_where_the_header_settles_it(seed):
    rng = Random(200 + seed)
    for _ in range(500):
        data, delimiter = soup(rng), rng.choice(",;|")
        counts = [len(fields) for rule, fields in records_of(data, delimiter) if rule != BLANK]
        expected = counts if counts and counts[0] > 1 else counts[:1]
        assert field_counts(padded(data), 0, len(data), ord(delimiter)).tolist() == expected, data


@pytest.mark.parametrize("seed", range(3))
def test_the_first_record_is_the_header(seed):
    rng = Random(300 + seed)
    for _ in range(500):
        data = soup(rng)
        records = records_of(data)
        blank = next((i for i, (rule, _) in enumerate(records) if rule != BLANK), len(records))
        stop, before, rule = first_record(padded(data), 0, len(data), True, 44)
        assert before == blank
        if blank == len(records):
            assert (stop, rule) == (-1, BLANK)
        else:
            assert rule == records[blank][0]
            assert records_of(data[stop:]) == records[blank + 1 :]


@pytest.mark.parametrize(
    ("data", "rules", "texts"),
    [
        (b"", [], [[], []]),
        (b"1,2", [GOOD], [[b"1"], [b"2"]]),
        (b'"a ""b"" c",""\n', [GOOD], [[b'a "b" c'], [b""]]),
        (b'a"b,""\n', [GOOD], [[b'a"b'], [b""]]),
        (b'"1"x,2\n1,2\n', [TEXT_AFTER_QUOTE, GOOD], [[b"1"], [b"2"]]),
        (b'"1\n\n"x,2\n1,2\n', [TEXT_AFTER_QUOTE, GOOD], [[b"1"], [b"2"]]),
        (b'1,2\n1,"2\n1,2\n\n1,2\n', [GOOD, UNTERMINATED], [[b"1"], [b"2"]]),
        (b"\n1\n1,2,3\r\n\r1,2\r", [BLANK, RAGGED, RAGGED, BLANK, GOOD], [[b"1"], [b"2"]]),
        (b"\xff,2\n\xff\n1,2", [NOT_UTF8, NOT_UTF8, GOOD], [[b"1"], [b"2"]]),
    ],
)
def test_rules(data, rules, texts):
    held = padded(data)
    cut = cut_records(held, 0, len(data), True, 44, np.ones(2, np.uint8))
    assert cut.rules.tolist() == rules
    assert texts_of(held, cut, 2) == texts


@pytest.mark.parametrize("size", [1, 7, 8, 9, 63, 64, 65, 1000])
def test_long_fields_keep_every_byte(size):
    rng = Random(size)
    rows = [[bytes(rng.choices(b'ab",\r\n', k=size)) for _ in range(3)] for _ in range(4)]
    lines = [b",".join(b'"' + field.replace(b'"', b'""') + b'"' for field in row) for row in rows]
    data = b"\r\n".join(lines)
    held = padded(data)
    cut = cut_records(held, 0, len(data), True, 44, np.ones(3, np.uint8))
    assert texts_of(held, cut, 3) == [list(column) for column in zip(*rows, strict=True)]
    assert cut.longest == max(map(len, lines[:-1])) + 2
