"""Moves on one file system and between two, and what is left of those that were stopped."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from tamis.connectors import moved
from tamis.connectors.moved import digests, is_moved, move, unfinished
from tamis.hashing.errors import InputError


@pytest.fixture
def two_disks(monkeypatch):
    rename = os.rename

    def across(source, target):
        if Path(source).parent.name != Path(target).parent.name:
            raise OSError(errno.EXDEV, "another disk")
        rename(source, target)

    monkeypatch.setattr(os, "rename", across)


def write(path, folder):
    if not folder:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
        return
    (path / "deep").mkdir(parents=True)
    (path / "one").write_bytes(b"abc")
    (path / "deep" / "two").write_bytes(b"d" * 70_000)


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("disks", [1, 2])
def test_a_move(tmp_path, request, folder, disks):
    source, target = tmp_path / "a" / "x", tmp_path / "b" / "c" / "x"
    write(source, folder)
    before = digests(source)
    if disks == 2:
        request.getfixturevalue("two_disks")
    target.parent.mkdir(parents=True)
    write(unfinished(target), folder)
    move(source, target)
    assert digests(target) == before
    assert [path for path in tmp_path.rglob("*") if "unfinished" in path.name] == []
    assert not source.exists()
    assert is_moved(source, target)


def test_a_copy_that_differs_is_refused(tmp_path, two_disks, monkeypatch):
    source, target = tmp_path / "a" / "x", tmp_path / "b" / "x"
    write(source, False)
    monkeypatch.setattr(shutil, "copy2", lambda source, target: Path(target).write_bytes(b"abd"))
    with pytest.raises(InputError, match="a copy has the bytes"):
        move(source, target)
    assert source.read_bytes() == b"abc"
    assert not target.exists()


def test_what_cannot_be_moved_is_said(tmp_path):
    with pytest.raises(InputError, match="a table can be moved.*No such file"):
        move(tmp_path / "x", tmp_path / "y")


@pytest.mark.parametrize("folder", [False, True])
def test_how_far_a_move_had_come(tmp_path, folder):
    source, target = tmp_path / "a" / "x", tmp_path / "b" / "x"
    write(source, folder)
    write(unfinished(target), folder)
    assert not is_moved(source, target)
    assert not unfinished(target).exists()
    shutil.copytree(source, target) if folder else shutil.copy(source, target)
    assert is_moved(source, target)
    assert not source.exists()
    write(unfinished(source), folder)
    assert is_moved(source, target)
    assert [path.name for path in (tmp_path / "a").iterdir()] == []


def test_two_that_differ_or_none_are_said(tmp_path):
    source, target = tmp_path / "x", tmp_path / "y"
    with pytest.raises(InputError, match="where it was or in the quarantine"):
        is_moved(source, target)
    source.write_text("1")
    target.write_text("2")
    with pytest.raises(InputError, match="with different bytes"):
        is_moved(source, target)
    assert (source.read_text(), target.read_text()) == ("1", "2")


def test_digests_of_files_and_folders(tmp_path):
    write(tmp_path / "x", True)
    of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digests(tmp_path / "x") == {"one": of_abc, "deep/two": moved.sha256_of(tmp_path / "x" / "deep" / "two")}
    assert digests(tmp_path / "x" / "one") == {"": of_abc}
