import bz2
import contextlib
import gzip
import io
import lzma
import subprocess
import sys
import zlib
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_contract import WHOLE, ReaderContract, batches, body, find_columns, read, splits_of

from tamis.connectors import warc, warc_payload, warc_records
from tamis.connectors.address import record_of
from tamis.connectors.corpus import InputFile, InputSpec, open_corpus
from tamis.connectors.warc import SCHEMA
from tamis.connectors.warc_payload import INVALID_HTTP, NOT_TEXT, SEGMENTED, UNDECODABLE, UNKNOWN_TYPE
from tamis.hashing.errors import InputError

URL, DATE = "https://example.org/a?b=é", "2024-02-29T23:59:58Z"


def block(kind: str, content: bytes, *, line_end: bytes = b"\r\n", **headers: str) -> bytes:
    """Return a WARC record; names of headers are given with underscores for dashes."""
    fields = {"WARC-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    fields["Content-Length"] = str(len(content))
    lines = [b"WARC/1.0", *(f"{name}: {value}".encode() for name, value in fields.items()), b"", b""]
    return line_end.join(lines) + content + b"\r\n\r\n"


def http(content: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode() + content


def response(content: bytes, *headers: str, **fields: str) -> bytes:
    return block("response", http(content, *headers), Content_Type="application/http; msgtype=response", **fields)


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def brotli(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="brotli", asbytes=True))


gzipped = partial(gzip.compress, mtime=0)  # the same bytes, and so the same names of tests, in every process

PACKERS = {"": bytes, ".gz": gzip.compress, ".zst": zstd, ".bz2": bz2.compress, ".xz": lzma.compress}
INFO = block("warcinfo", b"software: x\r\n", Content_Type="application/warc-fields")
TEXTS = [
    "plain",
    "",
    "né\r\n\tà Paris\n",
    "日本語 🦊",
    "nul \0 inside",
    "WARC/1.0\r\n",
    "\ufeffmark",
    "x" * 1000,
    "8",
    "9",
    "10",
]


def put(folder: Path, data: bytes, ending: str = "", name: str = "a.warc") -> InputFile:
    path = folder / f"{name}{ending}"
    path.write_bytes(data)
    (file,) = open_corpus([InputSpec(str(path))]).files
    return file


def found(file: InputFile, batch_bytes: int = WHOLE) -> list[Any]:
    """Return, for each document, its text or (rule, raw bytes)."""
    table = read(file, batch_bytes=batch_bytes)
    assert [record_of(a) for a in table["__address"].to_pylist()] == list(range(table.num_rows))
    columns = zip(*(table[name].to_pylist() for name in ("__rule", "__raw", "text")), strict=True)
    return [text if rule is None else (rule, raw) for rule, raw, text in columns]


class TestWet(ReaderContract):
    counted = False
    columns = SCHEMA
    subset = ["url", "text"]
    ending, name = "", "a.wet"
    records = [
        {
            "text": text,
            "url": f"https://example.org/{i}é" if i != 3 else None,
            "id": f"urn:uuid:{i:08}" if i != 4 else None,
            "date": DATE if i != 5 else None,
            "type": "conversion",
            "content_type": "text/plain" if i != 6 else None,
            "language": ["fra,eng", None][i % 2],
        }
        for i, text in enumerate(TEXTS)
    ]

    def pack(self, parts: list[bytes]) -> bytes:
        return b"".join(parts)

    def record(self, record: dict[str, Any]) -> bytes:
        fields = {
            "WARC_Target_URI": record["url"],
            "WARC_Record_ID": record["id"] and f"<{record['id']}>",
            "WARC_Date": record["date"],
            "WARC_Identified_Content_Language": record["language"],
            "Content_Type": record["content_type"],
        }
        return block(record["type"], record["text"].encode(), **{k: v for k, v in fields.items() if v is not None})

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        path = folder / f"{self.name}{self.ending}"
        path.write_bytes(self.pack([INFO, *map(self.record, records)]))
        return InputSpec(str(path))


class TestWetWithOneMemberARecord(TestWet):
    ending = ".gz"

    def pack(self, parts: list[bytes]) -> bytes:
        return b"".join(map(gzip.compress, parts))


class TestWetInOneMember(TestWet):
    ending = ".gz"

    def pack(self, parts: list[bytes]) -> bytes:
        return gzip.compress(b"".join(parts))


class TestWarcOfResponses(TestWet):
    name = "a.warc"
    records = [record | {"type": "response"} for record in TestWet.records]

    def record(self, record: dict[str, Any]) -> bytes:
        headers = [f"Content-Type: {record['content_type']}"] if record["content_type"] else []
        content = http(record["text"].encode(), "Server: x", *headers)
        whole = super().record(record | {"text": "", "content_type": "application/http; msgtype=response"})
        return whole.replace(b"Content-Length: 0\r\n\r\n", b"Content-Length: %d\r\n\r\n" % len(content) + content)


class TestWarcOfResponsesWithOneFrameARecord(TestWarcOfResponses):
    ending = ".zst"

    def pack(self, parts: list[bytes]) -> bytes:
        return b"".join(map(zstd, parts))


def test_only_conversions_responses_and_resources_are_numbered(tmp_path):
    kinds = ["warcinfo", "request", "conversion", "metadata", "revisit", "resource", "continuation", "Response"]
    file = put(tmp_path, b"".join(block(kind, b"HTTP/1.1 200 OK\r\n\r\n" + kind.encode()) for kind in kinds))
    assert body(read(file)).select(["type", "text"]).to_pylist() == [
        {"type": "conversion", "text": "HTTP/1.1 200 OK\r\n\r\nconversion"},
        {"type": "resource", "text": "HTTP/1.1 200 OK\r\n\r\nresource"},
        {"type": "Response", "text": "Response"},
    ]
    assert found(file) == found(file, batch_bytes=1)


def test_what_the_columns_hold(tmp_path):
    uri = {"WARC_Target_URI": f"<{URL}>", "WARC_Record_ID": "<urn:uuid:1>", "WARC_Date": DATE}
    page = response(b"<p>caf\xe9", "content-TYPE:  text/html; charset=ISO-8859-1 ", **uri)
    note = block("resource", b"{}", Content_Type="application/json", WARC_Identified_Content_Language="eng", **uri)
    assert body(read(put(tmp_path, page + note))).to_pylist() == [
        {
            "text": "<p>café",
            "url": URL,
            "id": "urn:uuid:1",
            "date": DATE,
            "type": "response",
            "content_type": "text/html; charset=ISO-8859-1",
            "language": None,
        },
        {
            "text": "{}",
            "url": URL,
            "id": "urn:uuid:1",
            "date": DATE,
            "type": "resource",
            "content_type": "application/json",
            "language": "eng",
        },
    ]


def test_headers_as_other_writers_have_them(tmp_path):
    head = b"WARC/1.1\nwarc-type:conversion\r\nWARC-Target-URI: a\r\n b\r\n\tc\r\nWARC-Date: \xe9\r\nwarc-date: 2\r\n"
    file = put(tmp_path, head + b"Content-Length: 1\n\nx\r\n\r\n\r\n\n" + block("conversion", b"y", line_end=b"\n"))
    rows = body(read(file)).to_pylist()
    assert [(r["text"], r["url"], r["date"]) for r in rows] == [("x", "a b c", "\\xe9"), ("y", None, None)]


CHUNKED = b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n"
RAW_DEFLATE = zlib.compressobj(wbits=-15)
DEFLATED = RAW_DEFLATE.compress(b"hello world") + RAW_DEFLATE.flush()


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"hello world", []),
        (b"hello world", ["Content-Encoding: identity", "Transfer-Encoding: identity"]),
        (CHUNKED, ["Transfer-Encoding: chunked"]),
        (CHUNKED + b"\r\n", ["transfer-encoding: Chunked"]),
        (CHUNKED + b"Expires: never\r\n\r\n", ["Transfer-Encoding: chunked"]),
        (b"hello world", ["Transfer-Encoding: chunked"]),
        (gzipped(b"hello world"), ["Content-Encoding: gzip"]),
        (gzipped(b"hello ") + gzipped(b"world"), ["Content-Encoding: x-gzip"]),
        (b"hello world", ["Content-Encoding: gzip"]),
        (zlib.compress(b"hello world"), ["Content-Encoding: deflate"]),
        (DEFLATED, ["Content-Encoding: deflate"]),
        (brotli(b"hello world"), ["Content-Encoding: br"]),
        (zstd(b"hello world"), ["Content-Encoding: zstd"]),
        (gzipped(zlib.compress(b"hello world")), ["Content-Encoding: deflate, gzip"]),
        (b"d\r\n%s\r\n0\r\n\r\n" % DEFLATED, ["Content-Encoding: deflate", "Transfer-Encoding: chunked"]),
    ],
)  # fmt: skip
def test_encodings_are_undone(tmp_path, content, headers):
    assert found(put(tmp_path, response(content, "Content-Type: text/plain", *headers))) == ["hello world"]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (CHUNKED[:-3], ["Transfer-Encoding: chunked"]),
        (CHUNKED[:12], ["Transfer-Encoding: chunked"]),
        (b"5\r\nhello world", ["Transfer-Encoding: chunked"]),
        (b"0\r\nnot empty at all", ["Transfer-Encoding: chunked"]),
        (b"ffffffffffff\r\nx\r\n0\r\n\r\n", ["Transfer-Encoding: chunked"]),
        (gzipped(b"hello world")[:-1], ["Content-Encoding: gzip"]),
        (gzipped(b"hello world") + b"x", ["Content-Encoding: gzip"]),
        (gzipped(b"hello world")[:12] + b"\xff" * 20, ["Content-Encoding: gzip"]),
        (zlib.compress(b"hello world")[:-1], ["Content-Encoding: deflate"]),
        (DEFLATED[:-1], ["Content-Encoding: deflate"]),
        (brotli(b"hello world")[:-1], ["Content-Encoding: br"]),
        (zstd(b"hello world")[:-1], ["Content-Encoding: zstd"]),
        (b"hello world", ["Content-Encoding: br"]),
        (b"hello world", ["Content-Encoding: rot13"]),
    ],
)
def test_encodings_that_cannot_be_undone_are_set_aside(tmp_path, content, headers):
    record = response(content, "Content-Type: text/plain", *headers)
    good = response(b"next", "Content-Type: text/plain")
    assert found(put(tmp_path, record + good)) == [(UNDECODABLE, record[:-4]), "next"]


