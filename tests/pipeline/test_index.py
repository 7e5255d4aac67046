"""Batches that join an index come to the decisions of one run over all of them."""

import json
import shutil
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from index_batches import settings, told
from index_batches import write_batches as write_many
from runs import NEAR, digests
from typer.testing import CliRunner

import tamis
from tamis.connectors import index_store
from tamis.connectors.address import record_of
from tamis.connectors.formats import InputFile
from tamis.connectors.index_store import IndexStore
from tamis.hashing.errors import ArtefactError, ConfigError
from tamis.hashing.fingerprint import fingerprint
from tamis.hashing.lsh import Banding
from tamis.hashing.sketch import sketch_plan
from tamis.jobs.cli import app
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.index.described import describe
from tamis.pipeline.index.form import OpenIndex, plain_files
from tamis.pipeline.index.merged import export, merge
from tamis.pipeline.index.recall import filters_of
from tamis.pipeline.index.shards import keys_of
from tamis.pipeline.result import Result
from tamis.pipeline.text_column import text_buffers
from tamis.pipeline.verify import verify


def sift(config, **options):
    prepared = plan.prepare(config, version=tamis.__version__)
    return Result(plan.run(prepared, lambda work: LocalEngine(work, **options), Silent()))


write_batches = partial(write_many, corpora=2)

LSH = {"kind": "lsh"}
BLOOM = {"kind": "bloom", "capacity": 2000, "rate": 1e-6}


def join(paths, folder, create, keep):
    """Return the results of one run after another, each of which joins the index."""
    results = []
    for number, path in enumerate(paths):
        index = {"path": str(folder / "index"), "create": create}
        results.append(sift(settings([path], folder / f"out-{number}", index=index, keep=keep)))
    return results


RANKED_ALIKE = {"first": "first", "longest": "quality:order"}
"""What ranks all rows at once as batches with a policy do: ``order`` says (batch, longest)."""


@pytest.mark.parametrize(
    ("create", "keep", "seed", "count"),
    [(BLOOM, "longest", 1, 6), (BLOOM, "first", 2, 4), (LSH, "longest", 3, 4), (LSH, "first", 4, 4)],
    ids=lambda value: value["kind"] if isinstance(value, dict) else str(value),
)
def test_batches_decide_as_one_run(tmp_path, create, keep, seed, count):
    paths = write_batches(Random(seed), tmp_path / "in", count)
    whole = sift(settings(paths, tmp_path / "whole", keep=RANKED_ALIKE[keep]))
    joined = {}
    for result in join(paths, tmp_path, create, keep):
        assert all(check.passed for check in verify(result.out))
        joined |= told(result)
    assert joined == told(whole)
    assert any(stage == "near" and place[0] != keeper[0] for place, (stage, keeper, _) in joined.items())
    assert any(stage == "exact" and place[0] != keeper[0] for place, (stage, keeper, _) in joined.items())


def test_a_repeated_run_gives_the_same_bytes_and_adds_nothing(tmp_path):
    paths = write_batches(Random(3), tmp_path / "in", 3)
    join(paths, tmp_path, BLOOM, "first")
    header = (tmp_path / "index" / "index.json").read_bytes()
    again = join(paths, tmp_path, BLOOM, "first")
    index = {"path": str(tmp_path / "index")}
    other = sift(settings([paths[1]], tmp_path / "elsewhere", index=index))
    assert digests(other.out) == digests(again[1].out)
    assert (tmp_path / "index" / "index.json").read_bytes() == header


STEPS = (
    "ask the index",
    "candidates",
    "verify",
    "decide",
    "add to the index",
    "write shards",
    "balance the ledger",
    "report",
)


class Stopped(Exception):
    """A run that ends in the middle."""


class Fuse(Silent):
    """Ends a run when a step starts."""

    def __init__(self, step):
        self.step = step

    def start(self, step, *, total_bytes=None):
        if step == self.step:
            raise Stopped


@pytest.fixture(scope="module")
def two_batches(tmp_path_factory):
    """Return three batches, and the index that two of them are in: to be looked at and copied, not changed."""
    folder = tmp_path_factory.mktemp("grown")
    paths = write_batches(Random(4), folder / "in", 3)
    join(paths[:2], folder, BLOOM, "first")
    return paths, folder / "index"


