import json

import pytest
from shard_sets import rows, write_set, write_sets

from tamis.hashing.errors import ArtefactError, ConfigError, InputError
from tamis.reader.shard_set import Run, open_sets


@pytest.fixture
def out(tmp_path):
    return write_set(tmp_path / "out", files=2, groups=3, group_rows=4, tail_rows=6)


def change(out, change):
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_a_set_is_what_the_manifest_says(out):
    (found,) = open_sets(str(out), ["train"])
    assert (found.rows, found.shape.groups, found.shape.group_rows, found.shape.tail_rows) == (30, 6, 4, 6)
    assert [file.name for file in found.files] == [
        "part-00000-of-00002.parquet",
        "part-00001-of-00002.parquet",
        "tail.parquet",
    ]
    assert found.schema == (
        ("id", "int64"),
        ("text", "large_string"),
        ("source", "dictionary<values=string, indices=int32, ordered=0>"),
    )


def test_rows_are_found_by_number(out):
    (found,) = open_sets(str(out), ["train"])
    assert found.runs(10, 8) == [Run(0, 2, 2, 2), Run(1, 0, 0, 4), Run(1, 1, 0, 2)]
    assert found.runs(23, 7) == [Run(1, 2, 3, 1), Run(2, 0, 0, 4), Run(2, 1, 0, 2)]


def test_a_group_takes_what_its_text_does(out):
    (found,) = open_sets(str(out), ["train"])
    assert found.group_bytes == max(size for file in found.files for _, size in file.groups)
    long = rows(range(8), ["x" * 10_000] * 8)
    (found,) = open_sets(str(write_sets(out.parent / "long", {"train": (long, 1, 2, 4)})), ["train"])
    assert found.group_bytes == 40_000


def test_sets_have_places_in_the_output(tmp_path):
    out = write_sets(tmp_path / "out", {"train": (rows(range(20)), 1, 2, 8), "test": (rows(range(20, 31)), 1, 2, 4)})
    train, test = open_sets(str(out), ["train", "test"])
    assert (train.first_row, test.first_row) == (0, 20)
    assert [file.name for file in test.files] == ["test/part-00000-of-00001.parquet", "test/tail.parquet"]
    assert train.fingerprint != test.fingerprint


def test_a_fingerprint_is_of_the_files(out, tmp_path):
    (first,) = open_sets(str(out), ["train"])
    copy = write_set(tmp_path / "copy", files=2, groups=3, group_rows=4, tail_rows=6)
    other = write_set(tmp_path / "other", files=2, groups=3, group_rows=4, tail_rows=6, first=1)
    assert open_sets(str(copy), ["train"])[0].fingerprint == first.fingerprint
    assert open_sets(str(other), ["train"])[0].fingerprint != first.fingerprint


def test_a_url_is_read_as_a_path_is(out):
    assert open_sets(out.as_uri(), ["train"])[0].fingerprint == open_sets(str(out), ["train"])[0].fingerprint


def test_an_unknown_set_is_refused_with_those_there_are(out):
    with pytest.raises(ConfigError, match=r"a set is one of the output; found validation\. .* has train"):
        open_sets(str(out), ["validation"])
    with pytest.raises(ConfigError, match="reads a set at least"):
        open_sets(str(out), [])


def test_a_folder_without_manifest_is_refused(tmp_path):
    for out in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArtefactError, match="an output folder has a manifest"):
            open_sets(str(out), ["train"])


def test_storage_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(InputError, match="storage can be reached"):
        open_sets(str(tmp_path), ["train"])


def test_another_version_is_refused_with_both(out):
    change(out, lambda manifest: manifest.update(format_version=2))
    with pytest.raises(ArtefactError, match="tamis-shards version 3; found .* tamis-shards version 2"):
        open_sets(str(out), ["train"])


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\udcff"])
def test_what_is_no_manifest_is_refused(out, text):
    (out / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ArtefactError, match="a manifest is"):
        open_sets(str(out), ["train"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.pop("sets"),
        lambda manifest: manifest["sets"][0]["layout"].update(rows=31),
        lambda manifest: manifest["sets"][0]["layout"].update(files=3),
        lambda manifest: manifest["sets"][0]["layout"].update(group_rows="many"),
        lambda manifest: manifest["sets"][0]["layout"].update(groups=-3),
        lambda manifest: manifest["files"]["data"].pop(),
        lambda manifest: manifest["files"]["data"][0]["groups"].pop(),
        lambda manifest: manifest["files"]["data"][0].update(rows=13),
        lambda manifest: manifest["files"]["data"][0].update(name="../secret.parquet"),
        lambda manifest: manifest["files"]["data"][0].update(name="a/b/c.parquet"),
        lambda manifest: manifest["files"]["data"][0].update(name="/etc/passwd"),
        lambda manifest: manifest["files"]["data"][0].update(name=""),
        lambda manifest: manifest["files"].update(data=None),
    ],
)
def test_a_manifest_that_contradicts_itself_is_refused(out, damage):
    change(out, damage)
    with pytest.raises(ArtefactError, match="agrees with itself"):
        open_sets(str(out), ["train"])


def test_a_url_of_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="a URL is of a kind that Arrow opens"):
        open_sets("gopher://host/out", ["train"])
