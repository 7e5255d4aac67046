"""``tamis verify`` notices every kind of damage, also when checksums were forged to match."""

import hashlib
import json
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import tamis
from tamis.hashing.errors import ArtefactError
from tamis.pipeline.verify import verify

WORDS = [f"word{i}" for i in range(60)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a run: only to be read."""
    folder = tmp_path_factory.mktemp("made")
    texts = [" ".join(WORDS[i % 7 : i % 7 + 40]) + f" tail {i // 7}" for i in range(40)] + ["again"] * 3 + [None]
    pq.write_table(pa.table({"text": texts}), folder / "in.parquet")
    return tamis.dedup(folder / "in.parquet", out=folder / "out", on_error="quarantine").out


@pytest.fixture
def out(made, tmp_path):
    """A copy of an output, to be damaged."""
    return shutil.copytree(made, tmp_path / "out")


def failures(out):
    return {check.name: check.faults for check in verify(out) if not check.passed}


def rewrite(out, folder, name, change):
    """Change a table and forge the manifest's checksum."""
    path = out / name if folder == "index" else out / folder / name
    table = change(pq.read_table(path))
    pq.write_table(table, path)
    manifest = json.loads((out / "manifest.json").read_text())
    for line in manifest["files"][folder]:
        if line["name"] == name:
            data = path.read_bytes()
            line.update(size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), rows=table.num_rows)
    (out / "manifest.json").write_text(json.dumps(manifest))


def test_a_good_output_passes(out):
    assert failures(out) == {}


@pytest.fixture(scope="module")
def made_with_cuts(tmp_path_factory):
    """The folder of a run that cut paragraphs and benchmark items out: only to be read."""
    folder = tmp_path_factory.mktemp("cuts")
    notice, item = "this line is at the foot of all pages", "six words that nobody may read"
    texts = [f"page {i} {item if i % 2 else ''} goes on\n{notice}" for i in range(8)]
    pq.write_table(pa.table({"text": texts}), folder / "in.parquet")
    pq.write_table(pa.table({"text": [item]}), folder / "items.parquet")
    stages = [
        {"decontaminate": {"benchmarks": [{"path": str(folder / "items.parquet")}], "action": "cut"}},
        {"paragraphs": {"min_bytes": 10, "rows": 5}},
    ]
    settings = {"inputs": [{"path": str(folder / "in.parquet")}], "stages": stages, "out": str(folder / "out")}
    return tamis.run(tamis.Pipeline(**settings)).out


@pytest.fixture
def cut(made_with_cuts, tmp_path):
    """A copy of an output with cuts, to be damaged."""
    return shutil.copytree(made_with_cuts, tmp_path / "out")


CUTS = "cuts lie apart, and each says what for"


def test_a_good_output_with_cuts_passes(cut):
    checks = list(verify(cut))
    assert CUTS in [check.name for check in checks]
    assert all(check.passed for check in checks)


def changed(table, name, row, value):
    """Return a table with another value in one place."""
    values = table[name].to_pylist()
    values[row] = value
    return table.set_column(
        table.schema.names.index(name), table.schema.field(name), pa.array(values, table[name].type)
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: changed(t, "stop", 0, 0), "1 cut is empty"),
        (lambda t: changed(t, "start", 0, -1), "1 cut is empty"),
        (lambda t: changed(t, "stop", 0, t["start"][1].as_py() + 1), "1 cut is empty, overlaps"),
        (lambda t: t.take(list(range(t.num_rows))[::-1]), "cuts are empty, overlap or lie out of order"),
        (lambda t: changed(t, "keeper_address", 1, 1 << 50), "1 cut names a keeper that was not kept"),
        (lambda t: changed(t, "keeper_id", 0, None), "1 cut names no benchmark item"),
        (lambda t: changed(t, "keeper_corpus", 0, None), "1 cut names no benchmark item"),
        (lambda t: changed(t, "stage", 0, "near"), "1 cut is of a stage that was not to cut"),
    ],
)
def test_wrong_cuts(cut, change, fault):
    rewrite(cut, "edits", "part-00000.parquet", change)
    faults = failures(cut)[CUTS]
    assert any(fault in line for line in faults), faults


def test_a_lost_decision(out):
    rewrite(out, "decisions", "part-00000.parquet", lambda t: t.slice(1))
    assert "every record is kept, dropped or quarantined, once" in failures(out)


