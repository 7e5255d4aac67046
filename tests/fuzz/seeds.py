"""Writes the seeds of the corpus: small inputs that are well formed. ``python tests/fuzz/seeds.py`` makes them anew."""

import bz2
import gzip
import io
import lzma
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

CORPUS = Path(__file__).parent / "corpus"

_TEXTS = ["the quick brown fox jumps over the lazy dog", "Größe, naïve café", None, "", "漢字かな交じり文"]
_TABLE = pa.table(
    {
        "text": _TEXTS,
        "n": pa.array([1, None, 3, -4, 2**40]),
        "tags": pa.array([["a", None], [], None, ["b"], ["c", "d"]]),
        "meta": pa.array([{"x": 1.5, "y": True}, None, {"x": None, "y": False}, {"x": 0.0, "y": None}, None]),
        "kind": pa.array(["web", "web", None, "book", "web"]).dictionary_encode(),
    }
)
_JSONL = (
    b'{"text": "the quick brown fox", "n": 1, "tags": ["a", null], "meta": {"x": 1.5}}\n'
    b'{"text": "Gr\\u00f6\\u00dfe \xc3\xa9 \\ud83d\\ude00", "n": -2, "tags": [], "meta": null}\r\n'
    b'{"n": 9007199254740993, "text": "a\\tb\\u0000", "more": {"deep": [{"er": []}, [1.0e5]]}}\n'
)
_CSV = b'text,n,url\r\n"the ""quick"" brown, fox",1,http://a\r\nplain,,\r\n"two\nlines",3,"x"\r\n'


