"""Which rows are written, how often and where, against loops of Python."""

from collections import Counter
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import digests

import tamis
from tamis.hashing.errors import ConfigError
from tamis.hashing.mix import derive_seed
from tamis.hashing.murmur3 import murmur3_all
from tamis.jobs.local import LocalEngine
from tamis.jobs.progress import Silent
from tamis.pipeline import run as plan
from tamis.pipeline.allocation import allocate
from tamis.pipeline.config import make_config
from tamis.pipeline.emission import KEYED, TAKEN_ROWS, Drawing, written_schema
from tamis.pipeline.mixture import Mixture
from tamis.pipeline.result import Result
from tamis.pipeline.verify import verify

WORDS = [f"w{i}" for i in range(500)]
SIZES = {"books": 40, "web": 400, "wiki": 120}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rng = Random(5)
    for name, count in SIZES.items():
        texts = [" ".join(rng.choices(WORDS, k=rng.randint(0, 30))) + f" {name} {i}" for i in range(count)]
        ids = [f"{name}-{i}" for i in range(count)]
        pq.write_table(pa.table({"text": texts, "id": ids, "source": [name] * count}), folder / f"{name}.parquet")
    return folder


def sift(folder, out, *, engine=LocalEngine, **settings):
    config = make_config(
        {
            "inputs": [{"path": str(folder)}],
            "columns": {"source": "source", "id": "id"},
            "stages": [],
            "out": str(out),
            "shards": {"target_size": "8KB", "group_size": "1KB"} | settings.pop("shards", {}),
        }
        | settings
    )
    return Result(plan.run(plan.prepare(config, version=tamis.__version__), engine, Silent()))


def faults(result):
    return {check.name: check.faults for check in verify(result.out) if not check.passed}


def keyed(text, purpose, seed=0):
    data = np.frombuffer(text, np.uint8)
    high, low = murmur3_all(data, np.array([0, len(data)]), np.uint64(derive_seed(seed, purpose))).view(np.int64)[0]
    return int(high), int(low)


def packed(pair):
    return np.array(pair, np.int64).tobytes()


def expected_rows(rows, mixture, sets):
    """Return the (address, epoch) of every set in order, from (address, source, tokens, id)."""
    weights, budget = mixture["sources"], mixture["budget"]
    phases = mixture.get("phases") or [{"name": "all", "share": 1}]
    whole = sum(phase["share"] for phase in phases)
    taken = [[] for _ in sets]
    for source in weights:
        own = [(*row, keyed(row[3].encode(), "order 0")) for row in rows if row[1] == source]
        own.sort(key=lambda row: keyed(packed(row[4]), "draw"))
        available, cap = sum(row[2] for row in own), mixture.get("max_epochs", 1)
        bounds, end = [], 0.0
        for phase in phases:
            given = phase.get("weights") or weights
            end += budget * phase["share"] / whole * given.get(source, 0) / sum(given.values())
            bounds.append(round(end))
        used, epoch = 0, 0
        while used < min(bounds[-1], round(cap * available)):
            for address, _, tokens, _, key in own:
                if used >= min(bounds[-1], round(cap * available)):
                    break
                phase = next(i for i, bound in enumerate(bounds) if used < bound)
                place = key if epoch == 0 else keyed(packed(key), f"again {epoch}")
                taken[phase].append((place, address, epoch))
                used += tokens
            epoch += 1
    return [[(address, epoch) for _, address, epoch in sorted(found)] for found in taken]


def rows_of(result):
    """Return what was read: (address, source, tokens, id)."""
    index = pq.read_table(result.out / "index.parquet").sort_by("address")
    ids = [
        f"{source}-{address & 0xFFFFFFFFFF}"
        for source, address in zip(*(index[n].to_pylist() for n in ("source", "address")), strict=True)
    ]
    return list(
        zip(index["address"].to_pylist(), index["source"].to_pylist(), index["tokens"].to_pylist(), ids, strict=True)
    )


MIXTURES = [
    {"budget": 900, "sources": {"books": 1, "web": 1, "wiki": 1}},
    {"budget": 6000, "max_epochs": 4, "sources": {"books": 3, "web": 1, "wiki": 1}},
    {"budget": 5000, "max_epochs": 2.5, "sources": {"books": 1, "web": 2, "wiki": 0}},
    {
        "budget": 4000,
        "max_epochs": 10,
        "sources": {"books": 1, "web": 2, "wiki": 1},
        "phases": [
            {"name": "main", "share": 3},
            {"name": "mid", "share": 2, "weights": {"wiki": 1, "web": 1}},
            {"name": "anneal", "share": 1, "weights": {"books": 1}},
        ],
    },
]


