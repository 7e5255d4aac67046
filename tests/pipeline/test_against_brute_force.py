"""The pipeline against the brute force: with recall 1 every row of every table, with ordinary LSH every promise."""

import math
import tempfile
from collections import Counter
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brute_force import (
    Decision,
    Row,
    clusters,
    decide,
    decide_pairs,
    exact_decisions,
    in_rank_order,
    jaccard,
    shingles,
    tokens,
    verified_pairs,
)
from corpora import (
    EPOCH,
    FILE_STRIDE,
    SOURCES,
    dealt,
    jsonl_folder,
    parquet_folder,
    random_rows,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import tamis

KEEPS = ("first", "longest", "newest:time", "quality:quality", "source:wiki,books")
COLUMNS = {"id": "id", "source": "source", "allow_loss": SOURCES}


def all_pairs(sketch="minhash", values=128):
    """Settings under which every pair that shares a shingle hash in one place becomes a candidate."""
    return {"sketch": sketch, "values": values, "bands": values, "rows": 1, "max_anchors": 100_000}


def decisions_of(table):
    columns = (table[name].to_pylist() for name in ("address", "stage", "keeper_address", "similarity"))
    return {address: Decision(*why) for address, *why in zip(*columns, strict=True)}


def pairs_of(result):
    columns = (result.pairs[name].to_pylist() for name in ("address", "better_address", "similarity"))
    return {(worse, better): similarity for worse, better, similarity in zip(*columns, strict=True)}


def kept_of(result):
    """Return the kept rows as (id, text), each as often as it occurs."""
    return Counter((row["id"], row["text"]) for batch in result.kept(["id", "text"]) for row in batch.to_pylist())


def kept_of_rows(rows, decisions):
    return Counter((row.id, row.text) for row in rows if row.address not in decisions)


def named_decisions(rows, decisions):
    """Return whole rows of ``decisions/`` in address order."""
    by_address = {row.address: row for row in rows}
    return [
        {
            "address": address,
            "id": by_address[address].id,
            "source": by_address[address].source,
            "stage": stage,
            "reason": f"{stage}-duplicate",
            "keeper_address": keeper,
            "keeper_id": by_address[keeper].id,
            "keeper_corpus": None,
            "similarity": similarity,
            "bytes": len(by_address[address].text.encode()),
            "tokens": len(tokens(by_address[address].text)),
        }
        for address, (stage, keeper, similarity) in sorted(decisions.items())
    ]


def assert_same_outcome(result, rows, pairs, *, keep):
    """Compare decisions, pairs, clusters, index and kept rows with what the verified pairs imply."""
    decisions = decide_pairs(rows, pairs, keep=keep)
    assert decisions_of(result.removed) == decisions
    assert result.removed.to_pylist() == named_decisions(rows, decisions)
    assert kept_of(result) == kept_of_rows(rows, decisions)
    index = pq.read_table(result.out / "index.parquet")
    assert sorted(index["address"].to_pylist()) == [row.address for row in sorted(rows) if row.address not in decisions]
    ranks = {row.address: rank for rank, row in enumerate(in_rank_order(rows, keep))}
    assert result.pairs.select(["address", "better_address", "rank", "better_rank"]).to_pylist() == [
        {"address": worse, "better_address": better, "rank": ranks[worse], "better_rank": ranks[better]}
        for worse, better in sorted(pairs)
    ]
    members = result.clusters.select(["cluster", "address", "size", "kept"]).to_pylist()
    assert members == [
        {"cluster": best, "address": address, "size": len(group), "kept": address not in decisions}
        for best, group in sorted(clusters(rows, pairs, keep=keep).items())
        for address in sorted(group)
    ]


@pytest.mark.parametrize(
    ("keep", "threshold", "sketch", "values", "seed"),
    [
        pytest.param(keep, threshold, sketch, values, 10 * i + seed, id=f"{keep}-{threshold}-{sketch}-{10 * i + seed}")
        for i, keep in enumerate(KEEPS)
        for seed, (threshold, sketch, values) in enumerate(
            [
                (0.5, "minhash", 128),
                (0.8, "minhash", 128),
                (0.5, "oph", 1024),
                (0.8, "oph", 1024),
                (0.65, "minhash", 64),
            ]
        )
    ],
)
def test_all_tables_equal_brute_force(tmp_path, keep, threshold, sketch, values, seed):
    rng = Random(seed)
    rows = dealt(rng, random_rows(rng), files=1 + seed % 3)
    folder = parquet_folder(rows, tmp_path / "in", group_rows=rng.choice((None, 5, 17)))
    near = all_pairs(sketch, values)
    result = tamis.dedup(folder, out=tmp_path / "out", threshold=threshold, keep=keep, near=near, **COLUMNS)
    pairs = verified_pairs(rows, keep=keep, threshold=threshold)
    assert pairs_of(result) == pairs
    assert_same_outcome(result, rows, pairs, keep=keep)


@pytest.mark.parametrize("sketch", ["oph", "fss", "minhash"])
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(("unit", "size"), [("char", 7), ("byte", 9), ("word", 2)])
def test_other_shingles_and_sketches_equal_brute_force(tmp_path, sketch, bits, unit, size):
    rng = Random(size)
    rows = dealt(rng, random_rows(rng), files=2)
    folder = parquet_folder(rows, tmp_path / "in")
    near = {**all_pairs(sketch, 512), "bits": bits, "shingle": {"unit": unit, "size": size}}
    result = tamis.dedup(folder, out=tmp_path / "out", threshold=0.7, keep="longest", near=near, **COLUMNS)
    pairs = verified_pairs(rows, keep="longest", threshold=0.7, size=size, unit=unit)
    assert pairs_of(result) == pairs
    assert_same_outcome(result, rows, pairs, keep="longest")


@pytest.mark.parametrize("keep", ["first", "newest:time"])
def test_json_lines_equal_brute_force(tmp_path, keep):
    rng = Random(71)
    rows = dealt(rng, random_rows(rng), files=2)
    folder = jsonl_folder(rows, tmp_path / "in")
    result = tamis.dedup(folder, out=tmp_path / "out", threshold=0.6, keep=keep, near=all_pairs(), **COLUMNS)
    assert_same_outcome(result, rows, verified_pairs(rows, keep=keep, threshold=0.6), keep=keep)


def test_files_count_in_the_order_of_arguments_then_of_path_bytes(tmp_path):
    rows = dealt(Random(72), random_rows(Random(72)), files=3)
    parquet_folder(rows, tmp_path / "in")
    names = {0: "z/last.parquet", 1: "a/B.parquet", 2: "a/a.parquet"}
    for number, name in names.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / f"part-{number}.parquet").rename(tmp_path / name)
    inputs = [tmp_path / "z", tmp_path / "a"]
    result = tamis.dedup(inputs, out=tmp_path / "out", threshold=0.5, near=all_pairs(), **COLUMNS)
    assert_same_outcome(result, rows, verified_pairs(rows, keep="first", threshold=0.5), keep="first")