def test_a_doubled_row(out):
    rewrite(out, "decisions", "part-00000.parquet", lambda t: pa.concat_tables([t, t.slice(0, 1)]))
    faults = failures(out)["every record is kept, dropped or quarantined, once"]
    assert faults[0].startswith("1 record ends in two places")


def test_an_altered_text(out):
    name = next(p.name for p in sorted((out / "data").iterdir()) if p.name.startswith("part"))

    def upper(table):
        return table.set_column(0, "text", pc.utf8_upper(table["text"]))

    rewrite(out, "data", name, upper)
    assert "every shard row is the record that the index says" in failures(out)


def test_a_witness_that_went(out):
    def accuse(table):
        return table.set_column(5, "keeper_address", pa.array([10**6] * table.num_rows, pa.int64()))

    rewrite(out, "decisions", "part-00000.parquet", accuse)
    assert "every removal names a witness that stays" in failures(out)


def test_a_removal_below_the_threshold(out):
    def lower(table):
        return table.set_column(8, "similarity", pa.array([0.5] * table.num_rows))

    rewrite(out, "decisions", "part-00000.parquet", lower)
    assert "no removal is below the threshold" in failures(out)


def test_a_decision_of_another_stage(out):
    def blame(table):
        stages = ["near" if stage == "exact" else "exact" for stage in table["stage"].to_pylist()]
        return table.set_column(3, "stage", pa.array(stages))

    rewrite(out, "decisions", "part-00000.parquet", blame)
    assert "rows of source 'in.parquet' dropped by" in str(
        failures(out)["the ledger balances and agrees with the tables"]
    )


def test_missing_and_foreign_files(out):
    (out / "pairs" / "part-00000.parquet").unlink()
    (out / "data" / "extra.parquet").write_bytes(b"x")
    faults = failures(out)["every file has its recorded size and sha256"]
    assert any("pairs/part-00000.parquet is missing" in fault for fault in faults)
    assert any("extra.parquet is not in the manifest" in fault for fault in faults)


def test_an_unfinished_run(out):
    (out / "_SUCCESS").unlink()
    assert failures(out) == {"the run finished": ("no _SUCCESS",)}


def forge(out, change):
    manifest = json.loads((out / "manifest.json").read_text())
    change(manifest)
    (out / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("folder", ["data", "decisions"])
@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", "..", ""])
def test_names_that_lead_out_of_the_folder_are_refused(out, name, folder):
    forge(out, lambda manifest: manifest["files"][folder][0].update(name=name))
    with pytest.raises(ArtefactError, match="plain name|not '"):
        failures(out)


def test_a_set_that_leads_out_of_the_folder_is_refused(out):
    def change(manifest):
        manifest["sets"][0]["folder"] = ".."
        for line in manifest["files"]["data"]:
            line["name"] = f"../{line['name']}"

    forge(out, change)
    with pytest.raises(ArtefactError, match="plain name"):
        failures(out)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest.pop("ledger"),
        lambda manifest: manifest["sets"][0]["layout"].update(rows="many"),
        lambda manifest: manifest["sets"][0].update(folder="../out"),
        lambda manifest: manifest.pop("sets"),
        lambda manifest: manifest["files"]["data"][0].update(set="validation"),
        lambda manifest: manifest["files"].pop("index"),
        lambda manifest: manifest["files"].update({"../other": []}),
        lambda manifest: manifest.update(settings=[]),
        lambda manifest: manifest["inputs"].append(None),
        lambda manifest: manifest["ledger"]["sources"].update(x={}),
    ],
)
def test_manifests_of_another_shape_are_refused(out, change):
    forge(out, change)
    with pytest.raises(ArtefactError, match="a manifest has the fields of its format"):
        failures(out)


def test_a_manifest_that_is_no_object(out):
    (out / "manifest.json").write_text("[1]")
    with pytest.raises(ArtefactError, match="a manifest is of format tamis-shards"):
        failures(out)


def test_tables_of_other_columns_are_refused(out):
    rewrite(out, "decisions", "part-00000.parquet", lambda t: t.drop_columns(["address"]))
    with pytest.raises(ArtefactError, match="the columns that Tamis writes"):
        failures(out)