def seeds() -> Iterator[tuple[str, str, bytes]]:
    """Yield (target, name, bytes)."""
    yield "jsonl", "plain.jsonl", _JSONL
    yield (
        "jsonl",
        "strings.jsonl",
        b'\xef\xbb\xbf{"text": "a", "when": "2020-01-01T00:00:00Z"}\n{"text": "b"}\n\n{"text": "c"}',
    )
    yield (
        "jsonl",
        "numbers.jsonl",
        b'{"text":"a","v":1}\n{"text":"b","v":2.5}\n{"text":"c","v":-0}\n{"text":"d","v":null}\n',
    )
    yield "jsonl", "plain.jsonl.gz", gzip.compress(_JSONL, mtime=0) + gzip.compress(b'{"text": "z"}\n', mtime=0)
    yield "jsonl", "plain.jsonl.bz2", bz2.compress(_JSONL)
    yield "jsonl", "plain.jsonl.xz", lzma.compress(_JSONL)
    yield "jsonl", "plain.jsonl.zst", pa.compress(_JSONL, "zstd", asbytes=True)
    yield "csv", "plain.csv", _CSV
    yield "csv", "semicolons.csv", "text;zahl\nGröße;1,5\n\nklein;2\n".encode()
    yield "csv", "old.csv", b"text|a\rx|1\ry|2\r"
    yield "csv", "utf16.csv", "text\ta\nGröße 😀\t1\n".encode("utf-16")
    yield "csv", "plain.csv.gz", gzip.compress(_CSV, mtime=0)
    yield "warc", "plain.warc", b"".join(_warc())
    yield "warc", "plain.warc.gz", b"".join(gzip.compress(record, mtime=0) for record in list(_warc())[:4])
    yield "warc", "encoded.warc", b"".join(_encoded())
    for name, options in {"plain": {}, "lz4": {"compression": "lz4"}}.items():
        yield "arrow", f"{name}.stream", _ipc(pa.ipc.new_stream, _TABLE.select(["text", "n", "tags"]), **options)
        yield "arrow", f"{name}.file", _ipc(pa.ipc.new_file, _TABLE.select(["text", "meta"]), **options)
    yield "arrow", "dictionary.stream", _ipc(pa.ipc.new_stream, _TABLE.select(["kind", "n"]))
    required = pa.schema([pa.field("text", pa.string()), pa.field("n", pa.int64(), nullable=False)])
    yield (
        "arrow",
        "required-nulls.stream",
        _ipc(pa.ipc.new_stream, pa.table(_TABLE.select(["text", "n"]).columns, schema=required)),
    )
    views = pa.table({"text": pa.array(["short", "a string that is longer than twelve bytes"], pa.string_view())})
    yield "arrow", "views.stream", _ipc(pa.ipc.new_stream, views)
    yield "parquet", "plain.parquet", _parquet(_TABLE.select(["text", "n"]), use_dictionary=False, compression="none")
    yield "parquet", "dictionary.parquet", _parquet(_TABLE.select(["text", "kind"]), compression="none")
    yield "parquet", "nested.parquet", _parquet(_TABLE.select(["tags", "meta"]), compression="none")
    yield "parquet", "groups.parquet", _parquet(_TABLE.select(["text"]), row_group_size=2, compression="snappy")
    version = {"data_page_version": "2.0", "compression": "zstd", "write_page_checksum": True}
    yield "parquet", "version2.parquet", _parquet(_TABLE.select(["text"]), **version)
    delta = {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY", "n": "DELTA_BINARY_PACKED"}}
    yield "parquet", "delta.parquet", _parquet(_TABLE.select(["text", "n"]), compression="none", **delta)
    yield "text", "words.txt", b"The quick brown fox isn't as quick as the quick brown fox was.\n\n1,234.5 (really)\n"
    yield "text", "scripts.txt", "Straße İstanbul ﬁne e\u0301 한국어 漢字かな 👩‍👧 \u200fשלום\u3000ไทย".encode()
    yield "text", "long.txt", b"abcdefghij " * 60 + b"x" * 400
    yield "config", "short.yaml", b"inputs: [{path: corpus}]\nstages: [exact, near: {threshold: 0.7}]\nkeep: longest\n"
    yield "config", "long.yaml", _CONFIG
    conditions = (
        "length(text) > 3 AND score IS NOT NULL",
        "n % 7 = 0 OR ok",
        "list_contains(tags, 'a') AND len(list_filter(tags, lambda x: x = 'b')) < 2",
        "meta.lang IN ('en', 'de') AND meta['size'] BETWEEN 1 AND 2",
        "\"when\" >= TIMESTAMP '2001-01-01' - INTERVAL '1' DAY",
        "CASE WHEN TRY_CAST(text AS int) > 3 THEN true ELSE regexp_matches(text, '^a.*x$') END",
        "lower(substr(text, 2, 3)) = 'qui' -- a comment",
        "CAST(text AS double) >= 0",
    )
    for i, condition in enumerate(conditions):
        yield "filter_condition", f"{i}.sql", condition.encode()


_CONFIG = b"""inputs:
  - {path: a.jsonl, format: jsonl, source: web}
  - path: folder
    include: ["**/*.txt"]
against: [{path: old.parquet}]
columns: {text: body, id: key, source: site}
stages:
  - filter: lang = 'en'
  - exact
  - near: {threshold: 0.8, shingle: {unit: char, size: 9}, sketch: fss, values: 128, bands: 16, rows: 8}
keep: source:web,books
on_error: quarantine
shards: {target_size: 256MiB, group_size: 1_000, compression: lz4}
alarm: {rows: 10, loss: 0.5}
spark: {master: "local[2]", conf: {spark.ui.enabled: "false"}}
memory: 2GB
out: ${env:PATH}/out
"""


def _record(kind: str, block: bytes, *fields: str) -> bytes:
    head = ["WARC/1.0", f"WARC-Type: {kind}", *fields, f"Content-Length: {len(block)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def _warc() -> Iterator[bytes]:
    named = "WARC-Target-URI: http://a/b", "WARC-Record-ID: <urn:uuid:1>", "WARC-Date: 2020-01-01T00:00:00Z"
    html = "Content-Type: application/http; msgtype=response"
    yield _record("warcinfo", b"software: x\r\n", "Content-Type: application/warc-fields")
    yield _record("conversion", "the quick brown fox é".encode(), *named, "Content-Type: text/plain")
    yield _record("request", b"GET / HTTP/1.1\r\n\r\n", *named)
    yield _record("response", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>hello</p>", *named, html)
    yield _record("resource", b"\xff\xd8", *named, "Content-Type: image/jpeg")
    yield _record("conversion", b"", *named)


def _encoded() -> Iterator[bytes]:
    http = "Content-Type: application/http;msgtype=response"
    chunks = b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: 1\r\n\r\n"
    bodies = {
        "Content-Type: text/html; charset=iso-8859-1": "Größe".encode("latin-1"),
        "Content-Type: text/plain\r\nTransfer-Encoding: chunked": chunks,
        "Content-Type: text/plain\r\nContent-Encoding: gzip": gzip.compress(b"packed", mtime=0),
        "Content-Type: text/plain; charset=gb2312\r\nContent-Encoding: zstd": pa.compress(
            "汉字".encode("gb2312"), "zstd", asbytes=True
        ),
        "Content-Type: text/plain\r\nContent-Encoding: br": pa.compress(b"packed" * 9, "brotli", asbytes=True),
    }
    for head, body in bodies.items():
        yield _record("response", f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body, http)


def _ipc(writer, table: pa.Table, compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    with writer(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as stream:
        stream.write_table(table, max_chunksize=3)
    return sink.getvalue()


def _parquet(table: pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, store_schema=False, write_statistics=False, **options)
    return sink.getvalue()


if __name__ == "__main__":
    for target, name, data in seeds():
        (CORPUS / target).mkdir(parents=True, exist_ok=True)
        (CORPUS / target / name).write_bytes(data)