@pytest.mark.parametrize("mixture", MIXTURES)
def test_a_mixture_takes_what_plain_loops_take(corpus, tmp_path, mixture):
    rows = rows_of(sift(corpus, tmp_path / "all"))
    result = sift(corpus, tmp_path / "mixed", mixture=mixture)
    index = pq.read_table(result.out / "index.parquet")
    found = list(zip(index["address"].to_pylist(), index["epoch"].to_pylist(), strict=True))
    sets = result.manifest["sets"]
    wanted = expected_rows(rows, mixture, sets)
    for item, expected in zip(sets, wanted, strict=True):
        assert found[item["first_row"] : item["first_row"] + item["layout"]["rows"]] == expected
    assert faults(result) == {}


def test_what_is_written_is_written_down(corpus, tmp_path):
    mixture = MIXTURES[1]
    result = sift(corpus, tmp_path / "out", mixture=mixture)
    index = pq.read_table(result.out / "index.parquet")
    said = yaml.safe_load((result.out / "mixture.yaml").read_text())
    tokens = Counter()
    for source, count in zip(index["source"].to_pylist(), index["tokens"].to_pylist(), strict=True):
        tokens[source] += count
    assert {name: share["emitted"] for name, share in said["sources"].items()} == tokens
    assert said["sources"]["books"]["wanted"] == 3600
    assert said["sources"]["books"]["epochs"] == round(tokens["books"] / said["sources"]["books"]["available"], 6)
    ledger = result.ledger.total
    assert ledger.kept.rows == 560
    assert ledger.emitted.rows == index.num_rows == ledger.kept.rows - ledger.unsampled.rows + ledger.repeated.rows
    left = pq.read_table(result.out / "unsampled")
    everything = {address for address, *_ in rows_of(sift(corpus, tmp_path / "all"))}
    assert set(left["address"].to_pylist()) == everything - set(index["address"].to_pylist())


def test_a_larger_budget_holds_a_smaller_one(corpus, tmp_path):
    held = []
    for budget in (500, 2000):
        result = sift(corpus, tmp_path / str(budget), mixture={"budget": budget, "sources": dict.fromkeys(SIZES, 1)})
        index = pq.read_table(result.out / "index.parquet")
        held.append(set(zip(index["address"].to_pylist(), index["epoch"].to_pylist(), strict=True)))
    assert held[0] < held[1]


def test_splits_hold_rows_out_by_content(corpus, tmp_path):
    one = sift(corpus, tmp_path / "one", shards={"splits": {"validation": 0.1, "test": 0.05}})
    assert [item["name"] for item in one.manifest["sets"]] == ["train", "validation", "test"]
    assert faults(one) == {}
    texts = {
        name: set(pq.read_table(one.out / "data" / name, columns=["text"])["text"].to_pylist())
        for name in ("train", "validation", "test")
    }
    assert sum(map(len, texts.values())) == 560
    assert 30 < len(texts["validation"]) < 85
    (tmp_path / "part").mkdir()
    some = pq.read_table(corpus / "web.parquet").slice(100, 200)
    pq.write_table(some.take(pa.array(range(199, -1, -1))), tmp_path / "part" / "x.parquet")
    two = sift(tmp_path / "part", tmp_path / "two", shards={"splits": {"validation": 0.1, "test": 0.05}})
    for name in texts:
        again = set(pq.read_table(two.out / "data" / name, columns=["text"])["text"].to_pylist())
        assert again == texts[name] & set(some["text"].to_pylist())


def test_folds_and_samples(corpus, tmp_path):
    folds = sift(corpus, tmp_path / "folds", shards={"folds": {"count": 4, "round": 2}})
    assert [item["name"] for item in folds.manifest["sets"]] == ["fold-0", "fold-1", "fold-2", "fold-3"]
    assert sum(item["layout"]["rows"] for item in folds.manifest["sets"]) == 560
    assert faults(folds) == {}
    kept = []
    for share in (0.1, 0.3):
        result = sift(corpus, tmp_path / f"sample-{share}", shards={"sample": share})
        assert faults(result) == {}
        kept.append(set(pq.read_table(result.out / "index.parquet")["address"].to_pylist()))
        left = set(pq.read_table(result.out / "unsampled")["address"].to_pylist())
        assert len(kept[-1]) + len(left) == 560
        assert not kept[-1] & left
    assert kept[0] < kept[1]