@pytest.mark.parametrize("keep", KEEPS)
def test_a_threshold_raised_later_decides_as_brute_force_does(tmp_path, keep):
    rng = Random(KEEPS.index(keep) + 80)
    rows = dealt(rng, random_rows(rng), files=2)
    folder = parquet_folder(rows, tmp_path / "in")
    result = tamis.dedup(folder, out=tmp_path / "out", threshold=0.4, keep=keep, near=all_pairs(), **COLUMNS)
    for threshold in (0.4, 0.5, 2 / 3, 0.8, math.nextafter(0.8, 1), 0.95, 1.0):
        decisions = decide(rows, keep=keep, threshold=threshold)
        assert result.at_threshold(threshold).to_pylist() == named_decisions(rows, decisions)


@pytest.mark.parametrize(("keep", "seed"), [(keep, 90 + i) for i, keep in enumerate(KEEPS)])
def test_ordinary_lsh_keeps_its_promises(tmp_path, keep, seed):
    rng = Random(seed)
    rows = dealt(rng, random_rows(rng) + random_rows(rng), files=3)
    folder = parquet_folder(rows, tmp_path / "in")
    result = tamis.dedup(folder, out=tmp_path / "out", threshold=0.8, keep=keep, **COLUMNS)
    text = {row.address: row.text for row in rows}
    decisions = decisions_of(result.removed)
    copies = exact_decisions(rows, keep)
    assert {address: why for address, why in decisions.items() if why.stage == "exact"} == copies
    near = {address: why for address, why in decisions.items() if why.stage == "near"}
    measured = {a: jaccard(shingles(text[a]), shingles(text[why.keeper])) for a, why in near.items()}
    assert measured == {address: why.similarity for address, why in near.items()}
    assert [address for address, similarity in measured.items() if similarity < 0.8] == []
    assert [why for why in near.values() if why.keeper in decisions] == []
    pairs = pairs_of(result)
    found = verified_pairs(rows, keep=keep, threshold=0.8)
    assert pairs == {pair: similarity for pair, similarity in found.items() if pair in pairs}
    assert [pair for pair in pairs if not set(pair) & set(decisions)] == []
    assert_same_outcome(result, rows, pairs, keep=keep)


