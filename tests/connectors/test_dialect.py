import csv
import gzip
import io
from random import Random

import pytest

from tamis.connectors import dialect
from tamis.connectors.dialect import Dialect, dialects, parser, sniff, utf8_chunks
from tamis.connectors.split import Split
from tamis.hashing.errors import InputError
from tamis.hashing.redaction import redacted

TEXT = "Il dit : « 1,5 ; 2,5 »"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("", ","),
        ("\n\n", ","),
        ("a\n1\n", ","),
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a|b", "|"),
        ("\r\n\r\na;b\r\n1;2", ";"),
        ("a;b\r1;2\r", ";"),
        # most records like the header
        ("id;text\n1;a, b\n2;c\n", ";"),
        ("id;t,x\n1;a, b\n2;c\n", ";"),
        ("id,text\n1,a\n2,b\n3,c,c\n4,d;d\n", ","),
        ("id;text\n1;a\n2;b;b\n3;c\n", ";"),
        # more fields, then the order
        ("a,b;c;d\n1,2;3;4\n", ";"),
        ("a,b;c\n1,2;3\n", ","),
        ("a|b\tc\n1|2\t3\n", "\t"),
        # delimiters and line ends in quotes
        ('"a,b,c";d\n"1,2,3";4\n', ";"),
        ('a;b\n"1\n,\n,";2\n"x""\n;,";3\n', ";"),
        (f"text;n\n{TEXT};1\n".replace(TEXT, f'"{TEXT}"') * 3, ";"),
        # a stray quote
        ('a;b\n1;"x" y\n2;z\n', ";"),
        ('a;b\n1;2\n3;"z', ";"),
    ],
)
def test_the_delimiter_is_found(tmp_path, text, delimiter):
    for encoding, mark in [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16-le", "\ufeff"), ("utf-16-be", "\ufeff")]:
        path = tmp_path / "a.csv"
        path.write_bytes((mark + text).encode(encoding))
        assert sniff(str(path), "") == Dialect(delimiter, encoding)


def by_python(text, is_whole):
    """Return the delimiter that records of Python's csv speak for."""
    best, chosen = (0.0, 0), ","
    for delimiter in dialect.DELIMITERS:
        widths = []
        records = parser(io.StringIO(text, newline=""), delimiter)
        while not widths or widths[0] > 1:
            try:
                widths += [len(fields) for fields in [next(records)] if fields]
            except StopIteration:
                break
            except csv.Error:
                widths.append(0)
        widths = widths if is_whole else widths[:-1]
        if widths and widths[0] > 1:
            score = (widths.count(widths[0]) / len(widths), widths[0])
            if score > best:
                best, chosen = score, delimiter
    return chosen


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [40, 1 << 20])
def test_the_delimiter_is_the_one_that_python_finds(tmp_path, monkeypatch, seed, size):
    monkeypatch.setattr(dialect, "SAMPLE_BYTES", size)
    rng = Random(seed)
    found = set()
    for number in range(300):
        likely = rng.choice(",;\t|")
        pieces = [likely, likely, rng.choice(",;\t|"), "a", "é", '"b;,c"', '"', '""', " ", "\n", "\r\n", "\r", "x,y\n"]
        text = "".join(rng.choices(pieces, k=rng.choice([5, 30, 200])))
        path = tmp_path / f"{number}.csv"
        path.write_bytes(text.encode())
        sample = text.encode()[:size].decode("utf-8", "replace")
        expected = by_python(sample, len(text.encode()) <= size)
        assert sniff(str(path), "") == Dialect(expected, "utf-8"), text
        found.add(expected)
    assert found == set(",;\t|")


@pytest.mark.parametrize("name", ["a.tsv", "a.TAB", "a.tsv.gz", "a.csv.tab"])
def test_some_endings_name_the_delimiter(tmp_path, name):
    path = tmp_path / name
    data = b"a,b\n1,2\n"
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert sniff(str(path), "gzip" if name.endswith("gz") else "") == Dialect("\t", "utf-8")


