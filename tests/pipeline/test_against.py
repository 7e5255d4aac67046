"""``against``: new rows like old ones go, and the old ones are left alone."""

import json
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import Decision, in_rank_order, jaccard, shingles
from corpora import FILE_STRIDE, SOURCES, dealt, parquet_folder, random_rows
from runs import digests

import tamis
from tamis.hashing.errors import BadRowError, InputError
from tamis.pipeline.config import make_config
from tamis.pipeline.verify import verify

THRESHOLD = 0.6
EVERY_PAIR = {"sketch": "minhash", "values": 128, "bands": 128, "rows": 1, "max_anchors": 100_000}


def decided(old, new, keep):
    """Compare every new row with all that stay, in rank order: the old ones first."""
    decisions, best, kept = {}, {}, []
    for row in [*in_rank_order(old, keep), *in_rank_order(new, keep)]:
        is_new = row.address >= FILE_STRIDE
        if best.setdefault(row.text, row.address) != row.address:
            if is_new:
                decisions[row.address] = Decision("exact", best[row.text], 1.0)
            continue
        found = shingles(row.text)
        similar = ((address, jaccard(found, other)) for address, other in kept if found and other) if is_new else ()
        keeper = next(((address, similarity) for address, similarity in similar if similarity >= THRESHOLD), None)
        if keeper:
            decisions[row.address] = Decision("near", *keeper)
        else:
            kept.append((row.address, found))
    return decisions


@pytest.fixture
def corpora(tmp_path, request):
    """Old rows in one file, new ones in two, dealt from the same families."""
    rng = Random(request.param)
    rows = dealt(rng, random_rows(rng), files=3)
    old = [row for row in rows if row.address < FILE_STRIDE]
    new = [row for row in rows if row.address >= FILE_STRIDE]
    parquet_folder(rows, tmp_path / "in")
    (tmp_path / "old").mkdir()
    (tmp_path / "in" / "part-0.parquet").rename(tmp_path / "old" / "part-0.parquet")
    return old, new


def sift(folder, out, **options):
    settings = {"threshold": THRESHOLD, "near": EVERY_PAIR, "against": folder / "old"} | options
    return tamis.dedup(folder / "in", out=out, id="id", source="source", allow_loss=SOURCES, **settings)


@pytest.mark.parametrize("corpora", range(4), indirect=True)
@pytest.mark.parametrize("keep", ["first", "longest", "source:wiki,books"])
def test_decisions_are_those_of_brute_force(corpora, tmp_path, keep):
    old, new = corpora
    result = sift(tmp_path, tmp_path / "out", keep=keep)
    expected = decided(old, new, keep)
    columns = (result.removed[name].to_pylist() for name in ("address", "stage", "keeper_address", "similarity"))
    assert {address: Decision(*why) for address, *why in zip(*columns, strict=True)} == expected
    ids = sorted(str(row["id"]) for batch in result.kept(["id"]) for row in batch.to_pylist())
    assert ids == sorted(str(row.id) for row in new if row.address not in expected)
    assert [check.faults for check in verify(result.out)] == [()] * 11


@pytest.mark.parametrize("corpora", [5], indirect=True)
def test_every_row_is_accounted_for_and_keepers_say_where_they_are(corpora, tmp_path):
    old, new = corpora
    result = sift(tmp_path, tmp_path / "out")
    total = result.ledger.total
    assert (total.read.rows, total.references.rows) == (len(old) + len(new), len(old))
    assert total.kept.rows + total.lost.rows == len(new)
    where = dict(zip(*(result.removed[name].to_pylist() for name in ("keeper_address", "keeper_corpus")), strict=True))
    assert where == {address: "old" if address < FILE_STRIDE else None for address in where}
    assert {"old", None} == set(where.values())


@pytest.mark.parametrize("corpora", [6], indirect=True)
def test_nothing_old_changes_nothing(corpora, tmp_path):
    pq.write_table(pa.table({"text": ["nothing like it"], "id": ["x"]}), tmp_path / "old" / "part-0.parquet")
    with_old = sift(tmp_path, tmp_path / "a")
    without = sift(tmp_path, tmp_path / "b", against=())
    assert [with_old.shards, without.shards] != [[], []]
    assert [path.read_bytes() for path in with_old.shards] == [path.read_bytes() for path in without.shards]


