from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from reader_contract import ReaderContract, body, read, splits_of

from tamis.connectors.corpus import InputSpec, open_corpus
from tamis.connectors.text_folder import SCHEMA
from tamis.hashing.errors import InputError


class TestTextFolder(ReaderContract):
    columns = SCHEMA
    subset = ["path", "text"]
    records = [
        {"text": text, "path": path, "folder": path.partition("/")[0]}
        for path, text in [
            ("a.txt", "at the top"),
            ("a/0.txt", ""),
            ("a/1.txt", "né\r\n\tà Paris\n"),
            ("a/b/c/2.txt", "日本語 🦊"),
            ("b/3", "no ending"),
            ("b/4.md", "nul \0 inside"),
            ("b/__init__.py", "names may start with underscores"),
            ("c d/5.txt", "x" * 1000),
            ("é/6.txt", "\ufeffa byte order mark stays"),
            ("日/7.txt", "last but one"),
            ("🦊/8.txt", "last"),
        ]
    ]

    def write(self, folder: Path, records: list[dict[str, Any]]) -> InputSpec:
        (folder / "texts").mkdir()
        for record in records:
            path = folder / "texts" / record["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(record["text"].encode())
        return InputSpec(str(folder / "texts"), format="text")

    def test_an_empty_file_has_no_records(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="an input names at least one file"):
            self.open(tmp_path, [])


def test_an_empty_text_is_a_record(tmp_path):
    (tmp_path / "a.txt").touch()
    (file,) = open_corpus([InputSpec(str(tmp_path), format="text")]).files
    assert body(read(file)).to_pylist() == [{"text": "", "path": "a.txt", "folder": "a.txt"}]


def test_bytes_stay_as_they_are(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9")
    (file,) = open_corpus([InputSpec(str(tmp_path), format="text")]).files
    assert read(file)["text"].combine_chunks().view(pa.large_binary()).to_pylist() == [b"caf\xe9"]


def test_splits_are_runs_of_files(tmp_path):
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("x" * 10)
    (file,) = open_corpus([InputSpec(str(tmp_path), format="text")]).files
    found = splits_of(file, split_bytes=20)
    assert [(s.first_record, s.records, s.members, s.size_bytes) for s in found] == [
        (0, 2, ("0.txt", "1.txt"), 20),
        (2, 2, ("2.txt", "3.txt"), 20),
        (4, 1, ("4.txt",), 10),
    ]


def test_a_file_that_vanishes_is_named(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    (file,) = open_corpus([InputSpec(str(tmp_path), format="text")]).files
    (tmp_path / "a.txt").unlink()
    with pytest.raises(InputError, match="an input can be opened") as error:
        read(file)
    assert str(tmp_path / "a.txt") in str(error.value)