@pytest.fixture
def grown(two_batches, tmp_path):
    """Return three batches, of which two are in an index, and the settings of the third."""
    paths, index = two_batches
    shutil.copytree(index, tmp_path / "index")
    return paths, settings([paths[2]], tmp_path / "third", index={"path": str(tmp_path / "index")})


def opened(folder):
    store = IndexStore(str(folder))
    return OpenIndex(store, store.header())


@pytest.fixture(scope="module")
def undisturbed(two_batches, tmp_path_factory):
    """Return the digests of a run that adds the third batch, and the header of the index after it."""
    paths, index = two_batches
    folder = tmp_path_factory.mktemp("undisturbed")
    shutil.copytree(index, folder / "index")
    result = sift(settings([paths[2]], folder / "third", index={"path": str(folder / "index")}))
    return digests(result.out), opened(folder / "index").header


@pytest.mark.parametrize("steps", [STEPS, STEPS[:1], STEPS[4:5]], ids=["everywhere", "early", "in the middle"])
def test_a_run_that_stops_leaves_the_index_as_it_was(undisturbed, grown, tmp_path, steps):
    """Stopped at each step, it is taken up where it was."""
    _, config = grown
    before = opened(tmp_path / "index").header
    for step in steps:
        prepared = plan.prepare(config, version=tamis.__version__)
        with pytest.raises(Stopped):
            plan.run(prepared, LocalEngine, Fuse(step))
        after = opened(tmp_path / "index")
        assert after.header == before, step
        after.store.check(after.header["contents"])
    assert (digests(sift(config).out), opened(tmp_path / "index").header) == undisturbed


def test_stopped_between_the_index_and_the_end_of_the_run(grown, tmp_path, monkeypatch):
    """The index has the batch, and the output no ``_SUCCESS`` yet."""
    _, config = grown

    def fail(folder):
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr("tamis.pipeline.state.OutputFolder.finish", fail)
        with pytest.raises(Stopped):
            sift(config)
    header = opened(tmp_path / "index").header
    assert len(header["batches"]) == 3
    assert all(check.passed for check in verify(sift(config).out))
    assert opened(tmp_path / "index").header == header


def test_two_runs_cannot_add_at_once(grown, tmp_path):
    _, config = grown
    with IndexStore(str(tmp_path / "index")).alone(), pytest.raises(ArtefactError, match="one process at a time"):
        sift(config)


def test_a_run_whose_index_grew_meanwhile_is_refused(grown, tmp_path):
    paths, config = grown
    prepared = plan.prepare(config, version=tamis.__version__)
    sift(settings([paths[2]], tmp_path / "other", index={"path": str(tmp_path / "index")}, keep="longest"))
    with pytest.raises(ArtefactError, match="stays as it is"):
        plan.run(prepared, LocalEngine, Silent())


def first_file(index, kind):
    return index.store.path / index.lines(kind)[0]["name"]


def flip(path, at=100):
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 1
    path.write_bytes(bytes(data))


def edit_header(index, change):
    """Change a header and have its checksum fit."""
    header = dict(index.header)
    change(header)
    header["checksum"] = index_store._checksum(header)
    (index.store.path / "index.json").write_text(json.dumps(header))


def grow(header):
    """Have the header speak of more bands than the keys have."""
    header["bloom"]["plan"]["bands"] += 1


DAMAGE = {
    "no header": lambda index: (index.store.path / "index.json").unlink(),
    "half a header": lambda index: (index.store.path / "index.json").write_text("{"),
    "a header that is no text": lambda index: (index.store.path / "index.json").write_bytes(b"\xff\xfe"),
    "a header of another version": lambda index: edit_header(index, lambda h: h.update(format_version=9)),
    "a changed header": lambda index: (index.store.path / "index.json").write_text(
        json.dumps(index.header | {"witness": False})
    ),
    "a missing filter": lambda index: first_file(index, "bloom").unlink(),
    "half a filter": lambda index: first_file(index, "bloom").write_bytes(first_file(index, "bloom").read_bytes()[:64]),
    "a flipped bit in a filter": lambda index: flip(first_file(index, "bloom")),
    "missing rows": lambda index: first_file(index, "rows").unlink(),
    "a flipped bit in rows": lambda index: flip(first_file(index, "rows")),
    "a flipped bit in keys": lambda index: flip(first_file(index, "keys")),
    "filters of another form": lambda index: edit_header(index, grow),
    "parts of another size": lambda index: edit_header(index, lambda h: h["bloom"]["plan"].update(blocks=5000)),
    "a name that leads out": lambda index: edit_header(index, lambda h: h["contents"][0].update(name="../x")),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_named(grown, tmp_path, kind):
    _, config = grown
    DAMAGE[kind](opened(tmp_path / "index"))
    with pytest.raises(ArtefactError, match="index"):
        sift(config)
    assert not (tmp_path / "third" / "_SUCCESS").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": 0.7, "bands": 20, "rows": 3}, "bands 32 in the index, 20 in the run"),
        ({"shingle": {"size": 3}}, "shingle 5 in the index, 3 in the run"),
        ({"values": 128}, "values 64 in the index, 128 in the run"),
        ({"max_anchors": 9}, "4 in the index, 9 in the run"),
    ],
)
def test_other_settings_are_refused(grown, tmp_path, change, message):
    paths, _ = grown
    near = NEAR | {"index": {"path": str(tmp_path / "index")}} | change
    with pytest.raises(ArtefactError, match=message):
        sift(settings([paths[2]], tmp_path / "other", stages=["exact", {"near": near}]))


