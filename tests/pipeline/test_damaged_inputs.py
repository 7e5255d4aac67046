"""What becomes of damaged inputs: a message that names the file, or rows in quarantine, and nothing lost in silence."""

import bz2
import gzip
import io
import json
import lzma
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tamis.connectors import delimited, jsonl
from tamis.connectors.address import address
from tamis.jobs import cli

TEXTS = ["the first text of all", "a second one follows it", "and here is the third"]


@pytest.fixture
def tamis(monkeypatch, capsys):
    """Run the command line in this process; return (exit code, stderr without progress, in one line)."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tamis", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(('{"step"', '{"state"'))]
        return stopped.value.code or 0, "\n".join(lines)

    return run


@dataclass(frozen=True)
class Kind:
    """A kind of damage.

    Attributes:
        name: of the kind.
        write: writes into a folder and returns what to read: paths or URLs.
        code: exit code with ``on_error: fail``.
        says: what the message holds.
        rules: (record, rule) of what is quarantined, or None where quarantine does not help.
        read: records that there are then.
        options: of the command line.
    """

    name: str
    write: Callable[[Path], list[str | Path]]
    says: tuple[str, ...]
    rules: tuple[tuple[int, str], ...] | None = None
    read: int = 0
    code: int = 3
    options: tuple[str, ...] = field(default=())


def whole(name: str, files: dict[str | bytes, bytes], *says: str, **more) -> Kind:
    """Return a kind whose files cannot be used at all; the message names the first one unless told otherwise."""
    return Kind(name, partial(_write, files), says or (_name(next(iter(files))),), **more)


def records(name: str, files: dict[str | bytes, bytes], rules: dict[int, str], read: int, **more) -> Kind:
    """Return a kind of which some records are damaged: the message names the first one that is not a blank line."""
    first = next((i for i, rule in rules.items() if rule != "blank-line"), None)
    names = list(map(_name, files))
    if first is None:
        says = ()
    elif "--format" in more.get("options", ()):  # a text folder: the files are the records
        says = (names[first], f"`{rules[first]}`")
    else:
        says = (f"record {first} of ", names[0], f"`{rules[first]}`")
    return Kind(name, partial(_write, files), says, tuple(rules.items()), read, code=3 if says else 0, **more)


def _name(name: str | bytes) -> str:
    return os.fsdecode(name) if isinstance(name, bytes) else name


def _write(files: dict[str | bytes, bytes], folder: Path) -> list[str | Path]:
    for name, data in files.items():
        path = folder / _name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return [folder]


def parquet(columns: dict | pa.Table, **options) -> bytes:
    sink = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), sink, **options)
    return sink.getvalue()


def ipc(columns: dict, writer=pa.ipc.new_stream) -> bytes:
    sink = io.BytesIO()
    table = pa.table(columns)
    with writer(sink, table.schema) as stream:
        stream.write_table(table, max_chunksize=2)
    return sink.getvalue()


def strings(*values: bytes) -> pa.Array:
    """Return a column of strings that need not be UTF-8."""
    offsets = np.cumsum([0, *map(len, values)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(values)))


def lines(*values: bytes) -> bytes:
    return b"".join(value + b"\n" for value in values)


def good(i: int) -> bytes:
    return b'{"text": "%s"}' % TEXTS[i].encode()


def record(kind: str, block: bytes, *fields: str) -> bytes:
    head = ["WARC/1.0", f"WARC-Type: {kind}", *fields, f"Content-Length: {len(block)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + block + b"\r\n\r\n"


def ipc_of_two() -> bytes:
    sink = io.BytesIO()
    table = pa.table([TEXTS, TEXTS], ["text", "text"])
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def state(*names: str, indices: str = "") -> bytes:
    """Return how a saved dataset describes itself."""
    described = {"_data_files": [{"filename": name} for name in names]}
    return json.dumps(described | ({"_indices_files": [{"filename": indices}]} if indices else {})).encode()


def linked(target: str) -> Callable[[Path], list[str | Path]]:
    return made("a.jsonl", lambda path: path.symlink_to(target))


def made(name: str, make: Callable[[Path], object]) -> Callable[[Path], list[str | Path]]:
    """Return a writer that makes one thing and names it."""

    def write(folder: Path) -> list[str | Path]:
        make(folder / name)
        return [folder / name]

    return write


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :]


PARQUET = parquet({"text": TEXTS})
PACKED = parquet({"text": [f"{i * 7919 % 1000} and {i * 104729}" for i in range(300)]}, compression="gzip")
GROUPS = parquet({"text": TEXTS}, row_group_size=1)
STREAM, FILE = ipc({"text": TEXTS}), ipc({"text": TEXTS}, pa.ipc.new_file)
JSONL = lines(good(0), good(1), good(2))
CSV = b"text,n\r\n" + b"".join(b"%s,1\r\n" % text.encode() for text in TEXTS)
LONG = lines(*(b'{"text": "%d %d"}' % (i, i * 104729 % 7919) for i in range(2000)))
WARC = b"".join(record("conversion", text.encode()) for text in TEXTS)

KINDS = [
    # Parquet
    whole("parquet-cut-at-the-end", {"a.parquet": PARQUET[:-1]}),
    whole("parquet-cut-in-the-middle", {"a.parquet": PARQUET[: len(PARQUET) // 2]}),
    whole("parquet-of-no-bytes", {"a.parquet": b""}),
    whole("parquet-of-magic-alone", {"a.parquet": b"PAR1PAR1"}),
    whole("parquet-that-is-text", {"a.parquet": b"this is no Parquet file, whatever its name says\n"}),
    whole("parquet-flipped-in-a-page", {"a.parquet": flipped(PACKED, 200)}, "a.parquet, near record 0"),
    whole("parquet-flipped-in-the-footer", {"a.parquet": flipped(PARQUET, len(PARQUET) - 9)}),
    whole("parquet-footer-length-flipped", {"a.parquet": flipped(PARQUET, len(PARQUET) - 6)}),
    records("parquet-null-text", {"a.parquet": parquet({"text": [TEXTS[0], None, TEXTS[1]]})}, {1: "null-text"}, 3),
    records(
        "parquet-invalid-utf8",
        {"a.parquet": parquet({"text": strings(b"good", b"also good", b"b\xffd", b"\xed\xa0\x80")})},
        {2: "invalid-utf8", 3: "invalid-utf8"},
        4,
    ),
    records(
        "parquet-all-text-null",
        {"a.parquet": parquet({"text": pa.nulls(2, pa.string())})},
        dict.fromkeys(range(2), "null-text"),
        2,
    ),
    whole("parquet-without-text", {"a.parquet": parquet({"txt": TEXTS})}, "'text' among txt", "Did you mean 'txt'?"),
    whole("parquet-text-of-ints", {"a.parquet": parquet({"text": [1, 2]})}, "'text': int64"),
    whole(
        "parquet-column-twice",
        {"a.parquet": parquet(pa.table([TEXTS, TEXTS], ["text", "text"]))},
        "'text' twice in",
        "a.parquet",
    ),
    whole("parquet-no-row-groups", {"a.parquet": parquet({"text": pa.array([], pa.string())})}),
    whole(
        "parquet-types-that-exclude-each-other",
        {"a.parquet": parquet({"text": TEXTS, "x": [1, 2, 3]}), "b.parquet": parquet({"text": TEXTS, "x": TEXTS})},
        "column 'x'",
        "int64 in ",
        "a.parquet and string in ",
        "b.parquet",
    ),
    whole("parquet-encrypted", {"a.parquet": PARQUET[:-4] + b"PARE"}),
    whole(
        "parquet-reserved-name",
        {"a.parquet": parquet({"text": TEXTS, "__address": [1, 2, 3]})},
        "reserved",
        "__address",
    ),
    # JSON Lines
    records("jsonl-cut-in-the-last-record", {"a.jsonl": JSONL[:-12]}, {2: "invalid-json"}, 3),
    records(
        "jsonl-blank-lines",
        {"a.jsonl": lines(good(0), b"", b" \t ", good(1), b"")},
        dict.fromkeys((1, 2, 4), "blank-line"),
        5,
    ),
    records(
        "jsonl-not-an-object",
        {"a.jsonl": lines(b"[1, 2]", good(0), b"null", b'"text"')},
        dict.fromkeys((0, 2, 3), "not-an-object"),
        4,
    ),
    records("jsonl-duplicate-key", {"a.jsonl": lines(good(0), b'{"text": "a", "text": "b"}')}, {1: "duplicate-key"}, 2),
    records("jsonl-lone-surrogate", {"a.jsonl": lines(b'{"text": "a\\ud800b"}', good(0))}, {0: "lone-surrogate"}, 2),
    records("jsonl-escaped-nul-is-data", {"a.jsonl": lines(b'{"text": "a\\u0000b"}', good(0))}, {}, 2),
    records("jsonl-raw-nul", {"a.jsonl": lines(b'{"text": "a\0b"}', good(0))}, {0: "invalid-json"}, 2),
    records("jsonl-nul-page-at-the-end", {"a.jsonl": JSONL + b"\0" * 512}, {3: "invalid-json"}, 4),
    records("jsonl-invalid-utf8", {"a.jsonl": lines(good(0), b'{"text": "a\xffb"}')}, {1: "invalid-utf8"}, 2),
    records(
        "jsonl-wrong-type",
        {"a.jsonl": lines(good(0), b'{"text": 5}', good(1), b'{"text": ["a"]}')},
        {1: "wrong-type", 3: "wrong-type"},
        4,
    ),
    records(
        "jsonl-nested-too-deep",
        {"a.jsonl": lines(good(0), b'{"text": "a", "x": ' + b"[" * 70 + b"]" * 70 + b"}")},
        {1: "too-deep"},
        2,
    ),
    records("jsonl-nested-far-too-deep", {"a.jsonl": lines(good(0), b"[" * 100_000)}, {1: "too-deep"}, 2),
    records(
        "jsonl-beyond-int64",
        {"a.jsonl": lines(good(0), b'{"text": "a", "n": 9223372036854775808}')},
        {1: "inexact-number"},
        2,
    ),
    records(
        "jsonl-number-without-end",
        {"a.jsonl": lines(good(0), b'{"text": "a", "n": 1' + b"0" * 5000 + b"}")},
        {1: "inexact-number"},
        2,
    ),
    records("jsonl-bare-word", {"a.jsonl": lines(b"hello", good(0))}, {0: "invalid-json"}, 2),
    records(
        "jsonl-two-objects-in-a-line", {"a.jsonl": lines(good(0) + b" " + good(1), good(2))}, {0: "invalid-json"}, 2
    ),
    records(
        "jsonl-null-text",
        {"a.jsonl": lines(good(0), b'{"text": null}', b'{"n": 1}')},
        {1: "null-text", 2: "null-text"},
        3,
    ),
    records("jsonl-byte-order-mark-is-no-data", {"a.jsonl": b"\xef\xbb\xbf" + JSONL}, {}, 3),
    records("jsonl-second-byte-order-mark", {"a.jsonl": JSONL + b"\xef\xbb\xbf" + LONG}, {3: "invalid-json"}, 2003),
    records("jsonl-crlf-is-no-damage", {"a.jsonl": JSONL.replace(b"\n", b"\r\n")}, {}, 3),
    records(
        "jsonl-utf16",
        {"a.jsonl": JSONL.decode().encode("utf-16"), "b.jsonl": JSONL},
        dict.fromkeys(range(4), "invalid-json") | {0: "invalid-utf8"},
        7,
    ),
    whole(
        "jsonl-pretty-printed",
        {"a.json": json.dumps([{"text": text} for text in TEXTS], indent=1).encode()},
        "inputs hold records",
        "a.json: record 0 of",
        "breaks the rule `invalid-json`",
        "jq -c '.[]'",
    ),
    whole(
        "jsonl-array-in-a-line",
        {"a.json": json.dumps([{"text": text} for text in TEXTS]).encode()},
        "inputs hold records",
        "breaks the rule `not-an-object`",
    ),
    whole(
        "jsonl-all-bad-after-blank-ones",
        {"a.jsonl": b"\n\n", "b.jsonl": b"\nhello\n"},
        "record 1 of",
        "b.jsonl breaks the rule `invalid-json`",
    ),
    whole("jsonl-of-no-bytes", {"a.jsonl": b""}),
    whole("jsonl-of-blank-lines", {"a.jsonl": b"\n\n"}, "inputs hold records", "Check the inputs."),
    whole("jsonl-gzip-under-a-plain-name", {"a.jsonl": gzip.compress(JSONL)}, "begins as .gz files do"),
    whole("jsonl-gzip-cut", {"a.jsonl.gz": gzip.compress(LONG)[:-5000]}),
    whole("jsonl-gzip-cut-by-one", {"a.jsonl.gz": gzip.compress(LONG)[:-1]}),
    whole("jsonl-gzip-then-garbage", {"a.jsonl.gz": gzip.compress(LONG) + b"garbage"}),
    whole("jsonl-gzip-flipped", {"a.jsonl.gz": flipped(gzip.compress(LONG), 3000)}),
    whole("jsonl-zstd-cut", {"a.jsonl.zst": pa.compress(LONG, "zstd", asbytes=True)[:-100]}),
    whole("jsonl-zstd-cut-by-one", {"a.jsonl.zst": pa.compress(LONG, "zstd", asbytes=True)[:-1]}),
    whole("jsonl-zstd-then-garbage", {"a.jsonl.zst": pa.compress(LONG, "zstd", asbytes=True) + b"garbage"}),
    whole("jsonl-bzip2-cut", {"a.jsonl.bz2": bz2.compress(LONG)[:-100]}),
    whole("jsonl-bzip2-cut-by-one", {"a.jsonl.bz2": bz2.compress(LONG)[:-1]}),
    whole("jsonl-bzip2-then-garbage", {"a.jsonl.bz2": bz2.compress(LONG) + b"garbage"}),
    whole("jsonl-xz-cut", {"a.jsonl.xz": lzma.compress(LONG)[:-100]}),
    whole("jsonl-xz-cut-by-one", {"a.jsonl.xz": lzma.compress(LONG)[:-1]}),
    whole("jsonl-xz-then-garbage", {"a.jsonl.xz": lzma.compress(LONG) + b"garbage"}),
    whole("jsonl-no-gzip-at-all", {"a.jsonl.gz": JSONL}),
    whole("jsonl-no-zstd-at-all", {"a.jsonl.zst": JSONL}),
    whole("jsonl-no-bzip2-at-all", {"a.jsonl.bz2": JSONL}),
    whole("jsonl-no-xz-at-all", {"a.jsonl.xz": JSONL}),
    # CSV
    records("csv-ragged-lines", {"a.csv": b"text,n\na,1\nb\nc,1,2\nd,4\n"}, {1: "ragged-line", 2: "ragged-line"}, 4),
    records("csv-unterminated-quote", {"a.csv": b'text,n\na,1\n"b,2\nc,3\n'}, {1: "unterminated-quote"}, 2),
    records("csv-quote-in-the-middle", {"a.csv": b'text,n\na,1\n"b"c,2\nd,3\n'}, {1: "invalid-csv"}, 3),
    records("csv-quote-inside-a-bare-field-is-data", {"a.csv": b'text,n\na 5" disk,1\nb,2\n'}, {}, 2),
    records("csv-blank-line", {"a.csv": b"text,n\na,1\n\nb,2\n"}, {1: "blank-line"}, 3),
    records("csv-invalid-utf8", {"a.csv": b"text,n\na,1\nb\xff,2\nc,3\n"}, {1: "invalid-utf8"}, 3),
    records("csv-cut-in-the-last-record", {"a.csv": CSV[:-4]}, {2: "ragged-line"}, 3),
    records("csv-utf16-is-no-damage", {"a.csv": CSV.decode().encode("utf-16")}, {}, 3),
    whole("csv-utf16-cut", {"a.csv": CSV.decode().encode("utf-16")[:-1]}),
    whole("csv-header-twice", {"a.csv": b"text,n,text\na,1,b\n"}, "'text' twice in", "a.csv"),
    whole("csv-header-with-an-empty-name", {"a.csv": b",text\n0,a\n"}, "an empty name in", "a.csv"),
    whole("csv-header-of-invalid-utf8", {"a.csv": b"text,\xff\na,1\n"}, "invalid-utf8 in", "a.csv"),
    whole("csv-without-text", {"a.csv": b"txt,n\na,1\n"}, "Did you mean 'txt'?"),
    whole("csv-of-no-bytes", {"a.csv": b""}, "inputs hold records"),
    whole("csv-of-a-header-alone", {"a.csv": b"text,n\n"}, "inputs hold records", "a.csv"),
    records("csv-one-without-records-beside-another", {"a.csv": b"text,n\n", "b.csv": CSV}, {}, 3),
    whole("csv-gzip-cut", {"a.csv.gz": gzip.compress(LONG)[:-100]}),
    whole("csv-gzip-flipped", {"a.csv.gz": flipped(gzip.compress(LONG), 3000)}),
    # Text folders
    records(
        "text-invalid-utf8", {"a.txt": b"good", "b.txt": b"b\xff"}, {1: "invalid-utf8"}, 2, options=("--format", "text")
    ),
    records("text-nul-is-data", {"a.txt": b"go\0od", "b.txt": b"other"}, {}, 2, options=("--format", "text")),
    records("text-of-no-bytes-is-a-record", {"a.txt": b"good", "b.txt": b""}, {}, 2, options=("--format", "text")),
    records(
        "text-newline-in-a-name",
        {"a\nb.txt": b"good", "c.txt": b"other"},
        {},
        2,
        options=("--format", "text", "--id", "path"),
    ),
    whole(
        "text-name-of-invalid-utf8",
        {b"\xff.txt": b"good"},
        "names of input files are UTF-8",
        "\\udcff.txt",
        options=("--format", "text"),
    ),
    whole("name-of-invalid-utf8", {b"\xff.jsonl": JSONL}, "names of input files are UTF-8", "\\udcff.jsonl"),
    # WARC
    whole("warc-cut-in-a-block", {"a.warc": WARC[:-10]}, "a.warc, at record 2"),
    whole("warc-cut-in-a-header", {"a.warc": WARC[: WARC.rfind(b"Content")]}, "a.warc, at record 2"),
    whole("warc-cut-between-line-ends", {"a.warc": WARC[:-2]}, "a.warc, at record 3"),
    whole("warc-none-at-all", {"a.warc": b"<html>no crawl</html>"}),
    whole("warc-of-no-bytes", {"a.warc": b""}),
    whole(
        "warc-bytes-between-records", {"a.warc": record("conversion", b"a") + b"junk\r\n" + record("conversion", b"b")}
    ),
    whole("warc-wrong-length", {"a.warc": WARC.replace(b"Content-Length: 21", b"Content-Length: 19")}),
    whole(
        "warc-gzip-member-cut",
        {"a.warc.gz": gzip.compress(record("conversion", b"a")) + gzip.compress(record("conversion", b"b"))[:-3]},
    ),
    records(
        "warc-bad-records",
        {
            "a.warc": record("conversion", b"good")
            + record("response", b"no HTTP", "Content-Type: application/http")
            + record("conversion", b"\xff")
            + record("resource", b"\x89PNG", "Content-Type: image/png")
            + record("resource", b"a", "Content-Type: text/plain; charset=nonsense")
            + record("responze", b"a")
            + record("conversion", b"a", "WARC-Segment-Number: 1")
        },
        {1: "invalid-http", 2: "invalid-utf8", 3: "not-text", 4: "undecodable-text", 5: "unknown-type", 6: "segmented"},
        7,
    ),
    # Arrow
    whole("arrow-stream-cut", {"a.arrow": STREAM[:-30]}),
    whole("arrow-file-cut", {"a.arrow": FILE[:-30]}),
    whole("arrow-foreign", {"a.arrow": b"this is no Arrow file, whatever its name says"}),
    whole("arrow-of-no-bytes", {"a.arrow": b""}),
    whole("arrow-two-streams-in-one", {"a.arrow": STREAM + STREAM}),
    whole("arrow-column-twice", {"a.arrow": ipc_of_two()}, "'text' twice in", "a.arrow"),
    whole(
        "arrow-type-that-nothing-stores",
        {"a.arrow": ipc({"text": TEXTS, "x": pa.RunEndEncodedArray.from_arrays([3], [1])})},
        "'x': run_end_encoded",
        "a.arrow",
    ),
    records("arrow-null-text", {"a.arrow": ipc({"text": [TEXTS[0], None]})}, {1: "null-text"}, 2),
    records("arrow-invalid-utf8", {"a.arrow": ipc({"text": strings(b"a", b"b\xff", b"c")})}, {1: "invalid-utf8"}, 3),
    whole(
        "saved-dataset-lacks-a-file",
        {"state.json": state("a.arrow", "b.arrow"), "a.arrow": STREAM},
        "no b.arrow",
        "state.json",
    ),
    whole(
        "saved-dataset-with-indices",
        {"state.json": state("a.arrow", indices="i.arrow"), "a.arrow": STREAM, "i.arrow": STREAM},
        "index mapping",
        "state.json",
    ),
    whole(
        "saved-dataset-with-a-cut-file",
        {"state.json": state("a.arrow"), "a.arrow": STREAM[:-8]},
        "a.arrow, which seems cut off",
    ),
    whole(
        "saved-dataset-without-a-split",
        {
            "dataset_dict.json": b'{"splits": ["train", "test"]}',
            "train/state.json": state("a.arrow"),
            "train/a.arrow": STREAM,
        },
        "no test",
        "dataset_dict.json",
    ),
    # Paths
    whole("folder-without-readable-files", {"readme.md": b"# no data"}, "readme.md"),
    whole("folder-of-hidden-files", {".a.jsonl": JSONL, "_b/c.jsonl": JSONL}, ".a.jsonl"),
    Kind("path-that-does-not-exist", lambda folder: [folder / "nothing.jsonl"], ("nothing.jsonl",)),
    Kind("path-with-a-nul", lambda folder: [f"{folder}/a\0b.jsonl"], ("an input exists",)),
    Kind("path-of-invalid-utf8", lambda folder: [os.fsdecode(b"\xff.jsonl")], ("'\\udcff.jsonl'",), code=2),
    Kind("glob-that-matches-nothing", lambda folder: [f"{folder}/*.jsonl"], ("*.jsonl",)),
    Kind("link-to-nowhere", linked("/nowhere/at/all"), ("a.jsonl",)),
    Kind("link-to-itself", linked("a.jsonl"), ("a.jsonl",)),
    Kind("folder-named-like-a-file", made("a.jsonl", Path.mkdir), ("a.jsonl",)),
    Kind("pipe-named-like-a-file", made("a.jsonl", os.mkfifo), ("a.jsonl",)),
    Kind("url-of-an-unknown-kind", lambda folder: ["nonsense://host/a.jsonl"], ("nonsense://host/a.jsonl",)),
    Kind("file-without-ending", made("a", lambda path: path.write_bytes(JSONL)), ("in/a\n",)),
    Kind(
        "file-as-a-text-folder",
        made("a.txt", lambda path: path.write_bytes(b"a")),
        ("a.txt",),
        options=("--format", "text"),
    ),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damage_is_named_by_default(tamis, tmp_path, kind):
    (tmp_path / "in").mkdir()
    inputs = kind.write(tmp_path / "in")
    code, err = tamis("dedup", *inputs, "--out", tmp_path / "out", "--threads", 1, *kind.options)
    if not kind.says:
        assert (code, err) == (0, "")
        return
    assert code == kind.code
    assert "Traceback" not in err
    for part in kind.says:
        assert part in err
    assert not (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.rules is None], ids=lambda kind: kind.name)
def test_quarantine_does_not_help_a_damaged_file(tamis, tmp_path, kind):
    (tmp_path / "in").mkdir()
    inputs = kind.write(tmp_path / "in")
    code, err = tamis("dedup", *inputs, "--out", tmp_path / "out", "--on-error", "quarantine", *kind.options)
    assert code == kind.code
    for part in kind.says:
        assert part in err
    assert not (tmp_path / "out" / "_SUCCESS").exists()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.rules is not None], ids=lambda kind: kind.name)
def test_damaged_records_go_to_quarantine(tamis, tmp_path, kind):
    (tmp_path / "in").mkdir()
    inputs = kind.write(tmp_path / "in")
    options = ("--on-error", "quarantine", "--threads", 1, *kind.options)
    assert tamis("dedup", *inputs, "--out", tmp_path / "out", *options) == (0, "")
    quarantine = pq.read_table(tmp_path / "out" / "quarantine").to_pylist()
    assert [(row["address"], row["rule"]) for row in quarantine] == sorted(kind.rules)
    total = json.loads((tmp_path / "out" / "manifest.json").read_text())["ledger"]["total"]
    assert total["read"]["rows"] == kind.read
    assert total["dropped"] == {}
    assert sum(amount["rows"] for amount in total["quarantined"].values()) == len(kind.rules)
    assert total["kept"]["rows"] == kind.read - len(kind.rules) == pq.read_table(tmp_path / "out" / "data").num_rows
    assert tamis("verify", tmp_path / "out") == (0, "")


def test_a_record_of_a_text_folder_is_named_by_its_file(tamis, tmp_path):
    _write({"in/a.txt": b"good", "in/b.txt": b"b\xff"}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--format", "text", "--out", tmp_path / "out")
    assert code == 3
    assert f"{tmp_path}/in/b.txt" in err


def test_files_without_any_record_are_named(tamis, tmp_path):
    _write({"in/pretty.json": json.dumps([{"text": "a"}], indent=1).encode()}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 3
    assert f"{tmp_path}/in/pretty.json" in err


def test_addresses_name_the_file_among_several(tamis, tmp_path):
    _write({"in/a.jsonl": lines(good(0)), "in/b.jsonl": lines(good(1), b"bad", good(2))}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "fails")
    assert code == 3
    assert f"record 1 of {tmp_path}/in/b.jsonl" in err
    assert tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", "--on-error", "quarantine") == (0, "")
    (row,) = pq.read_table(tmp_path / "out" / "quarantine").to_pylist()
    assert (row["address"], row["rule"], row["raw"]) == (address(1, 1), "invalid-json", b"bad")


@pytest.mark.parametrize("on_error", ["fail", "quarantine"])
@pytest.mark.parametrize(
    ("limit", "name", "data"),
    [
        ((jsonl, "MAX_LINE_BYTES"), "a.jsonl", LONG.replace(b"\n", b" ")),
        ((jsonl, "MAX_LINE_BYTES"), "a.jsonl.gz", gzip.compress(LONG.replace(b"\n", b" "))),
        ((delimited, "MAX_RECORD_BYTES"), "a.csv", b'text,n\n"' + b"word\n" * 4000),
    ],
)
def test_records_beyond_the_limit_are_refused(tamis, tmp_path, monkeypatch, limit, name, data, on_error):
    monkeypatch.setattr(*limit, 10_000)
    _write({f"in/{name}": data}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", "--on-error", on_error)
    assert code == 3
    assert f"at most 10000 bytes\n  found: a longer one in {tmp_path}/in/{name}" in err


def test_footers_that_promise_more_than_pages_hold_are_noticed(tamis, tmp_path):
    """The pages of the first row group hold none of the two records that the footer gives it."""
    seed = Path(__file__).parent.parent / "fuzz" / "corpus" / "parquet" / "footer-promises-more.parquet"
    _write({"in/a.parquet": seed.read_bytes()}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", "--on-error", "quarantine")
    assert code == 3
    assert f"{tmp_path}/in/a.parquet, near record " in err
    assert "the footer says that 5 come up to here" in err


def test_a_page_whose_checksum_is_wrong_is_damage_that_shows(tamis, tmp_path):
    data = parquet({"text": TEXTS}, compression="none", use_dictionary=False, write_page_checksum=True)
    _write({"in/a.parquet": data.replace(b"first text", b"first test")}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 3
    assert f"{tmp_path}/in/a.parquet, near record 0" in err


@pytest.mark.parametrize("role", ["--id", "--source"])
def test_names_that_are_no_utf8_go_to_quarantine(tamis, tmp_path, role):
    columns = {"text": TEXTS, "name": strings(b"a", b"b\xff", b"c")}
    _write({"in/a.parquet": parquet(columns)}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "fails", role, "name")
    assert code == 3
    assert f"record 1 of {tmp_path}/in/a.parquet" in err
    options = (role, "name", "--on-error", "quarantine")
    assert tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", *options) == (0, "")
    (row,) = pq.read_table(tmp_path / "out" / "quarantine").to_pylist()
    assert (row["address"], row["rule"]) == (1, "invalid-utf8")
    assert tamis("verify", tmp_path / "out") == (0, "")


@pytest.mark.parametrize("name", ["[/x]", "[red]x"])
def test_names_that_look_like_markup_are_shown_as_they_are(tamis, tmp_path, name):
    _write({"in/a.parquet": parquet({"text": TEXTS, name: [1, 2, 3]})}, tmp_path)
    _write({"in/b.parquet": parquet({"text": TEXTS, name: TEXTS})}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out")
    assert code == 3
    assert f"column {name!r} has one type in all inputs" in err


@pytest.mark.parametrize("source", ["../../escaped", "/escaped", "..", "a/../../b", "a\nb", "\u202e", "x" * 300, ""])
def test_names_of_sources_are_no_paths(tamis, tmp_path, source):
    columns = {"text": [*TEXTS, TEXTS[0], None], "where": [source] * 5}
    _write({"home/in/a.parquet": parquet(columns)}, tmp_path)
    config = {
        "inputs": [{"path": str(tmp_path / "home" / "in"), "source": source}],
        "columns": {"source": "where"},
        "stages": ["exact"],
        "on_error": "quarantine",
        "out": str(tmp_path / "home" / "out"),
    }
    (tmp_path / "p.yaml").write_text(json.dumps(config))
    assert tamis("run", tmp_path / "p.yaml", "--threads", 1) == (0, "")
    assert sorted(os.listdir(tmp_path)) == ["home", "p.yaml"]
    assert sorted(os.listdir(tmp_path / "home")) == ["in", "out"]
    assert os.listdir(tmp_path / "home" / "in") == ["a.parquet"]
    total = json.loads((tmp_path / "home" / "out" / "manifest.json").read_text())["ledger"]
    assert list(total["sources"]) == [source]
    assert tamis("verify", tmp_path / "home" / "out") == (0, "")


def test_an_output_inside_the_input_leaves_the_input_alone(tamis, tmp_path):
    _write({"in/a.jsonl": JSONL}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "in" / "deep" / "out")
    assert code == 2
    assert f"{tmp_path}/in/deep/out inside {tmp_path}/in" in err
    assert os.listdir(tmp_path / "in") == ["a.jsonl"]


def test_links_to_nowhere_in_a_folder_are_reported(tamis, tmp_path):
    """They hold nothing that could be lost, and a text folder goes on without them."""
    _write({"in/a.txt": b"good"}, tmp_path)
    (tmp_path / "in" / "b.txt").symlink_to("/nowhere/at/all")
    (tmp_path / "in" / "c.txt").mkdir()
    assert tamis("dedup", tmp_path / "in", "--format", "text", "--out", tmp_path / "out") == (0, "")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["ignored_inputs"] == report["unread_inputs"] == [f"{tmp_path}/in/b.txt"]
    assert report["ledger"]["total"]["kept"]["rows"] == 1


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_files_that_nobody_asked_to_leave_out_are_told_of(monkeypatch, capsys, tmp_path, dry):
    names = ["a.jsonl.lz4", "b.txt", "c.txt", "d.txt", ".hidden", "_SUCCESS"]
    _write({"in/a.jsonl": JSONL, **{f"in/{name}": b"text" for name in names}}, tmp_path)
    monkeypatch.setattr(sys, "argv", ["tamis", "dedup", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *dry])
    with pytest.raises(SystemExit):
        cli.main()
    shown = ", ".join(f"{tmp_path}/in/{name}" for name in names[:3])
    told = f"4 files were not read, of no known format or not a file: {shown} and 1 more. report.json lists all."
    assert told.replace(" ", "") in "".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_compressed_file_that_does_not_say_so_is_refused(tamis, tmp_path, name):
    _write({f"in/{name}": gzip.compress(LONG)}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", "--on-error", "quarantine")
    assert code == 3
    assert f"{tmp_path}/in/{name} begins as .gz files do" in err
    assert not (tmp_path / "out").exists()


def test_a_damaged_file_among_sound_ones_stops_the_run(tamis, tmp_path):
    _write({"in/a.jsonl": JSONL, "in/b.jsonl.gz": gzip.compress(LONG)[:-100], "in/c.jsonl": JSONL}, tmp_path)
    code, err = tamis("dedup", tmp_path / "in", "--out", tmp_path / "out", "--on-error", "quarantine")
    assert code == 3
    assert f"{tmp_path}/in/b.jsonl.gz: " in err
    assert not (tmp_path / "out" / "_SUCCESS").exists()
