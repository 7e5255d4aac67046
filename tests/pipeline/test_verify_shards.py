"""Damage to shards that ``tamis verify`` names, also when sizes and checksums were forged to match."""

import hashlib
import json
import shutil
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from tamis.connectors.parquet_output import write_parquet
from tamis.jobs.api import run
from tamis.pipeline.config import make_config
from tamis.pipeline.verify import verify

SHAPE = "shards have the recorded shape"
FILES = "every file has its recorded size and sha256"
ROWS = "every record is kept, dropped or quarantined, once"
TEXTS = "every shard row is the record that the index says"
PLACES = "every row is in its set, and where the seed puts it"
CONTENTS = "files hold what is said of each source"
MIXTURE = "the mixture is what the shards hold"
LEDGER = "the ledger balances and agrees with the tables"
SHARD = "train/part-00000-of-00001.parquet"


@pytest.fixture(scope="module", params=["by text", "by id"])
def good(request, tmp_path_factory):
    """Return an output of a mixture with a held-out set."""
    tmp_path = tmp_path_factory.mktemp("good")
    rng = Random(3)
    for name in ("web", "wiki"):
        texts = [" ".join(rng.choices("abcdefgh", k=rng.randint(3, 20))) + f" {name} {i}" for i in range(150)]
        table = pa.table({"text": texts, "key": [f"{name}{i}" for i in range(150)], "source": [name] * 150})
        (tmp_path / "in").mkdir(exist_ok=True)
        pq.write_table(table, tmp_path / "in" / f"{name}.parquet")
    config = {
        "inputs": [{"path": str(tmp_path / "in")}],
        "columns": {"source": "source", "id": "key" if request.param == "by id" else None},
        "stages": ["exact"],
        "mixture": {"budget": 3000, "max_epochs": 2, "sources": {"web": 3, "wiki": 1}},
        "shards": {"splits": {"validation": 0.2}},
        "out": str(tmp_path / "out"),
    }
    return run(make_config(config)).out


@pytest.fixture
def out(good, tmp_path):
    """Return a copy to damage."""
    return Path(shutil.copytree(good, tmp_path / "out"))


def failures(out):
    return {check.name: " / ".join(check.faults) for check in verify(out) if not check.passed}


def forge(out, change):
    manifest = json.loads((out / "manifest.json").read_text())
    change(manifest)
    (out / "manifest.json").write_text(json.dumps(manifest))


def line_of(manifest, folder, name):
    return next(line for line in manifest["files"][folder] if line["name"] == name)


def rewrite(out, name, change, *, folder="data", groups=None):
    """Write a file anew with changed rows, and forge what the manifest says of it."""
    path = out / name if folder == "index" else out / folder / name
    footer = pq.read_metadata(path)
    sizes = groups or [footer.row_group(i).num_rows for i in range(footer.num_row_groups)]
    table = change(pq.read_table(path)).combine_chunks()
    ends = np.minimum(np.cumsum(sizes), table.num_rows)
    slices = [
        table.slice(end - size, size)
        for end, size in zip(ends.tolist(), np.diff(ends, prepend=0).tolist(), strict=True)
    ]
    long = ["text"] if folder == "data" else []
    written = write_parquet(path, iter(slices), table.schema, long=long, chunked=folder == "data")

    def forged(manifest):
        line = line_of(manifest, folder, name)
        line.update(rows=written.rows, size_bytes=written.size_bytes, sha256=written.sha256)
        if folder == "data":
            keys = ("rows", "offset", "size_bytes")
            line["groups"] = [dict(zip(keys, group, strict=True)) for group in written.groups.tolist()]

    forge(out, forged)


def in_index(out, change):
    rewrite(out, "index.parquet", change, folder="index")