def test_other_endings_do_not(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a;b\n1;2\n")
    assert sniff(str(path), "") == Dialect(";", "utf-8")


@pytest.mark.parametrize("encoding", ["utf-32-le", "utf-32-be"])
def test_utf_32_is_not_taken_for_utf_16(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("\ufeffa;b\n".encode(encoding))
    assert sniff(str(path), "") == Dialect(";", encoding)


def test_only_the_first_records_count(tmp_path, monkeypatch):
    monkeypatch.setattr(dialect, "SAMPLE_BYTES", 20)
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b;c\n1,2;3\n1,2;3\n1" + b"|2;3,4\n" * 100)
    assert sniff(str(path), "") == Dialect(",", "utf-8")


@pytest.mark.parametrize("size", range(5, 40))
def test_a_record_cut_off_by_the_end_of_the_sample_does_not_count(tmp_path, monkeypatch, size):
    monkeypatch.setattr(dialect, "SAMPLE_BYTES", size)
    path = tmp_path / "a.csv"
    path.write_bytes('a;b\n1,é;"2,,\n"\n1,🦊;2\n'.encode() * 10)
    assert sniff(str(path), "") == Dialect(";", "utf-8")


def test_other_encodings_than_utf_8_do_not_matter_here(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("é;ü\né;ü\n".encode("latin-1"))
    assert sniff(str(path), "") == Dialect(";", "utf-8")


def test_options_say_all():
    found = Dialect("|", "utf-16-le")
    assert found.options == (("delimiter", "|"), ("encoding", "utf-16-le"))
    assert Dialect(**dict(found.options)) == found


@pytest.mark.parametrize(("name", "compression"), [("a.csv.gz", "gzip"), ("a.csv.zst", "zstd"), ("a.csv.xz", "xz")])
def test_a_file_that_was_never_compressed_is_named(tmp_path, name, compression):
    path = tmp_path / name
    path.write_bytes(b"neither one nor the other")
    with pytest.raises(InputError, match=f"an input can be read to its end; found {path}"):
        sniff(str(path), compression)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_chunks_are_utf_8(tmp_path, encoding, size):
    text = "\ufeffné 🦊\r\n\0" * 5
    (tmp_path / "a").write_bytes(text.encode(encoding))
    assert b"".join(utf8_chunks(str(tmp_path / "a"), "", encoding, size)) == text.encode()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_lone_surrogates_become_invalid_utf_8(tmp_path, size):
    (tmp_path / "a").write_bytes(b"\x8a\xdda\0\x3e\xd8b\0\x3e\xd8\x8a\xdd\x3e\xd8")
    found = b"".join(utf8_chunks(str(tmp_path / "a"), "", "utf-16-le", size))
    assert found == b"\xed\xb6\x8aa\xed\xa0\xbeb" + "🦊".encode() + b"\xed\xa0\xbe"


def test_half_a_character_at_the_end_is_damage(tmp_path):
    (tmp_path / "a").write_bytes("né".encode("utf-16-le") + b"\n")
    with pytest.raises(InputError, match="an input can be read to its end"):
        list(utf8_chunks(str(tmp_path / "a"), "", "utf-16-le", 4))


def test_the_parser_takes_no_line_before_it_needs_it_and_goes_on_after_errors():
    lines = iter(["a,b\n", '"x\n', '"y,1\n', "c,d\n", '"e\n', "f\n"])
    records = parser(lines, ",")
    assert next(records) == ["a", "b"]
    with pytest.raises(csv.Error):
        next(records)
    assert next(records) == ["c", "d"]
    assert list(lines) == ['"e\n', "f\n"]


def test_fields_may_be_long():
    assert list(parser(["x" * 1_000_000 + ",b\n"], ",")) == [["x" * 1_000_000, "b"]]


def test_dialects_are_reported_with_an_example():
    semicolons, tabs = Dialect(";", "utf-8"), Dialect("\t", "utf-16-le")
    splits = [
        Split(2, "s3://b/c.csv?key=x", "csv", options=semicolons.options),
        Split(3, "d.jsonl", "jsonl"),
        Split(1, "b.csv", "csv", options=tabs.options),
        Split(4, "e.csv", "csv", options=semicolons.options),
        Split(4, "e.csv", "csv", first_record=9, options=semicolons.options),
    ]
    assert dialects(splits) == [
        {"delimiter": "\t", "encoding": "utf-16-le", "files": 1, "first": "b.csv"},
        {"delimiter": ";", "encoding": "utf-8", "files": 2, "first": redacted("s3://b/c.csv?key=x")},
    ]
