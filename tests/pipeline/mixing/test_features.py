"""What texts say of their sources, against plain Python over the same rows."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from tamis.hashing.errors import ConfigError, InputError
from tamis.hashing.hashed_vectors import hashed_vectors
from tamis.hashing.mixing.importance import ngram_buckets
from tamis.jobs.local import LocalEngine
from tamis.pipeline.mixing.features import BANDS, CELLS, CODES, NGRAMS, Bucketing, measure
from tamis.pipeline.mixing.sources import Sources
from tamis.pipeline.text_column import text_buffers


@pytest.fixture
def engine(tmp_path):
    engine = LocalEngine(tmp_path / "work", threads=2)
    yield engine
    engine.close()


def rows(count=120):
    rng = np.random.Generator(np.random.PCG64(2))
    words = [f"word{i}" for i in range(40)]
    texts = [" ".join(words[i] for i in rng.zipf(1.3, rng.integers(0, 30)) % 40) for _ in range(count)]
    texts[5], texts[6] = None, "..."
    names = [["web", "wiki", "bücher"][i] for i in rng.integers(0, 3, count)]
    return pa.table({"text": texts, "source": names, "cell": pa.array(rng.integers(0, 9, count), pa.int64())})


def cut(table, size):
    return pa.Table.from_batches(table.to_batches(max_chunksize=size), table.schema)


def same(one, other):
    assert one.names == other.names
    for what in ("rows", "tokens"):
        assert getattr(one, what).tolist() == getattr(other, what).tolist()
    assert one.histograms.counts.tolist() == other.histograms.counts.tolist()
    for a, b in zip(one.samples, other.samples, strict=True):
        assert (a.hashes.tolist(), a.counts.tolist()) == (b.hashes.tolist(), b.counts.tolist())


def test_counts_are_those_of_plain_python(engine):
    table = rows()
    found = measure(engine.table(table), bucketing=Bucketing(buckets=50), one_in=1)
    assert found.names == ("bücher", "web", "wiki")
    for place, name in enumerate(found.names):
        texts = [row["text"] or "" for row in table.to_pylist() if row["source"] == name]
        assert found.rows[place] == len(texts)
        assert found.tokens[place] == sum(len(text.replace(".", "").split()) for text in texts)
        buckets, _ = ngram_buckets(*text_buffers(pa.array(texts)), buckets=50)
        assert found.histograms.counts[place].tolist() == np.bincount(buckets, minlength=50).tolist()
        grams = Counter()
        for text in texts:
            words = text.replace(".", "").split()
            size = min(5, len(words))
            grams.update(tuple(words[i : i + size]) for i in range(len(words) - size + 1) if size)
        assert sorted(found.samples[place].counts.tolist()) == sorted(grams.values())


@pytest.mark.parametrize("kind", [NGRAMS, BANDS, CODES, CELLS])
def test_the_answer_does_not_depend_on_cuts_or_order(engine, kind):
    table = rows()
    bucketing = Bucketing(kind=kind, buckets=64, bands=4, rows=2, cells="cell" if kind == CELLS else None)
    whole = measure(engine.table(table), bucketing=bucketing, one_in=4)
    order = np.random.Generator(np.random.PCG64(1)).permutation(table.num_rows)
    same(measure(engine.table(cut(table.take(order), 7)), bucketing=bucketing, one_in=4), whole)
    half, rest = engine.table(table.slice(0, 50)), engine.table(cut(table.slice(50), 1))
    same(measure(half.union(rest), bucketing=bucketing, one_in=4), whole)
    merged = measure(half, bucketing=bucketing, one_in=4).histograms.merge(
        measure(rest, bucketing=bucketing, one_in=4).histograms
    )
    assert merged.counts.tolist() == whole.histograms.counts.tolist()


def test_bands_count_near_duplicates_and_cells_their_rows(engine):
    text = "the mill sieves the flour of the wide river bank"
    table = pa.table(
        {"text": [text, text, "nothing of that kind is in here at all", ""], "source": ["a", "b", "c", "c"]}
    )
    found = measure(engine.table(table), bucketing=Bucketing(kind=BANDS, buckets=1000, bands=8, rows=4))
    assert found.histograms.totals.tolist() == [8, 8, 8]
    assert found.histograms.counts[0].tolist() == found.histograms.counts[1].tolist()
    assert not (found.histograms.counts[0] * found.histograms.counts[2]).any()
    cells = rows()
    by_cell = measure(engine.table(cells), bucketing=Bucketing(kind=CELLS, buckets=9, cells="cell"))
    assert by_cell.histograms.totals.tolist() == by_cell.rows.tolist()
    of_web = [row["cell"] for row in cells.to_pylist() if row["source"] == "web"]
    assert by_cell.histograms.counts[1].tolist() == np.bincount(of_web, minlength=9).tolist()


def test_codes_are_signs_of_hashed_vectors(engine):
    texts = ["the mill", "the mill!", "a river of flour", "something else", "..."]
    table = pa.table({"text": texts, "source": ["a", "b", "b", "c", "c"]})
    found = measure(engine.table(table), bucketing=Bucketing(CODES, 8))
    vectors = hashed_vectors(*text_buffers(pa.array(texts)), dimensions=4)[:4, :3]
    codes = [sum((value > 0) << bit for bit, value in enumerate(row)) for row in vectors.tolist()]
    assert found.histograms.totals.tolist() == [1, 2, 1]
    expected = [np.bincount(some, minlength=8).tolist() for some in ([codes[0]], codes[1:3], [codes[3]])]
    assert found.histograms.counts.tolist() == expected
    assert codes[0] == codes[1]


def test_a_source_without_words_is_there_and_holds_nothing(engine):
    table = pa.table({"text": ["a mill", None, "..."], "source": ["a", "b", "b"]})
    found = measure(engine.table(table), one_in=1)
    assert (found.names, found.rows.tolist(), found.tokens.tolist()) == (("a", "b"), [1, 2], [2, 0])
    sources = Sources.of(found)
    assert sources.unique.tolist() == [2.0, 0.0]


def test_copies_of_a_source_share_what_is_unique(engine):
    texts = [f"this is the line number {i} of the one book" for i in range(40)]
    table = pa.table(
        {"text": texts * 2 + ["something else entirely and of its own"], "source": ["a"] * 40 + ["b"] * 40 + ["c"]}
    )
    sources = Sources.of(measure(engine.table(table), one_in=1))
    alone = Sources.of(measure(engine.table(table.slice(40)), one_in=1))
    assert sources.unique[0] == sources.unique[1] == pytest.approx(alone.unique[0] / 2)
    assert sources.unique[2] == alone.unique[1] == 7.0


@pytest.mark.parametrize(
    ("table", "settings", "error", "message"),
    [
        ({"text": ["a"], "source": [None]}, {}, InputError, "every row has a source"),
        ({"text": [], "source": []}, {}, InputError, "a mixture has a source"),
        (
            {"text": ["a"], "source": ["s"], "cell": [9]},
            {"kind": CELLS, "cells": "cell", "buckets": 9},
            InputError,
            "9 to 9 of 9",
        ),
        (
            {"text": ["a"], "source": ["s"], "cell": [None]},
            {"kind": CELLS, "cells": "cell"},
            InputError,
            "cells are int64",
        ),
    ],
)
def test_bad_rows_are_refused(engine, table, settings, error, message):
    kinds = {"text": pa.string(), "source": pa.string(), "cell": pa.int64()}
    rows = pa.table({name: pa.array(values, kinds[name]) for name, values in table.items()})
    with pytest.raises(error, match=message):
        measure(engine.table(rows), bucketing=Bucketing(**settings))


def test_bad_settings_are_refused():
    with pytest.raises(ConfigError, match="`kind` is one of ngrams, bands, codes, cells"):
        Bucketing(kind="topics")
    with pytest.raises(ConfigError, match="cells have a column"):
        Bucketing(kind=CELLS)
    for buckets in (1, 1000, 2**17):
        with pytest.raises(ConfigError, match="codes have a power of two of buckets"):
            Bucketing(CODES, buckets)
    with pytest.raises(ConfigError, match="`buckets` is 1 to"):
        Bucketing(buckets=0)