def test_an_index_that_would_be_overfull_is_refused(tmp_path):
    paths = write_batches(Random(5), tmp_path / "in", 2)
    small = BLOOM | {"capacity": 60}
    with pytest.raises(ArtefactError, match="made for 60"):
        join(paths, tmp_path, small, "first")
    finished = len(list(tmp_path.glob("out-*/_SUCCESS")))
    held = len(opened(tmp_path / "index").batches) if (tmp_path / "index" / "index.json").exists() else 0
    assert finished == held < 2


def test_old_inputs_that_are_gone(tmp_path):
    paths = write_batches(Random(4), tmp_path / "in", 3)
    join(paths[:2], tmp_path, BLOOM, "first")
    shutil.copytree(tmp_path / "index", tmp_path / "again" / "index")
    config = settings([paths[2]], tmp_path / "third", index={"path": str(tmp_path / "index")})
    expected = told(sift(config))
    paths[0].unlink()
    index = {"path": str(tmp_path / "again" / "index")}
    with pytest.raises(ArtefactError, match="gone or changed"):
        sift(settings([paths[2]], tmp_path / "refused", index=index))
    skipped = told(sift(settings([paths[2]], tmp_path / "skipped", index=index | {"unreachable": "skip"})))
    near_old = {
        place for place, (stage, keeper, _) in expected.items() if stage == "near" and keeper[0] == paths[0].name
    }
    assert near_old
    for place, decision in expected.items():
        if decision[0] == "exact":  # hashes need no text
            assert skipped[place] == decision
    assert not any(stage == "near" and keeper[0] == paths[0].name for stage, keeper, _ in skipped.values())


def keys_of_file(path, bands, rows):
    texts = pq.read_table(path)["text"].combine_chunks()
    data, offsets = text_buffers(texts)
    plan_ = sketch_plan(values=64, unit="word", shingle=5)
    found = fingerprint(data, offsets, plan_, banding=Banding(bands, rows), seed=0)
    return texts.to_pylist(), found


def oracle(paths, mode):
    """Return the flagged (file, record) by dictionaries of keys; exact copies of a batch are out of the question."""
    seen, flagged = [set() for _ in range(32)], set()
    for path in paths:
        texts, found = keys_of_file(path, 32, 2)
        for record, text in enumerate(texts):
            if text is None or text in texts[:record] or not found.tokens[record]:
                continue
            keys = found.keys[record].tolist()
            hit = any(key in band for key, band in zip(keys, seen, strict=True))
            flagged |= {(path.name, record)} if hit else set()
            if mode == "insert-always" or not hit:
                for key, band in zip(keys, seen, strict=True):
                    band.add(key)
    return flagged


@pytest.mark.parametrize("mode", ["insert-always", "check-then-insert"])
def test_flags_are_those_of_dictionaries(tmp_path, mode):
    paths = write_batches(Random(6), tmp_path / "in", 4)
    flagged = set()
    for number, path in enumerate(paths):
        create = {"kind": "bloom", "witness": False, "capacity": 3000, "rate": 1e-10}
        index = {"path": str(tmp_path / "index"), "create": create, "mode": mode, "flagged": "drop"}
        result = sift(settings([path], tmp_path / f"out-{number}", index=index))
        assert all(check.passed for check in verify(result.out))
        rows = result.removed.filter(pc.equal(result.removed["stage"], "bloom")).to_pylist()
        assert {row["reason"] for row in rows} <= {"bloom"}
        assert all(row["keeper_address"] is None for row in rows)
        flagged |= {(path.name, record_of(row["address"])) for row in rows}
    assert flagged == oracle(paths, mode)
    assert flagged