@pytest.mark.parametrize("sketch", ["minhash", "oph", "fss"])
def test_what_counts_as_a_pair_is_all_that_verify_changes(tmp_path, sketch):
    """With one row a band, a candidate shares a value of the signature, so a shingle, and the other way round."""
    rng = Random(101)
    rows = dealt(rng, random_rows(rng), files=2)
    folder = parquet_folder(rows, tmp_path / "in")
    near = all_pairs(sketch, 32)
    found = {}
    for verify, threshold in {"none": 0.8, "sketch": 1 / 32, "exact": 1e-9}.items():
        out = tmp_path / verify
        result = tamis.dedup(
            folder, out=out, threshold=threshold, keep="longest", near={**near, "verify": verify}, **COLUMNS
        )
        found[verify] = pairs_of(result)
        assert_same_outcome(result, rows, found[verify], keep="longest")
    assert found["none"].keys() == found["sketch"].keys() == found["exact"].keys()
    assert set(found["none"].values()) == {None}
    assert found["exact"] == {
        pair: similarity
        for pair, similarity in verified_pairs(rows, keep="longest", threshold=1e-9).items()
        if pair in found["exact"]
    }
    assert set(found["sketch"].values()) <= {equal / 32 for equal in range(1, 33)}


def test_sketch_pairs_are_those_whose_estimate_reaches_the_threshold(tmp_path):
    rng = Random(102)
    folder = parquet_folder(dealt(rng, random_rows(rng), files=1), tmp_path / "in")
    near = {**all_pairs(values=64), "verify": "sketch"}
    every = tamis.dedup(folder, out=tmp_path / "every", threshold=1 / 64, near=near, **COLUMNS)
    some = tamis.dedup(folder, out=tmp_path / "some", threshold=40 / 64, near=near, **COLUMNS)
    assert pairs_of(some) == {pair: estimate for pair, estimate in pairs_of(every).items() if estimate >= 40 / 64}
    assert some.removed.equals(every.at_threshold(40 / 64))


@pytest.mark.parametrize(("keep", "seed"), [(keep, 110 + i) for i, keep in enumerate(KEEPS[1:])])
def test_what_is_kept_does_not_depend_on_the_order_of_files(tmp_path, keep, seed):
    rng = Random(seed)
    rows = random_rows(rng)
    kept = []
    for attempt in range(3):
        folder = parquet_folder(dealt(rng, rows, files=1 + attempt), tmp_path / f"in-{attempt}")
        result = tamis.dedup(
            folder, out=tmp_path / f"out-{attempt}", threshold=0.6, keep=keep, near=all_pairs(values=64), **COLUMNS
        )
        kept.append(kept_of(result))
    assert kept[0] == kept_of_rows(rows, decide(rows, keep=keep, threshold=0.6))
    assert kept == [kept[0]] * 3