def test_exact_alone_and_near_alone(tmp_path):
    text = " ".join(f"w{i}" for i in range(40))
    pq.write_table(pa.table({"text": [text, text, "alone"]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"text": [text + " more", text, "alone", "new", "new"]}), tmp_path / "new.parquet")
    for stages, gone in ((["exact"], {1: 0, 2: 2, 4: 3}), (["near"], {0: 0, 1: 0, 2: 2, 4: 3})):
        raw = {
            "inputs": [{"path": str(tmp_path / "new.parquet")}],
            "against": [{"path": str(tmp_path / "old.parquet")}],
            "stages": stages,
            "out": str(tmp_path / stages[0]),
        }
        result = tamis.run(make_config(raw))
        rows = result.removed.select(["address", "keeper_address"]).to_pylist()
        keepers = {row["address"] - FILE_STRIDE: row["keeper_address"] % FILE_STRIDE for row in rows}
        assert keepers == gone


def test_old_rows_are_not_filtered_and_bad_old_rows_are_set_aside(tmp_path):
    pq.write_table(pa.table({"text": ["drop me", None, "b"]}), tmp_path / "old.parquet")
    pq.write_table(pa.table({"text": ["drop me", "b", "c"]}), tmp_path / "new.parquet")
    options = {"against": str(tmp_path / "old.parquet"), "where": "text != 'drop me'"}
    with pytest.raises(BadRowError, match="record 1 of .*old.parquet"):
        tamis.dedup(tmp_path / "new.parquet", out=tmp_path / "out", **options)
    result = tamis.dedup(tmp_path / "new.parquet", out=tmp_path / "out", on_error="quarantine", **options)
    rows = result.removed.select(["address", "stage", "reason", "keeper_address"]).to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (FILE_STRIDE, "filter", "text != 'drop me'", None),
        (FILE_STRIDE + 1, "exact", "exact-duplicate", 2),
    ]
    assert result.quarantine["address"].to_pylist() == [1]
    assert result.ledger.total.references.rows == 2


def test_the_same_corpus_on_both_sides_leaves_nothing(tmp_path):
    pq.write_table(pa.table({"text": ["a b c", "d"]}), tmp_path / "a.parquet")
    result = tamis.dedup(tmp_path / "a.parquet", out=tmp_path / "out", against=tmp_path / "a.parquet")
    assert result.ledger.total.kept.rows == 0
    assert json.loads((result.out / "manifest.json").read_text())["sets"][0]["layout"]["rows"] == 0


def test_an_old_corpus_that_is_not_there(tmp_path):
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="an input exists; found .*nowhere"):
        tamis.dedup(tmp_path / "a.parquet", out=tmp_path / "out", against=tmp_path / "nowhere")


@pytest.mark.parametrize("corpora", [7], indirect=True)
def test_annotated_runs_write_every_row(corpora, tmp_path):
    old, new = corpora
    plain = sift(tmp_path, tmp_path / "plain")
    result = sift(tmp_path, tmp_path / "out", annotate=True)
    assert {p: d for p, d in digests(result.out).items() if p.startswith(("decisions", "pairs", "clusters"))} == {
        p: d for p, d in digests(plain.out).items() if p.startswith(("decisions", "pairs", "clusters"))
    }
    rows = [row for batch in result.kept() for row in batch.to_pylist()]
    assert sorted(row["text"] for row in rows) == sorted(row.text for row in new)
    kept = sorted(row["text"] for row in rows if row["tamis_kept"])
    assert kept == sorted(row["text"] for batch in plain.kept() for row in batch.to_pylist())
    removed = sorted((row["tamis_stage"], row["tamis_keeper_address"]) for row in rows if not row["tamis_kept"])
    columns = (plain.removed[name].to_pylist() for name in ("stage", "keeper_address"))
    assert removed == sorted(zip(*columns, strict=True))
    assert [check.faults for check in verify(result.out)] == [()] * 11


def test_annotations_are_written_out(tmp_path):
    text = " ".join(f"w{i}" for i in range(40))
    table = pa.table({"text": [text, text + " more", "short", text, "other"], "id": list("abcde"), "n": range(5)})
    pq.write_table(table, tmp_path / "in.parquet")
    result = tamis.dedup(
        tmp_path / "in.parquet", out=tmp_path / "out", id="id", where="n != 2", annotate=True, near={"values": 64}
    )
    rows = {row["id"]: row for batch in result.kept() for row in batch.to_pylist()}
    found = {
        name: tuple(row[f"tamis_{k}"] for k in ("kept", "stage", "keeper", "cluster")) for name, row in rows.items()
    }
    assert found == {
        "a": (True, None, None, 0),
        "b": (False, "near", "a", 0),
        "c": (False, "filter", None, None),
        "d": (False, "exact", "a", 0),
        "e": (True, None, None, None),
    }
    assert rows["b"]["tamis_similarity"] == pytest.approx(36 / 37)
    assert rows["c"]["tamis_reason"] == "n != 2"
    assert result.ledger.total.kept.rows == 2
    with pytest.raises(InputError, match="tamis_kept"):
        tamis.dedup(result.shards[0], out=tmp_path / "again", annotate=True)
