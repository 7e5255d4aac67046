"""The journal: steps in order, what a stop leaves of a line, one writer."""

import pytest

from tamis.hashing.errors import ArtefactError
from tamis.pipeline.lake.journal import Entry, Journal

FIRST = Entry("moving", 1, "é/some", "all", "/lake/é/some", "/q/1/é/some")
SECOND = Entry("moving", 2, "other", "all", "/lake/other", "/q/2/other")


def write(folder, *entries):
    journal = Journal(folder)
    with journal.opened() as pen:
        for entry in entries:
            pen.write(entry)
    return journal


def steps(journal):
    return [(entry.event, entry.number, entry.how) for entry in journal.entries]


def test_what_was_written_is_read(tmp_path):
    written = write(tmp_path, FIRST, FIRST.to("moved"), SECOND)
    assert Journal(tmp_path).entries == written.entries
    assert [entry.event for entry in Journal(tmp_path).gone()] == ["moved", "moving"]
    assert Journal(tmp_path).entries[0].at.endswith("+00:00")
    write(tmp_path, FIRST.to("restoring", "rebuilt"), SECOND.to("restored", "stayed"))
    assert [(entry.table, entry.event, entry.how) for entry in Journal(tmp_path).gone()] == [
        ("é/some", "restoring", "rebuilt")
    ]
    assert sorted(Journal(tmp_path).last()) == [1, 2]


def test_half_a_line_is_no_step(tmp_path):
    write(tmp_path, FIRST)
    path = tmp_path / "journal.jsonl"
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole + whole[:cut])
        assert steps(Journal(tmp_path)) == [("moving", 1, "")]
    write(tmp_path, FIRST.to("moved"))
    assert steps(Journal(tmp_path)) == [("moving", 1, ""), ("moved", 1, "")]


def test_a_damaged_line_is_said(tmp_path):
    write(tmp_path, FIRST)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event": "moved"}\n' + path.read_bytes())
    with pytest.raises(ArtefactError, match="line 1 of"):
        Journal(tmp_path)


def test_a_step_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    def full(opened):
        raise OSError(28, "No space left on device")

    write(tmp_path, FIRST)
    with monkeypatch.context() as patched, Journal(tmp_path).opened() as pen:
        patched.setattr("os.fsync", full)
        with pytest.raises(ArtefactError, match=r"journal\.jsonl: No space left on device"):
            pen.write(SECOND)


def test_one_writer(tmp_path):
    with Journal(tmp_path).opened():
        with pytest.raises(ArtefactError, match="one process at a time"):
            write(tmp_path, FIRST)
        assert Journal(tmp_path).entries == []
    write(tmp_path, FIRST)