def flip_a_byte(out):
    data = bytearray((out / "data" / SHARD).read_bytes())
    data[len(data) // 2] ^= 1
    (out / "data" / SHARD).write_bytes(data)


def cut_a_file_short(out):
    data = (out / "data" / SHARD).read_bytes()
    (out / "data" / SHARD).write_bytes(data[:-1])


def lose_a_file(out):
    (out / "data" / "validation" / "tail.parquet").unlink()


def add_a_file(out):
    (out / "data" / "train" / "part-00001-of-00001.parquet").write_bytes(b"PAR1")


def lose_a_row(out):
    rewrite(out, SHARD, lambda table: table.slice(1))


def double_a_row(out):
    rewrite(out, SHARD, lambda table: table.take(pa.array([0, 0, *range(2, table.num_rows)])))


def swapped(table):
    return table.take(pa.array([1, 0, *range(2, table.num_rows)]))


def swap_two_rows(out):
    rewrite(out, SHARD, swapped)

    def change(index):
        return swapped(index).set_column(0, "position", index["position"])

    in_index(out, change)


def swap_two_sets(out):
    """Exchange the first rows of two sets, in the files and in the index."""
    other = "validation/part-00000-of-00001.parquet"
    one, two = (pq.read_table(out / "data" / name).slice(0, 1) for name in (SHARD, other))
    rewrite(out, SHARD, lambda table: pa.concat_tables([two, table.slice(1)]))
    rewrite(out, other, lambda table: pa.concat_tables([one, table.slice(1)]))
    first = json.loads((out / "manifest.json").read_text())["sets"][1]["first_row"]

    def change(index):
        order = np.arange(index.num_rows)
        order[[0, first]] = first, 0
        return index.take(pa.array(order)).set_column(0, "position", index["position"])

    in_index(out, change)


def cut_groups_elsewhere(out):
    footer = pq.read_metadata(out / "data" / SHARD)
    size = footer.row_group(0).num_rows
    middle = [size] * (footer.num_row_groups - 2)
    rewrite(out, SHARD, lambda table: table, groups=[size - 1, *middle, size + 1])


def miscount_rows_before(out):
    forge(out, lambda manifest: line_of(manifest, "data", "validation/tail.parquet").update(first_row=1))


def misplace_a_group(out):
    forge(out, lambda manifest: line_of(manifest, "data", SHARD)["groups"][1].update(offset=4))


def rename_a_column(out):
    rewrite(out, SHARD, lambda table: table.rename_columns([*table.column_names[:-1], "origin"]))


def miscount_a_source(out):
    forge(out, lambda manifest: line_of(manifest, "data", SHARD)["sources"]["web"].update(rows=1))


def miscount_tokens(out):
    def change(index):
        place = index.schema.get_field_index("tokens")
        tokens = pc.add(index["tokens"], pa.array([1] + [0] * (index.num_rows - 1)))
        return index.set_column(place, "tokens", tokens)

    in_index(out, change)


def misreport_the_mixture(out):
    path = out / "mixture.yaml"
    said = yaml.safe_load(path.read_text())
    said["sources"]["wiki"]["emitted"] += 1
    path.write_text(yaml.safe_dump(said))


def ask_for_another_mixture(out):
    path = out / "mixture.yaml"
    said = yaml.safe_load(path.read_text())
    said["sources"]["wiki"]["weight"] += 1
    path.write_text(yaml.safe_dump(said))


def misplace_a_set(out):
    forge(out, lambda manifest: manifest["sets"][1].update(first_row=1))


def claim_another_tail(out):
    forge(out, lambda manifest: manifest["sets"][1]["layout"].update(tail_rows=10**6))


def claim_another_split(out):
    forge(out, lambda manifest: manifest["sets"][1].update(split="test"))


def claim_another_schema(out):
    forge(out, lambda manifest: manifest["schema"][0].update(type="binary"))


def exchange_bytes(out):
    def change(index):
        place = index.schema.get_field_index("bytes")
        more = pa.array([1, -1] + [0] * (index.num_rows - 2))
        return index.set_column(place, "bytes", pc.add(index["bytes"], more))

    in_index(out, change)


def miscount_an_unsampled_row(out):
    def change(table):
        place = table.schema.get_field_index("bytes")
        return table.set_column(place, "bytes", pc.add(table["bytes"], 1))

    rewrite(out, "part-00000.parquet", change, folder="unsampled")


def lose_the_mixture(out):
    (out / "mixture.yaml").unlink()


def change_a_pass(out):
    def change(index):
        place = index.schema.get_field_index("epoch")
        epochs = index["epoch"].to_numpy().copy()
        epochs[np.flatnonzero(epochs == 1)[0]] = 2
        return index.set_column(place, "epoch", pa.array(epochs))

    in_index(out, change)


def claim_a_pass_twice(out):
    def change(index):
        place = index.schema.get_field_index("epoch")
        epochs = index["epoch"].to_numpy().copy()
        epochs[np.flatnonzero(epochs == 1)[0]] = 0
        return index.set_column(place, "epoch", pa.array(epochs))

    in_index(out, change)


def lose_an_unsampled_row(out):
    rewrite(out, "part-00000.parquet", lambda table: table.slice(1), folder="unsampled")


def unbalance_the_ledger(out):
    forge(out, lambda manifest: manifest["ledger"]["sources"]["web"]["repeated"].update(rows=1))


DAMAGES = [
    (flip_a_byte, FILES, "train/part-00000-of-00001.parquet has sha256"),
    (cut_a_file_short, FILES, "as recorded"),
    (lose_a_file, FILES, "validation/tail.parquet is missing"),
    (add_a_file, FILES, "part-00001-of-00001.parquet is not in the manifest"),
    (lose_a_row, SHAPE, "rows, the layout says"),
    (double_a_row, TEXTS, "1 row with another text than the index says"),
    (swap_two_rows, PLACES, "not stand where the seed says"),
    (swap_two_sets, PLACES, "2 rows are in another set than the content says"),
    (cut_groups_elsewhere, SHAPE, "has row groups of"),
    (miscount_rows_before, SHAPE, "is said to begin at row 1"),
    (misplace_a_group, SHAPE, "row groups at other places than recorded"),
    (rename_a_column, SHAPE, "other columns than recorded"),
    (miscount_a_source, CONTENTS, "train/part-00000-of-00001.parquet holds other amounts"),
    (miscount_tokens, CONTENTS, "holds other amounts"),
    (misreport_the_mixture, MIXTURE, "of 'wiki'"),
    (ask_for_another_mixture, MIXTURE, "the settings for"),
    (misplace_a_set, SHAPE, "fields that contradict one another"),
    (claim_another_tail, SHAPE, "fields that contradict one another"),
    (claim_another_split, PLACES, "the sets are"),
    (claim_another_schema, SHAPE, "the fingerprint of the schema is of another one"),
    (exchange_bytes, TEXTS, "2 rows with another text"),
    (miscount_an_unsampled_row, LEDGER, "bytes for unsampled"),
    (lose_the_mixture, MIXTURE, "cannot be read"),
    (change_a_pass, MIXTURE, "1 row lacks a pass"),
    (claim_a_pass_twice, ROWS, "1 record is in the shards twice in one pass"),
    (lose_an_unsampled_row, ROWS, "records, "),
    (unbalance_the_ledger, LEDGER, "source 'web'"),
]


def test_a_good_output_passes(out):
    assert failures(out) == {}
    index = pq.read_table(out / "index.parquet")
    assert set(index["epoch"].to_pylist()) == {0, 1}
    assert (
        hashlib.sha256((out / "data" / SHARD).read_bytes()).hexdigest()
        == line_of(json.loads((out / "manifest.json").read_text()), "data", SHARD)["sha256"]
    )


@pytest.mark.parametrize(("damage", "check", "fault"), DAMAGES, ids=[damage.__name__ for damage, *_ in DAMAGES])
def test_damage_is_named(out, damage, check, fault):
    damage(out)
    found = failures(out)
    assert fault in found[check]


def test_rewriting_alone_is_no_damage(out):
    """What the forged damages change is what they are named for, and not how files are written anew."""
    rewrite(out, SHARD, lambda table: table)
    in_index(out, lambda index: index)
    assert failures(out) == {}


def test_a_witness_may_be_kept_and_not_written(tmp_path):
    notice = "all rights of this page are reserved by its owner, and by nobody else"
    texts = [f"a text of number {i} that says a thing or two\n{notice}" for i in range(60)]
    pq.write_table(pa.table({"text": texts * 2}), tmp_path / "in.parquet")
    config = {
        "inputs": [{"path": str(tmp_path / "in.parquet")}],
        "stages": ["exact", {"paragraphs": {"rows": 3}}],
        "shards": {"sample": 0.3},
        "out": str(tmp_path / "out"),
    }
    out = run(make_config(config)).out
    left = pq.read_table(out / "unsampled")["address"].to_pylist()
    assert set(pq.read_table(out / "decisions")["keeper_address"].to_pylist()) & set(left)
    assert set(pq.read_table(out / "edits")["keeper_address"].to_pylist()) <= set(left)
    assert failures(out) == {}


def test_columns_of_maps_are_those_that_were_recorded(tmp_path):
    pairs = pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64()))
    pq.write_table(pa.table({"text": ["one", "two"], "pairs": pairs}), tmp_path / "in.parquet")
    out = run(make_config({"inputs": [{"path": str(tmp_path / "in.parquet")}], "out": str(tmp_path / "out")})).out
    assert failures(out) == {}