def test_held_out_rows_are_not_drawn_from(corpus, tmp_path):
    mixture = {"budget": 20_000, "max_epochs": 3, "sources": dict.fromkeys(SIZES, 1)}
    result = sift(corpus, tmp_path / "out", mixture=mixture, shards={"splits": {"validation": 0.2}})
    train, validation = (
        pq.read_table(result.out / "data" / name, columns=["id"])["id"].to_pylist() for name in ("train", "validation")
    )
    assert len(set(validation)) == len(validation)
    assert not set(train) & set(validation)
    assert Counter(train).most_common(1)[0][1] == 3
    assert faults(result) == {}


def test_how_the_work_is_cut_does_not_change_a_byte(corpus, tmp_path):
    settings = {"mixture": MIXTURES[3], "shards": {"splits": {"validation": 0.1}, "sample": 0.9}, "stages": ["exact"]}
    one = digests(sift(corpus, tmp_path / "one", **settings).out)

    def other(work):
        return LocalEngine(work, threads=3, batch_rows=7)

    assert digests(sift(corpus, tmp_path / "two", engine=other, **settings).out) == one
    assert len([path for path in one if path.startswith("data/")]) > 8


def test_what_a_run_writes_is_a_mixture_for_another(corpus, tmp_path):
    first = sift(corpus, tmp_path / "one", mixture=MIXTURES[1])
    again = sift(corpus, tmp_path / "two", mixture=str(first.out / "mixture.yaml"))
    assert digests(again.out) == digests(first.out)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"annotate": True, "shards": {"sample": 0.5}}, "choose one"),
        ({"mixture": {"sources": {"a": 1}}, "shards": {"folds": {"count": 2}}}, "choose one"),
        ({"shards": {"splits": {"validation": 0.5, "test": 0.5}}}, "leave something to train on"),
        ({"shards": {"splits": {"train": 0.5}}}, "give them other names"),
        ({"shards": {"splits": {"..": 0.5}}}, "shards.splits"),
        ({"shards": {"splits": {"_hidden": 0.5}}}, "shards.splits"),
        ({"shards": {"splits": {"a": 0.5}, "folds": {"count": 2}}}, "not both"),
        ({"mixture": "no-such-file.yaml"}, "the file of a mixture can be read"),
    ],
)
def test_what_makes_no_sense_is_refused(corpus, tmp_path, settings, message):
    with pytest.raises(ConfigError, match=message):
        sift(corpus, tmp_path / "out", **settings)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), min_size=1, max_size=40),
    st.integers(1, 400),
    st.floats(0.2, 5),
    st.integers(1, 7),
)
def test_drawing_does_not_depend_on_batches(rows, budget, epochs, cut):
    rows.sort(key=lambda row: row[0])
    held = Counter()
    for name, size in rows:
        held[name] += size
    mixture = Mixture.model_validate({"budget": budget, "max_epochs": epochs, "sources": dict.fromkeys(held, 1)})
    allocation = allocate(mixture, held)
    schema = written_schema(KEYED)
    lanes = [allocation.names.index(name) for name, _ in rows]
    n = len(rows)
    columns = {"address": list(range(n)), "source": [name for name, _ in rows], "lane": lanes}
    columns |= {name: [0] * n for name in KEYED.names if name not in columns} | {"measure": [size for _, size in rows]}
    table = pa.table(columns)
    drawing = Drawing(allocation, 0, schema)
    whole = pa.Table.from_batches(drawing(iter(table.to_batches())), schema)
    parts = pa.Table.from_batches(drawing(iter(table.to_batches(cut))), schema)
    assert whole.to_pylist() == parts.to_pylist()
    expected = []
    for lane, name in enumerate(allocation.names):
        own = [(address, size) for address, (other, size) in enumerate(rows) if other == name]
        used, epoch, end = 0, 0, min(int(allocation.wanted[lane]), int(allocation.limit[lane]))
        while used < end:
            for address, size in own:
                if used < end:
                    expected.append((address, epoch))
                used += size
            epoch += 1
    assert sorted(zip(whole["address"].to_pylist(), whole["epoch"].to_pylist(), strict=True)) == sorted(expected)


def test_many_passes_over_many_rows_are_not_made_at_once():
    n, epochs = 1000, 300
    allocation = allocate(Mixture.model_validate({"unit": "rows", "max_epochs": epochs, "sources": {"a": 1}}), {"a": n})
    columns = {"source": ["a"] * n, "measure": [1] * n, "address": list(range(n))}
    columns |= {name: [0] * n for name in (*KEYED.names, "lane") if name not in columns}
    made = list(Drawing(allocation, 0, written_schema(KEYED))(iter(pa.table(columns).to_batches())))
    assert sum(batch.num_rows for batch in made) == n * epochs
    assert max(batch.num_rows for batch in made) <= TAKEN_ROWS