@pytest.mark.parametrize("anchors", [1, 8, 11, 12])
def test_rows_are_compared_with_the_best_anchors_of_their_buckets_only(tmp_path, anchors):
    """Twelve texts of equal words and other punctuation share every bucket; three more texts share none of theirs."""
    sieve = "the sieve lets the flour through and keeps the bran back"
    texts = [sieve.replace(" ", "," * i + " ") for i in range(12)]
    others = ["one two three four five six", "seven eight nine", "漢字"]
    rows = dealt(Random(3), [Row(i, text) for i, text in enumerate(texts + others)], files=2)
    folder = parquet_folder(rows, tmp_path / "in")
    result = tamis.dedup(
        folder, out=tmp_path / "out", keep="longest", near={"max_anchors": anchors}, allow_loss=["in", "web"]
    )
    ranked = [row.address for row in in_rank_order(rows, "longest") if row.text in texts]
    pairs = {(worse, better): 1.0 for i, worse in enumerate(ranked) for better in ranked[: min(i, anchors)]}
    assert pairs_of(result) == pairs
    assert decisions_of(result.removed) == dict.fromkeys(ranked[1:], Decision("near", ranked[0], 1.0))
    assert result.ledger.capped_rows == (12 if anchors < 12 else 0)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(pa.int64(), [None, -(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1], id="int64"),
        pytest.param(pa.uint64(), [None, 0, 2**53, 2**53 + 1, 2**63, 2**64 - 1], id="uint64"),
        pytest.param(pa.float64(), [None, -math.inf, -1e308, -5e-324, 0.0, 5e-324, 1.0, math.inf], id="float64"),
        pytest.param(pa.float64(), [math.nan, -math.inf], id="nan"),
        pytest.param(pa.float32(), [None, -math.inf, -1.0, 0.0, math.inf], id="float32"),
        pytest.param(pa.bool_(), [None, False, True], id="bool"),
        pytest.param(pa.timestamp("ns"), [None, -1, 0, 1, 2, 1_000_000_000_000_000_001], id="timestamp-ns"),
        pytest.param(pa.timestamp("s"), [None, -(2**40), 0, 2**40], id="timestamp-s"),
        pytest.param(pa.date32(), [None, -1, 0, 20_000], id="date32"),
        pytest.param(
            pa.string(),
            [None, "1969-12-31T23:59:59Z", "2024-02-29T12:00:00+02:00", "2024-02-29T11:00:00Z"],
            id="iso-8601",
        ),
    ],
)
def test_values_rank_by_size_and_missing_ones_last(tmp_path, kind, values):
    """``values`` ascend from the worst; two neighbours are copies of one text, in both orders: the better one stays."""
    steps = list(zip(values, values[1:], strict=False))
    column = [value for worse, better in steps for value in (worse, better, better, worse)]
    texts = [f"text {i // 2}" for i in range(len(column))]
    array = pa.array(column, pa.int64()).cast(kind) if pa.types.is_timestamp(kind) else pa.array(column, kind)
    pq.write_table(pa.table({"text": texts, "value": array}), tmp_path / "in.parquet")
    keep = "newest:value" if pa.types.is_string(kind) else "quality:value"
    result = tamis.dedup(tmp_path / "in.parquet", out=tmp_path / "out", keep=keep, threshold=1.0)
    worse_first = {4 * i: Decision("exact", 4 * i + 1, 1.0) for i in range(len(steps))}
    better_first = {4 * i + 3: Decision("exact", 4 * i + 2, 1.0) for i in range(len(steps))}
    assert decisions_of(result.removed) == worse_first | better_first


@st.composite
def small_corpora(draw):
    """Draw rows of few words, so that copies and all kinds of similarity are common, over one to three files."""
    vocabulary = draw(st.lists(st.sampled_from(["a", "b", "B", "ß", "ss", "漢", "c_1", "é"]), min_size=1, max_size=6))
    text = st.lists(st.sampled_from(vocabulary), max_size=9).map(" ".join) | st.sampled_from(["", "-", "?!"])
    times = st.none() | st.integers(0, 3).map(lambda year: EPOCH.replace(year=1969 + year))
    row = st.builds(
        Row,
        st.just(0),
        text,
        st.sampled_from([None, "", "1", "10", "9"]),
        st.sampled_from(SOURCES),
        st.sampled_from([None, math.nan, -0.0, 0.0, 1.0]),
        times,
    )
    files = draw(st.lists(st.lists(row, max_size=12), min_size=1, max_size=3).filter(any))
    return [r._replace(address=f * FILE_STRIDE + i) for f, file in enumerate(files) for i, r in enumerate(file)]


@given(
    rows=small_corpora(),
    keep=st.sampled_from(KEEPS),
    size=st.integers(1, 4),
    threshold=st.sampled_from([0.25, 1 / 3, 0.5, 0.6, 2 / 3, 0.75, 0.8, 1.0]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_small_corpora_equal_brute_force(rows, keep, size, threshold):
    near = {**all_pairs(), "shingle": {"size": size}}
    with tempfile.TemporaryDirectory() as scratch:
        folder = parquet_folder(rows, Path(scratch) / "in")
        result = tamis.dedup(folder, out=Path(scratch) / "out", threshold=threshold, keep=keep, near=near, **COLUMNS)
        pairs = verified_pairs(rows, keep=keep, threshold=threshold, size=size)
        assert pairs_of(result) == pairs
        assert_same_outcome(result, rows, pairs, keep=keep)
