import gzip
import json
import os
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reader_contract import body, read

from tamis.connectors.corpus import InputSpec, open_corpus, plan_splits, split_schema
from tamis.connectors.text_folder import SCHEMA as TEXT_SCHEMA
from tamis.hashing.errors import ConfigError, InputError


def put(root: Path, *names: str) -> None:
    """Make small files that hold their own name, in the format of their ending."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"text": name}).encode() + b"\n"
        if name.endswith((".parquet", ".pq")):
            pq.write_table(pa.table({"text": [name]}), path)
        else:
            path.write_bytes(gzip.compress(line) if name.endswith(".gz") else line)


def relatives(*specs: InputSpec) -> list[str]:
    return [file.relative for file in open_corpus(specs).files]


def test_files_are_ordered_by_argument_then_by_path(tmp_path):
    put(tmp_path, "z/b.jsonl", "z/a/c.parquet", "z/a.jsonl", "a/x.jsonl", "é.jsonl")
    specs = [InputSpec(str(tmp_path / name)) for name in ("z", "é.jsonl", "a")]
    corpus = open_corpus(specs)
    assert [(f.ordinal, f.relative, f.source) for f in corpus.files] == [
        (0, "a.jsonl", "z"),
        (1, "a/c.parquet", "z"),
        (2, "b.jsonl", "z"),
        (3, "é.jsonl", "é.jsonl"),
        (4, "x.jsonl", "a"),
    ]
    assert corpus.ignored == ()
    assert corpus.size_bytes == sum(Path(f.path).stat().st_size for f in corpus.files)


def test_formats_go_by_ending(tmp_path):
    names = ["a.json", "b.jsonl", "c.ndjson", "d.JSONL", "e.jsonl.gz", "f.parquet", "g.pq"]
    put(tmp_path, *names)
    found = [(f.relative, f.format, f.compression) for f in open_corpus([InputSpec(str(tmp_path))]).files]
    assert found == [
        ("a.json", "jsonl", ""),
        ("b.jsonl", "jsonl", ""),
        ("c.ndjson", "jsonl", ""),
        ("d.JSONL", "jsonl", ""),
        ("e.jsonl.gz", "jsonl", "gzip"),
        ("f.parquet", "parquet", ""),
        ("g.pq", "parquet", ""),
    ]
    for file in open_corpus([InputSpec(str(tmp_path))]).files:
        assert body(read(file)).to_pylist() == [{"text": file.relative}]


def test_a_named_format_wins_over_the_ending(tmp_path):
    put(tmp_path, "a.log", "b.txt")
    assert [f.format for f in open_corpus([InputSpec(str(tmp_path), format="jsonl")]).files] == ["jsonl", "jsonl"]
    assert [f.format for f in open_corpus([InputSpec(str(tmp_path / "a.log"), format="jsonl")]).files] == ["jsonl"]


def test_the_source_is_named_or_the_arguments_own_name(tmp_path):
    put(tmp_path, "wiki/a.jsonl")
    (tmp_path / "wiki/b.txt").write_text("x")
    for path, source in [("wiki", "wiki"), ("wiki/", "wiki"), ("wiki/a.jsonl", "a.jsonl"), ("wiki/*.jsonl", "*.jsonl")]:
        (file,) = open_corpus([InputSpec(f"{tmp_path}/{path}")]).files
        assert file.source == source
    (file,) = open_corpus([InputSpec(f"{tmp_path}/wiki", source="enwiki")]).files
    assert file.source == "enwiki"
    (file,) = open_corpus([InputSpec(f"{tmp_path}/wiki", format="text")]).files
    assert (file.source, file.relative) == ("wiki", "wiki")


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ((), (), ["a.jsonl", "x/a.jsonl", "x/y/b.jsonl", "z/b.jsonl"]),
        (("x/*",), (), ["x/a.jsonl", "x/y/b.jsonl"]),
        (("a.jsonl",), (), ["a.jsonl"]),
        (("**/a.jsonl",), (), ["a.jsonl", "x/a.jsonl"]),
        (("**/b.jsonl",), (), ["x/y/b.jsonl", "z/b.jsonl"]),
        (("x/**/*.jsonl",), (), ["x/a.jsonl", "x/y/b.jsonl"]),
        (("**/x/**/b.jsonl",), (), ["x/y/b.jsonl"]),
        (("x/*", "z/*"), ("*/a.*",), ["x/y/b.jsonl", "z/b.jsonl"]),
        ((), ("**/b.jsonl",), ["a.jsonl", "x/a.jsonl"]),
        (("[ab].jsonl",), (), ["a.jsonl"]),
    ],
)
def test_include_and_exclude(tmp_path, include, exclude, expected):
    names = ["a.jsonl", "x/a.jsonl", "x/y/b.jsonl", "z/b.jsonl"]
    put(tmp_path, *names)
    corpus = open_corpus([InputSpec(str(tmp_path), include=include, exclude=exclude)])
    assert [f.relative for f in corpus.files] == expected
    assert corpus.ignored == tuple(str(tmp_path / n) for n in names if n not in expected)


def test_hidden_and_marked_files_are_ignored_and_reported(tmp_path):
    put(tmp_path, "a.jsonl")
    ignored = [
        ".x.jsonl",
        ".git/x.jsonl",
        "_SUCCESS",
        "_temporary/x.jsonl",
        "b/.y/z.jsonl",
        "README.md",
        "c.pdf",
        "json",
    ]
    put(tmp_path, *ignored)
    corpus = open_corpus([InputSpec(str(tmp_path))])
    assert [f.relative for f in corpus.files] == ["a.jsonl"]
    assert sorted(corpus.ignored) == sorted(str(tmp_path / name) for name in ignored)
    assert sorted(corpus.unread) == [str(tmp_path / name) for name in ("README.md", "c.pdf", "json")]
    assert open_corpus([InputSpec(str(tmp_path), include=("*.jsonl", "*.pdf"))]).unread == (str(tmp_path / "c.pdf"),)


def test_hidden_files_are_read_when_they_are_named(tmp_path):
    put(tmp_path, "_part.jsonl", ".cache/a.jsonl")
    assert relatives(InputSpec(str(tmp_path / "_part.jsonl"))) == ["_part.jsonl"]
    assert relatives(InputSpec(str(tmp_path / ".cache"))) == ["a.jsonl"]


@pytest.mark.parametrize("name", ["a.pdf", "a", "a.txt", "a.json.txt", "a.gz"])
def test_a_file_of_unknown_ending_is_refused_with_a_remedy(tmp_path, name):
    put(tmp_path, name)
    with pytest.raises(InputError, match="a file's ending names its format") as error:
        open_corpus([InputSpec(str(tmp_path / name))])
    assert str(tmp_path / name) in str(error.value)
    assert error.value.remedy == "Name its `format`."


def test_a_folder_without_anything_to_read_is_refused(tmp_path):
    put(tmp_path, "good/a.jsonl", "bad/notes.md", "bad/table.pdf", "good/skipped.md")
    with pytest.raises(InputError, match="an input holds files of a known format") as error:
        open_corpus([InputSpec(str(tmp_path / name)) for name in ("good", "bad")])
    assert error.value.value == f"{tmp_path}/bad with {tmp_path}/bad/notes.md, {tmp_path}/bad/table.pdf"


def test_what_does_not_exist_is_refused(tmp_path):
    with pytest.raises(InputError, match="an input exists"):
        open_corpus([InputSpec(str(tmp_path / "gone.jsonl"))])
    with pytest.raises(InputError, match="an input names at least one file"):
        open_corpus([InputSpec(str(tmp_path / "*.jsonl"))])
    with pytest.raises(InputError, match="an input names at least one file"):
        open_corpus([InputSpec(str(tmp_path))])


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a format is one of parquet, jsonl, csv, arrow, warc, text"):
        open_corpus([InputSpec(str(tmp_path), format="pdf")])


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    put(tmp_path, "part[1].jsonl", "part1.jsonl")
    assert relatives(InputSpec(str(tmp_path / "part[1].jsonl"))) == ["part[1].jsonl"]


def test_links_to_files_are_read_and_others_reported(tmp_path):
    put(tmp_path, "blobs/a.jsonl", "in/b.jsonl")
    (tmp_path / "in/a.jsonl").symlink_to("../blobs/a.jsonl")
    (tmp_path / "in/more.jsonl").symlink_to("../blobs")
    for path in ("in", "in/*.jsonl"):
        corpus = open_corpus([InputSpec(str(tmp_path / path))])
        assert [f.relative for f in corpus.files] == ["a.jsonl", "b.jsonl"]
        assert corpus.ignored == corpus.unread == (str(tmp_path / "in/more.jsonl"),)
    assert body(read(corpus.files[0])).to_pylist() == [{"text": "blobs/a.jsonl"}]


def test_names_that_are_not_utf8_are_refused(tmp_path):
    put(tmp_path, "caf\udce9.jsonl", "ok.jsonl")
    with pytest.raises(InputError, match="the names of input files are UTF-8"):
        open_corpus([InputSpec(str(tmp_path))])
    with pytest.raises(InputError, match="the names of input files are UTF-8"):
        open_corpus([InputSpec(str(tmp_path), format="text")])
    assert relatives(InputSpec(str(tmp_path), exclude=("caf*",))) == ["ok.jsonl"]


def test_a_text_folder_is_one_file_with_members(tmp_path):
    for name in ("b.txt", "a/c.txt", "a/d.md", "__init__.py", ".git/config", "a/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    corpus = open_corpus([InputSpec(str(tmp_path), format="text", exclude=("**/*.md",))])
    (file,) = corpus.files
    assert [m.relative for m in file.members] == ["__init__.py", "a/c.txt", "b.txt"]
    assert (file.format, file.path, file.size_bytes) == ("text", str(tmp_path), len("__init__.pya/c.txtb.txt"))
    assert corpus.ignored == tuple(str(tmp_path / name) for name in (".git/config", "a/.DS_Store", "a/d.md"))
    assert corpus.unread == ()
    (split,) = plan_splits(file, split_bytes=1 << 20)
    assert split_schema(split, batch_bytes=1 << 20) == TEXT_SCHEMA


def test_a_text_input_is_a_folder(tmp_path):
    put(tmp_path, "a.jsonl")
    with pytest.raises(InputError, match="a text input is a folder"):
        open_corpus([InputSpec(str(tmp_path / "a.jsonl"), format="text")])
    with pytest.raises(InputError, match="an input holds files of a known format"):
        open_corpus([InputSpec(str(tmp_path), format="text", include=("*.txt",))])


@pytest.mark.parametrize("kind", [None, "text"])
def test_the_fingerprint_changes_with_any_file(tmp_path, kind):
    put(tmp_path, "a.jsonl", "b.jsonl")

    def now() -> str:
        return open_corpus([InputSpec(str(tmp_path), format=kind)]).fingerprint

    def touch(name: str, at: float) -> None:
        os.utime(tmp_path / name, (at, at))

    touch("a.jsonl", 1000)
    touch("b.jsonl", 1000)
    seen = [now()]
    assert now() == seen[0]

    touch("b.jsonl", 2000)
    seen.append(now())
    (tmp_path / "b.jsonl").write_bytes(b'{"text": "another"}\n')
    touch("b.jsonl", 2000)
    seen.append(now())
    (tmp_path / "b.jsonl").rename(tmp_path / "c.jsonl")
    seen.append(now())
    put(tmp_path, "d.jsonl")
    seen.append(now())
    (tmp_path / "a.jsonl").unlink()
    seen.append(now())
    assert len(set(seen)) == len(seen)


def test_the_fingerprint_sees_new_content_of_equal_size_and_time(tmp_path):
    path = tmp_path / "a.jsonl"
    found = set()
    for text in ("abc", "abd"):
        path.write_text(json.dumps({"text": text}))
        os.utime(path, (1000, 1000))
        found.add(open_corpus([InputSpec(str(path))]).fingerprint)
    assert len(found) == 2


def test_the_fingerprint_does_not_depend_on_where_the_corpus_is(tmp_path):
    found = set()
    for place in ("here", "there"):
        put(tmp_path / place, "a.jsonl")
        os.utime(tmp_path / place / "a.jsonl", (1000, 1000))
        found.add(open_corpus([InputSpec(str(tmp_path / place))]).fingerprint)
    assert len(found) == 1


def test_a_corpus_travels(tmp_path):
    put(tmp_path, "a.jsonl", "b.parquet")
    corpus = open_corpus([InputSpec(str(tmp_path))])
    assert pickle.loads(pickle.dumps(corpus)) == corpus