def test_a_text_that_decodes_to_too_much_is_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(warc_payload, "MAX_PAYLOAD_BYTES", 999)
    for pack, name in ((gzip.compress, "gzip"), (zlib.compress, "deflate"), (brotli, "br"), (zstd, "zstd")):
        records = [response(pack(b"x" * size), f"Content-Encoding: {name}") for size in (999, 1000)]
        assert found(put(tmp_path, b"".join(records))) == ["x" * 999, (UNDECODABLE, records[1][:-4])]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (b"caf\xc3\xa9", "utf-8", "café"),
        (b"caf\xc3\xa9", "UTF8", "café"),
        (b"caf\xc3\xa9", "us-ascii", "café"),
        (b"caf\xe9 \x80", "iso-8859-1", "café €"),
        (b"caf\xe9", '"latin1"', "café"),
        (b"\xcf\xf0\xe8", "windows-1251; q=1", "При"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("日本𠮷".encode("gb18030"), "GB2312", "日本𠮷"),
        ("한".encode("euc_kr"), "euc-kr", "한"),
        ("é🦊".encode("utf-16"), "utf-16", "é🦊"),
    ],
)
def test_charsets_become_utf8(tmp_path, content, charset, text):
    assert found(put(tmp_path, response(content, f"Content-Type: text/html;charset={charset}"))) == [text]
    assert found(put(tmp_path, block("resource", content, Content_Type=f"text/html; Charset = {charset}"))) == [text]


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        (b"x", "no-such-charset"),
        (b"x", "hex"),
        (b"x", "rot13"),
        (b"x", "idna"),
        (b"x", "punycode"),
        (b"\\ud800", "unicode_escape"),
        (b"x", "utf-7"),
        (b"\xff", "euc-jp"),
        (b"\x81", "windows-1252"),
        (b"\x00\xd8", "utf-16-le"),
        (b"x", "undefined"),
        (b"x", "\0"),
        (b"x", "é" * 1000),
    ],
)
def test_charsets_that_are_unknown_or_broken_are_set_aside(tmp_path, content, charset):
    record = response(content, f"Content-Type: text/html; charset={charset}")
    assert found(put(tmp_path, record)) == [(UNDECODABLE, record[:-4])]