def test_flags_remove_nothing_unless_asked(tmp_path):
    paths = write_batches(Random(7), tmp_path / "in", 2)
    create = {"kind": "bloom", "witness": False, "capacity": 3000}
    index = {"path": str(tmp_path / "index"), "create": create}
    sift(settings([paths[0]], tmp_path / "one", index=index))
    plain = sift(settings([paths[1]], tmp_path / "plain"))
    result = sift(settings([paths[1]], tmp_path / "two", index=index | {"update": False}))
    assert told(result) == told(plain)
    report = json.loads((result.out / "report.json").read_text())
    assert report["index"]["flagged_rows"] > 0
    assert not report["index"]["joined"]


def test_a_merged_index_answers_as_one_that_took_both(tmp_path):
    paths = write_batches(Random(8), tmp_path / "in", 3)
    for name, path in (("one", paths[0]), ("two", paths[1])):
        sift(settings([path], tmp_path / f"out-{name}", index={"path": str(tmp_path / name), "create": BLOOM}))
    merged = merge(opened(tmp_path / "one"), opened(tmp_path / "two"), IndexStore(str(tmp_path / "both")))
    merged.store.check(merged.header["contents"])
    assert merged.rows == opened(tmp_path / "one").rows + opened(tmp_path / "two").rows
    for which in ("one", "two"):
        mine, both = filters_of(opened(tmp_path / which)).whole(), filters_of(merged).whole()
        assert (mine & ~both == 0).all()
    answer = sift(settings([paths[2]], tmp_path / "third", index={"path": str(tmp_path / "both")}))
    assert all(check.passed for check in verify(answer.out))
    alone = told(sift(settings([paths[2]], tmp_path / "alone", index={"path": str(tmp_path / "one")})))
    known = {place: decision for place, decision in alone.items() if decision[1][0] == paths[0].name}
    assert known
    assert known.keys() <= told(answer).keys()  # an exact copy of a row of the second may be named first
    assert any(keeper[0] == paths[1].name for _, keeper, _ in told(answer).values())
    with pytest.raises(ConfigError, match="a new one"):
        merge(opened(tmp_path / "one"), opened(tmp_path / "two"), IndexStore(str(tmp_path / "both")))


def test_exported_bits_are_those_of_the_filters(grown, tmp_path):
    index = opened(tmp_path / "index")
    export(index, tmp_path / "bits")
    plan_, words = index.plan, filters_of(index).whole()
    for band in range(plan_.bands):
        bits = np.fromfile(tmp_path / "bits" / f"band-{band:03d}.bits", np.uint64)
        size = plan_.blocks * plan_.block_bits // 64
        assert (bits == words[band * size : (band + 1) * size]).all()
    facts = json.loads((tmp_path / "bits" / "filters.json").read_text())
    assert facts["plan"]["blocks"] == plan_.blocks


def test_what_is_said_of_an_index(grown, tmp_path):
    facts = describe(opened(tmp_path / "index"))
    filters = filters_of(opened(tmp_path / "index")).whole()
    assert facts["bloom"]["fill"] == pytest.approx(np.bitwise_count(filters).sum() / (64 * len(filters)), abs=1e-6)
    assert (
        facts["rows"]
        == pq.read_table(
            [tmp_path / "index" / line["name"] for line in opened(tmp_path / "index").lines("rows")]
        ).num_rows
    )
    assert facts["bloom"]["room"] == 2000 - facts["rows"]
    assert 0 < facts["bloom"]["rate_now"] < 1e-6


