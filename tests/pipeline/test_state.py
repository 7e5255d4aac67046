import json

import pytest

from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.pipeline.state import OutputFolder, check_place, make_folder, write_named


def test_a_fresh_folder_is_claimed_and_finished(tmp_path):
    folder = OutputFolder(tmp_path / "a" / "out", "run-1")
    with folder.claim():
        assert not folder.finished
        folder.finish()
    assert folder.finished
    assert not folder.work.exists()
    assert json.loads((folder.path / "_SUCCESS").read_text()) == {"run": "run-1"}


def test_the_same_run_may_continue(tmp_path):
    with OutputFolder(tmp_path / "out", "run-1").claim():
        pass
    with OutputFolder(tmp_path / "out", "run-1").claim():
        pass


@pytest.mark.parametrize("finished", [True, False])
def test_another_run_is_refused_with_both_names(tmp_path, finished):
    first = OutputFolder(tmp_path / "out", "run-1")
    with first.claim():
        (first.work / "documents").mkdir()
        (first.work / "documents" / "_SAVED").touch()
        if finished:
            first.finish()
    with (
        pytest.raises(ArtefactError, match="of run run-1, this is run run-2"),
        OutputFolder(tmp_path / "out", "run-2").claim(),
    ):
        pass


def test_two_at_a_time_are_refused(tmp_path):
    one, two = OutputFolder(tmp_path / "out", "run-1"), OutputFolder(tmp_path / "out", "run-1")
    with one.claim(), pytest.raises(ArtefactError, match="is in use"), two.claim():
        pass


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(ArtefactError, match="holds data"), OutputFolder(tmp_path, "run-1").claim():
        pass


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("x")
    with pytest.raises(ArtefactError, match="the output is a folder"), OutputFolder(tmp_path / "out", "r").claim():
        pass


def test_damaged_state_is_refused(tmp_path):
    (tmp_path / "_SUCCESS").write_text("{")
    with pytest.raises(ArtefactError, match="of run unreadable"), OutputFolder(tmp_path, "run-1").claim():
        pass


def test_an_attempt_that_saved_nothing_makes_room(tmp_path):
    first = OutputFolder(tmp_path / "out", "run-1")
    with first.claim():
        (first.work / "documents-x.unfinished").mkdir()
        (first.work / "schema.json").write_text("{}")
        (first.path / "config.yaml").write_text("x")
    second = OutputFolder(tmp_path / "out", "run-2")
    with second.claim():
        assert sorted(entry.name for entry in second.work.iterdir()) == ["lock", "run.json"]
    with pytest.raises(ArtefactError, match="is in use"), second.claim(), first.claim():
        pass


def test_places_that_cannot_be():
    check_place("s3://bucket/out", ["s3://bucket/in", "s3://bucket/out2"])
    for inputs in (["s3://bucket/out"], ["s3://bucket/"], ["in", "s3://bucket/out/"]):
        with pytest.raises(ConfigError, match="outside the input folders"):
            check_place("s3://bucket/out", inputs)


def test_an_output_lies_outside_the_inputs(tmp_path):
    for out in (tmp_path, tmp_path / "deep" / "out", tmp_path / "x" / ".." / "out"):
        with pytest.raises(ConfigError, match="outside the input folders"):
            check_place(str(out), [str(tmp_path)])
    check_place(str(tmp_path.parent / "beside"), [str(tmp_path), "s3://bucket/x"])


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    said = "the output folder can be made and written; found {}: {}. Choose another --out."
    with pytest.raises(ConfigError) as failed:
        make_folder(tmp_path / "file" / "out")
    assert str(failed.value) == said.format(tmp_path / "file" / "out", "Not a directory")
    with pytest.raises(ConfigError) as failed:
        make_folder(tmp_path / "file" / "_work", of=tmp_path / "file")
    assert str(failed.value) == said.format(tmp_path / "file", "Not a directory")


def test_a_file_that_an_option_names_is_written_or_refused(tmp_path):
    write_named(tmp_path / "x.html", "page", option="--html")
    assert (tmp_path / "x.html").read_text() == "page"
    with pytest.raises(ConfigError) as failed:
        write_named(tmp_path / "none" / "x.html", "page", option="--html")
    assert str(failed.value) == (
        f"the file of --html can be written; found {tmp_path}/none/x.html: No such file or directory. "
        "Name another place."
    )