def test_utf8_is_left_to_the_text_pass(tmp_path):
    file = put(tmp_path, response(b"caf\xe9", "Content-Type: text/html") + block("conversion", b"\xff"))
    for batch_bytes in (1, WHOLE):
        table = read(file, batch_bytes=batch_bytes)
        assert table["text"].combine_chunks().view(pa.large_binary()).to_pylist() == [b"caf\xe9", b"\xff"]
        assert table["__rule"].to_pylist() == [None, None]


@pytest.mark.parametrize(
    "kind", ["text/html", "TEXT/x-anything;a", "application/xhtml+xml", "application/xml ; q", "application/json", " "]
)
def test_types_of_text(tmp_path, kind):
    assert found(put(tmp_path, response(b"x", f"Content-Type: {kind}"))) == ["x"]


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/octet-stream", "text", "text/dns"])
def test_what_is_no_text_is_set_aside_with_its_beginning(tmp_path, kind):
    long = response(b"x" * 200_000, f"Content-Type: {kind}", WARC_Target_URI="http://a")
    short = block("resource", b"x", Content_Type=kind)
    file = put(tmp_path, long + short + block("conversion", b"after"))
    for batch_bytes in (1, 3000, WHOLE):
        assert found(file, batch_bytes) == [(NOT_TEXT, long[:1024]), (NOT_TEXT, short[:-4]), "after"]
    assert body(read(file)).to_pylist()[0] == dict.fromkeys(SCHEMA.names)