def test_the_commands(tmp_path, write_parquet):
    words = [f"word{i}" for i in range(40)]
    one = write_parquet("one.parquet", text=[" ".join(words), "something else"], id=["a", "b"])
    two = write_parquet("two.parquet", text=[" ".join([*words[:-1], "other"]), "quite new"], id=["c", "d"])
    index, out = str(tmp_path / "index"), str(tmp_path / "out")

    def call(*arguments):
        run = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
        assert run.exit_code == 0, run.output
        return run.output

    call("index", "build", one, "--id", "id", "--capacity", 1000, "--out", index, "--quiet")
    call("index", "query", index, two, "--out", out, "--quiet")
    (row,) = pq.read_table(Path(out) / "decisions").to_pylist()
    assert (row["id"], row["keeper_id"], row["keeper_corpus"], row["stage"]) == ("c", "a", "one.parquet", "near")
    assert "2 rows of 1 file in 1 batch" in call("index", "info", index, "--check")
    call("index", "add", index, two, "--quiet")
    facts = json.loads(call("index", "info", index, "--json"))
    assert (facts["rows"], [batch["rows"] for batch in facts["batches"]]) == (4, [2, 2])
    assert "already: nothing was added" in call("index", "add", index, two)
    call("index", "export", index, "--out", tmp_path / "bits")
    assert (tmp_path / "bits" / "band-000.bits").exists()


def test_an_index_without_capacity_is_refused(tmp_path):
    paths = write_batches(Random(9), tmp_path / "in", 1)
    with pytest.raises(ConfigError, match="made for a number of rows"):
        join(paths, tmp_path, {"kind": "bloom"}, "first")


def test_secrets_of_inputs_are_not_stored():
    file = InputFile(0, "https://user:word@host/x.parquet?sig=abc", "x.parquet", "parquet", "", "x", 1, "f")
    (plain,) = plain_files([file])
    assert "word" not in plain["path"]
    assert "abc" not in plain["path"]


def test_an_index_at_a_url_is_refused():
    with pytest.raises(ConfigError, match="on a disk"):
        IndexStore("s3://bucket/index")


@pytest.mark.parametrize("start", [0, 1, 3])
def test_keys_are_taken_from_slices_with_nulls(start):
    keys = np.arange(8, dtype=np.uint64).reshape(4, 2)
    rows = [keys[0].tobytes(), None, keys[1].tobytes(), keys[2].tobytes(), None, keys[3].tobytes()]
    there, found = keys_of(pa.array(rows, pa.binary()).slice(start), 2)
    valid = [i for i, row in enumerate(rows[start:]) if row is not None]
    assert there.tolist() == valid
    assert found.tobytes() == b"".join(row for row in rows[start:] if row is not None)
    assert keys_of(pa.nulls(3, pa.binary()), 2)[1].shape == (0, 2)


def test_only_what_is_ours_is_ever_removed(grown, tmp_path):
    _, config = grown
    (tmp_path / "index" / "notes").mkdir()
    (tmp_path / "index" / "notes" / "mine.txt").write_text("keep this")
    sift(config)
    assert (tmp_path / "index" / "notes" / "mine.txt").read_text() == "keep this"
    index = opened(tmp_path / "index")
    files = {str(p.relative_to(index.store.path)) for p in index.store.path.glob("batch-*/**/*") if p.is_file()}
    named = {line["name"] for line in index.header["contents"]}
    assert named <= files


def test_old_parts_of_filters_go(tmp_path):
    paths = write_batches(Random(13), tmp_path / "in", 5)
    join(paths, tmp_path, BLOOM, "first")
    index = opened(tmp_path / "index")
    parts = len([line for line in index.header["contents"] if line["kind"] == "bloom"])
    assert len(list(index.store.path.rglob("*.bits"))) <= 2 * parts


@pytest.mark.parametrize("place", ["out", "out/index", "in", "in/index", "."])
def test_an_index_has_a_folder_of_its_own(tmp_path, place):
    paths = write_batches(Random(9), tmp_path / "in", 1)
    (tmp_path / "mine.txt").write_text("keep this")
    index = {"path": str(tmp_path / place), "create": BLOOM}
    with pytest.raises(ConfigError, match="folder of its own"):
        sift(settings([paths[0].parent], tmp_path / "out", index=index))
    assert paths[0].exists()
    assert (tmp_path / "mine.txt").exists()


def test_an_index_made_anew_at_the_same_path_is_asked_anew(tmp_path):
    paths = write_batches(Random(14), tmp_path / "in", 3)
    index = {"path": str(tmp_path / "index"), "create": BLOOM}
    sift(settings([paths[0]], tmp_path / "one", index=index))
    sift(settings([paths[2]], tmp_path / "asked", index=index | {"update": False}))
    shutil.rmtree(tmp_path / "index")
    sift(settings([paths[1]], tmp_path / "two", index=index))
    again = sift(settings([paths[2]], tmp_path / "again", index=index | {"update": False}))
    alone = {"path": str(tmp_path / "alone"), "create": BLOOM}
    sift(settings([paths[1]], tmp_path / "three", index=alone))
    assert told(again) == told(sift(settings([paths[2]], tmp_path / "four", index=alone | {"update": False})))


