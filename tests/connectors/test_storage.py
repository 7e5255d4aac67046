import os
from pathlib import Path

import fsspec
import pytest

from tamis.connectors.storage import (
    ENDS_BYTES,
    ends_digest,
    exists,
    is_folder,
    is_local,
    list_files,
    locate,
    open_binary,
)
from tamis.hashing.errors import InputError


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def relatives(path: object) -> list[str]:
    return [stored.relative for stored in list_files(str(path))]


def test_a_folder_is_listed_with_everything_below(tmp_path):
    make(tmp_path, "b.txt", "a/deep/er.txt", "a.txt", ".hidden", "_x/y")
    assert relatives(tmp_path) == [".hidden", "_x/y", "a.txt", "a/deep/er.txt", "b.txt"]
    assert relatives(f"{tmp_path}/") == relatives(tmp_path)


def test_the_order_is_that_of_utf8_bytes(tmp_path):
    # UTF-16 code units, which some languages sort by, would put the emoji before the full-width letter.
    names = ["B", "a", "a-b", "a.b", "a/b", "a0", "z", "é", "日", "ｚ", "🦊"]
    make(tmp_path, *(n for n in names if n != "a"))
    assert relatives(tmp_path) == [n for n in names if n != "a"]


def test_paths_and_sizes_and_times(tmp_path):
    make(tmp_path, "x/one.txt")
    os.utime(tmp_path / "x/one.txt", (1, 1234.5))
    (stored,) = list_files(str(tmp_path))
    assert (stored.path, stored.size_bytes, stored.modified) == (str(tmp_path / "x/one.txt"), 9, "1234.5")


def test_one_file_is_relative_to_its_folder(tmp_path):
    make(tmp_path, "x/one.txt", "x/two.txt")
    assert relatives(tmp_path / "x/one.txt") == ["one.txt"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt", "b.txt"]),
        ("?.txt", ["a.txt", "b.txt"]),
        ("[b-z].txt", ["b.txt"]),
        ("x/*.txt", ["c.txt"]),
        ("*/*.txt", ["x/c.txt"]),
        ("**/*.txt", ["a.txt", "b.txt", "x/c.txt", "x/y/d.txt"]),
        ("x/**/*.txt", ["c.txt", "y/d.txt"]),
        ("x*", []),
    ],
)
def test_a_glob_is_relative_to_its_fixed_folders(tmp_path, pattern, expected):
    make(tmp_path, "b.txt", "a.txt", "x/c.txt", "x/y/d.txt", "n.md")
    if expected:
        assert relatives(tmp_path / pattern) == expected
    else:
        with pytest.raises(InputError):
            relatives(tmp_path / pattern)


def test_names_may_look_like_globs(tmp_path):
    make(tmp_path, "part[1].txt", "part1.txt", "w[0]/x.txt")
    assert relatives(tmp_path / "part[1].txt") == ["part[1].txt"]
    assert relatives(tmp_path / "w[0]") == ["x.txt"]


@pytest.mark.parametrize("name", ["gone", "gone.txt", "*.gone", "empty"])
def test_nothing_found_names_the_path(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="an input names at least one file") as error:
        relatives(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


def test_links_to_files_are_files_and_other_links_are_marked(tmp_path):
    make(tmp_path, "blobs/1f3a", "in/a.txt")
    (tmp_path / "in/b.txt").symlink_to("../blobs/1f3a")
    (tmp_path / "in/folder").symlink_to("../blobs")
    (tmp_path / "in/loop").symlink_to("..")
    (tmp_path / "in/broken.txt").symlink_to("nowhere")
    expected = {"a.txt": True, "b.txt": True, "broken.txt": False, "folder": False, "loop": False}
    assert {s.relative: s.is_file for s in list_files(str(tmp_path / "in"))} == expected
    expected = {"a.txt": True, "b.txt": True, "broken.txt": False}
    assert {s.relative: s.is_file for s in list_files(str(tmp_path / "in/*.txt"))} == expected
    (linked,) = list_files(str(tmp_path / "in/b.txt"))
    assert (linked.relative, linked.is_file, linked.size_bytes) == ("b.txt", True, len("blobs/1f3a"))


def test_other_storage():
    memory = fsspec.filesystem("memory")
    memory.pipe({"/test-storage/b.txt": b"12", "/test-storage/a/c.txt": b"345"})
    assert [(s.path, s.relative, s.size_bytes) for s in list_files("memory://test-storage")] == [
        ("memory:///test-storage/a/c.txt", "a/c.txt", 3),
        ("memory:///test-storage/b.txt", "b.txt", 2),
    ]
    assert relatives("memory://test-storage/*.txt") == ["b.txt"]
    assert relatives("memory://test-storage/a/c.txt") == ["c.txt"]
    with open_binary("memory:///test-storage/b.txt") as stream:
        assert stream.read() == b"12"
    assert not is_local("memory://test-storage")
    assert is_folder("memory://test-storage/a")
    assert not exists("memory://test-storage/z")
    memory.rm("/test-storage", recursive=True)


def test_local_paths(tmp_path):
    make(tmp_path, "a")
    assert is_local(str(tmp_path))
    assert is_local(f"file://{tmp_path}")
    assert (is_folder(str(tmp_path)), is_folder(str(tmp_path / "a"))) == (True, False)
    assert (exists(str(tmp_path / "a")), exists(str(tmp_path / "b"))) == (True, False)
    assert locate(f"file://{tmp_path}/a")[1] == str(tmp_path / "a")


@pytest.mark.parametrize("name", ["gone", "."])
def test_what_cannot_be_opened_is_named(tmp_path, name):
    with pytest.raises(InputError, match="an input can be opened") as error:
        open_binary(str(tmp_path / name))
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("size", [1, ENDS_BYTES - 1, ENDS_BYTES, ENDS_BYTES + 1, 2 * ENDS_BYTES, 3 * ENDS_BYTES])
def test_the_digest_covers_both_ends(tmp_path, size):
    path = tmp_path / "a"
    content = bytearray(size)

    def digest() -> str:
        path.write_bytes(content)
        return ends_digest(str(path), size)

    before = digest()
    assert digest() == before
    covered = {0, size - 1, min(ENDS_BYTES, size) - 1, max(0, size - ENDS_BYTES)}
    for at in covered:
        content[at] = 1
        assert digest() != before
        content[at] = 0
    for at in {size // 2} if size == 3 * ENDS_BYTES else set():
        content[at] = 1
        assert digest() == before