def test_responses_without_http(tmp_path):
    data = block("response", b"x", Content_Type="text/gemini") + block("response", b"y") + block("response", b"")
    assert found(put(tmp_path, data)) == ["x", "y", ""]


@pytest.mark.parametrize(
    "content", [b"", b"<p>no header", b"HTTP/1.1 200 OK\r\nA: b\r\n", b"HTTP/1.1 200" + b"x" * 99_999]
)
def test_broken_http_is_set_aside(tmp_path, content):
    record = block("response", content, Content_Type="application/http")
    head = record.index(b"\r\n\r\n") + 4
    expected = (INVALID_HTTP, record[: head + min(len(content), 1 << 16)])
    assert found(put(tmp_path, record + block("conversion", b"x"))) == [expected, "x"]


def test_http_as_servers_have_it(tmp_path):
    head = b"HTTP/1.0 404\nno colon\nX: \xe9\nContent-Type: text/html;\n charset=latin1\ncontent-type: image/png\n\n"
    assert found(put(tmp_path, block("response", head + b"\xe9\r\n\r\n", Content_Type="application/http"))) == [
        "é\r\n\r\n"
    ]


def test_types_that_the_standard_does_not_name_are_set_aside(tmp_path):
    parts = [block("conversio", b"x"), block("conversion", b"y")]
    assert found(put(tmp_path, b"".join(parts))) == [(UNKNOWN_TYPE, parts[0][:-4]), "y"]


def test_documents_in_several_records_are_set_aside(tmp_path):
    parts = [block("response", http(b"x"), Content_Type="application/http", WARC_Segment_Number="1")]
    parts += [block("continuation", b"y", WARC_Segment_Number="2")]
    assert found(put(tmp_path, b"".join(parts))) == [(SEGMENTED, parts[0][:-4])]


def test_a_text_longer_than_any_column_holds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(warc, "MAX_PAYLOAD_BYTES", 100)
    image = block("resource", b"x" * 101, Content_Type="image/png")
    assert found(put(tmp_path, block("resource", b"x" * 100) + image + block("request", b"x" * 101)))[0] == "x" * 100
    file = put(tmp_path, block("resource", b"x") + block("resource", b"x" * 101))
    with pytest.raises(InputError, match="a text in a WARC file has at most 100 bytes") as error:
        read(file)
    assert f"101 in {file.path}, record 1" in str(error.value)


SMALL = [INFO, block("conversion", b"one\r\n\r\n"), block("request", b"r"), response(b"two"), block("conversion", b"")]


def cuts(parts: list[bytes]) -> list[int]:
    """Return where records end."""
    return [sum(map(len, parts[:i])) for i in range(1, len(parts) + 1)]