def test_a_finished_run_that_is_not_in_the_index_says_so(tmp_path):
    paths = write_batches(Random(15), tmp_path / "in", 1)
    index = {"path": str(tmp_path / "index"), "create": BLOOM}
    sift(settings(paths, tmp_path / "out", index=index))
    shutil.rmtree(tmp_path / "index")
    with pytest.raises(ArtefactError, match="its index does not have it"):
        sift(settings(paths, tmp_path / "out", index=index))


def test_without_witnesses_a_run_ends_after_a_stop_at_its_end(tmp_path, monkeypatch):
    paths = write_batches(Random(16), tmp_path / "in", 1)
    create = {"kind": "bloom", "capacity": 2000, "witness": False}
    config = settings(paths, tmp_path / "out", index={"path": str(tmp_path / "index"), "create": create})

    def fail(folder):
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr("tamis.pipeline.state.OutputFolder.finish", fail)
        with pytest.raises(Stopped):
            sift(config)
    assert all(check.passed for check in verify(sift(config).out))
    sift(config)  # and a finished run is a no-op
    assert len(opened(tmp_path / "index").batches) == 1
    with pytest.raises(ArtefactError, match="without witnesses once"):
        sift(settings(paths, tmp_path / "elsewhere", index={"path": str(tmp_path / "index")}))


def test_what_was_added_is_known_when_it_is_asked_for(grown, tmp_path):
    paths, _ = grown
    index = {"path": str(tmp_path / "index"), "update": False}
    result = sift(settings([paths[1]], tmp_path / "asked", index=index))
    assert result.ledger.total.kept.rows == 0


def test_columns_of_old_inputs_do_not_matter(tmp_path, write_parquet):
    words = [f"word{i}" for i in range(40)]
    one = write_parquet("one/x.parquet", text=[" ".join(words)], meta=["a string"])
    two = write_parquet("two/y.parquet", text=[" ".join([*words[:-1], "other"])], meta=[{"a": 1}])
    near = {"index": {"path": str(tmp_path / "index"), "create": BLOOM}}
    for name, path in (("one", one), ("two", two)):
        out = tamis.dedup(path, out=tmp_path / f"out-{name}", near=near)
    assert [row["stage"] for row in out.removed.to_pylist()] == ["near"]


def test_old_lines_of_json_are_read_with_their_own_columns(tmp_path):
    words = [f"word{i}" for i in range(40)]
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old = [{"text": " ".join(words), "id": "a", "meta": {"k": [1]}}, {"text": "short", "id": "b", "meta": None}]
    new = [{"text": " ".join([*words[:-1], "other"]), "id": "c", "meta": "a string", "more": 1.5}]
    for name, rows in (("old", old), ("new", new)):
        (tmp_path / name / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    near = {"index": {"path": str(tmp_path / "index"), "create": BLOOM}}
    tamis.dedup(tmp_path / "old", out=tmp_path / "one", id="id", near=near)
    out = tamis.dedup(tmp_path / "new", out=tmp_path / "two", id="id", near=near)
    assert [(row["stage"], row["id"], row["keeper_id"]) for row in out.removed.to_pylist()] == [("near", "c", "a")]


def test_what_another_stage_removed_still_keeps_copies_out(tmp_path, write_parquet):
    long = [f"word{i}" for i in range(400)]
    part = long[:100]
    one = write_parquet("one/x.parquet", text=[" ".join(long), " ".join(part)], id=["long", "part"])
    two = write_parquet("two/y.parquet", text=[" ".join([*part[:-1], "other"])], id=["copy"])
    index = {"path": str(tmp_path / "index"), "create": BLOOM}
    stages = ["exact", {"near": {"index": index}}, {"contained": {"one_in": 1}}]
    columns = {"text": "text", "id": "id"}
    sift(settings([one], tmp_path / "a", stages=stages, columns=columns, keep="longest"))
    result = sift(settings([two], tmp_path / "b", stages=stages, columns=columns, keep="longest"))
    assert [(row["id"], row["keeper_id"]) for row in result.removed.to_pylist()] == [("copy", "part")]