def outcome(folder: Path, data: bytes, ending: str = "") -> list[Any] | str:
    file = put(folder, data, ending)
    try:
        return found(file)
    except InputError as error:
        named = error.rule, str(error.value).partition(": ")[0].rpartition(" ")[0]
    assert named == ("a WARC input can be read to its end", f"{file.path}, at record")
    return "refused"


@pytest.mark.parametrize("ending", PACKERS)
def test_a_file_cut_anywhere_but_after_a_record_is_refused(tmp_path, ending):
    """With one member or frame a record; what is cut right after one cannot be told from a shorter file."""
    parts = list(map(PACKERS[ending], SMALL))
    whole, texts = (
        b"".join(parts),
        [[], ["one\r\n\r\n"], ["one\r\n\r\n"], ["one\r\n\r\n", "two"], ["one\r\n\r\n", "two", ""]],
    )
    expected = dict(zip(cuts(parts), texts, strict=True))
    for at in range(len(whole) + 1):
        assert outcome(tmp_path, whole[:at], ending) == expected.get(at, "refused"), at


@pytest.mark.parametrize("ending", [ending for ending in PACKERS if ending])
def test_a_file_compressed_as_a_whole_and_cut_anywhere_is_refused(tmp_path, ending):
    whole = PACKERS[ending](b"".join(SMALL))
    for at in range(len(whole)):
        assert outcome(tmp_path, whole[:at], ending) == "refused", at


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_bytes_missing_in_the_middle_are_noticed(tmp_path, ending):
    """A byte less in a header may change what it says, but no document goes missing."""
    parts = list(map(PACKERS[ending], SMALL))
    whole = b"".join(parts)
    for at in range(len(whole)):
        result = outcome(tmp_path, whole[:at] + whole[at + 1 :], ending)
        assert result == "refused" or len(result) >= 3, at


@pytest.mark.parametrize("ending", PACKERS)
def test_what_is_no_warc_is_refused(tmp_path, ending):
    pack = PACKERS[ending]
    good = block("conversion", b"x")
    head = b"WARC/1.0\r\nWARC-Type: conversion\r\n"
    for data in (
        pack(b""),
        pack(b"\r\n" + good),
        pack(b"filedesc://a.arc 0.0.0.0 20240101 text/plain 9\n"),
        pack(b'{"a":1}\n'),
        pack(good + b"garbage"),
        pack(good + b"\0" * 100),
        pack(b"WARC/1.0\r\n\r\n"),
        pack(head + b"\r\n\r\n\r\n"),
        pack(head + b"Content-Length: -1\r\n\r\nx\r\n\r\n"),
        pack(head + b"Content-Length: 0\r\n\r\nx\r\n\r\n"),
        pack(head + b"Content-Length: 2\r\n\r\nx\r\n\r\n"),
        pack(head + b"Content-Length: 9\r\n\r\nx\r\n\r\n" + good),
        pack(head + b"Content-Length: 999999999999999\r\n\r\nx\r\n\r\n"),
        pack(head + b"Content-Length: x\r\n\r\nx\r\n\r\n"),
        pack(head + b"no colon\r\nContent-Length: 1\r\n\r\nx\r\n\r\n"),
        pack(b"WARC/1.0\r\nContent-Length: 1\r\n\r\nx\r\n\r\n"),
        pack(b"WARC/1.0\r\nWARC-Type:\r\nContent-Length: 1\r\n\r\nx\r\n\r\n"),
    ):
        assert outcome(tmp_path, data, ending) == "refused"


def test_damage_behind_a_compression_is_refused(tmp_path):
    good, other = gzip.compress(block("conversion", b"x" * 9)), gzip.compress(block("conversion", b"y"))
    for data in (good + b"garbage", good[:-8] + bytes(4) + good[-4:] + other, b"plain", good + other[:20] + other):
        assert outcome(tmp_path, data, ".gz") == "refused"
    with pytest.raises(InputError, match="a compressed file's ending names its compression"):
        put(tmp_path, good)


def test_a_header_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(warc_records, "MAX_HEADER_BYTES", 1000)
    good, wide = block("conversion", b"x", A="a" * 900), block("conversion", b"x", A="a" * 1000)
    assert outcome(tmp_path, good + good) == ["x", "x"]
    assert outcome(tmp_path, good + wide) == outcome(tmp_path, b"WARC/1.0\r\n" + b"A: b\r\n" * 300) == "refused"


def test_the_place_of_damage_is_named(tmp_path):
    file = put(tmp_path, block("conversion", b"x") * 3 + b"WARC/1.0\r\n")
    with pytest.raises(InputError) as error:
        read(file)
    assert str(error.value) == (
        f"a WARC input can be read to its end; found {file.path}, at record 3: the header of a record has no end. "
        "Restore the file or drop it from the inputs."
    )


def test_a_file_that_vanishes_is_named(tmp_path):
    file = put(tmp_path, INFO)
    Path(file.path).unlink()
    with pytest.raises(InputError, match="an input can be opened") as error:
        read(file)
    assert file.path in str(error.value)


def test_batches_hold_about_as_many_bytes_as_asked(tmp_path):
    file = put(tmp_path, block("conversion", b"x" * 100) * 100)
    (split,) = splits_of(file, split_bytes=1)
    assert (split.records, split.size_bytes) == (None, file.size_bytes)
    sizes = [batch.num_rows for batch in batches(split, SCHEMA, batch_bytes=1000)]
    assert sizes == [10] * 10  # 100 bytes of text and 10 of type each, so the tenth reaches 1000


@pytest.mark.parametrize("ending", PACKERS)
def test_files_on_other_storage(ending):
    import fsspec

    memory = fsspec.filesystem("memory")
    data = PACKERS[ending](block("conversion", "né".encode()) * 3)
    memory.pipe(f"/test-warc/a.warc{ending}", data)
    (file,) = open_corpus([InputSpec("memory://test-warc")]).files
    assert find_columns(file) == SCHEMA
    assert found(file) == ["né"] * 3
    memory.rm("/test-warc", recursive=True)


def test_endings(tmp_path):
    names = ["a.warc", "b.warc.gz", "c.wet", "d.WET.GZ", "e.warc.zst", "f.warc.bz2", "g.warc.xz"]
    for name in [*names, "h.wat.gz"]:
        (tmp_path / name).write_bytes(b"")
    corpus = open_corpus([InputSpec(str(tmp_path))])
    assert [(Path(file.path).name, file.format) for file in corpus.files] == [(name, "warc") for name in names]
    assert corpus.ignored == (str(tmp_path / "h.wat.gz"),)


def test_fastwarc_is_not_needed():
    code = "import sys, tamis.connectors.corpus; sys.exit('fastwarc' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


contents = st.binary(max_size=30) | st.text(max_size=20).map(str.encode) | st.sampled_from(SMALL)
kinds = st.sampled_from(["warcinfo", "conversion", "resource", "metadata"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(kinds, contents), min_size=1, max_size=8), st.sampled_from(list(PACKERS)), st.integers(1, 99))
def test_the_same_documents_as_another_reader_finds(tmp_path_factory, records, ending, batch_bytes):
    """The oracle is fastwarc, which reads whole files rightly."""
    fastwarc = pytest.importorskip("fastwarc.warc")
    parts = [block(kind, content) for kind, content in records]
    types = fastwarc.WarcRecordType.conversion | fastwarc.WarcRecordType.resource
    expected = [r.reader.read() for r in fastwarc.ArchiveIterator(io.BytesIO(b"".join(parts)), record_types=types)]
    file = put(tmp_path_factory.mktemp("warc"), b"".join(map(PACKERS[ending], parts)), ending)
    for size in (batch_bytes, WHOLE):
        table = read(file, batch_bytes=size)
        texts = table["text"].combine_chunks().view(pa.large_binary()).to_pylist()
        assert texts == expected == [content for kind, content in records if kind in ("conversion", "resource")]
        assert body(table)["type"].to_pylist() == [kind for kind, _ in records if kind in ("conversion", "resource")]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_damage_ends_in_a_traceback(tmp_path_factory, data):
    whole = bytearray(
        b"".join([*SMALL, response(CHUNKED, "Transfer-Encoding: chunked", "Content-Type: text/html; charset=big5")])
    )
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    file = put(tmp_path_factory.getbasetemp(), bytes(whole))
    with contextlib.suppress(InputError):
        read(file)
