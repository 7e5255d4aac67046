"""Documents that hold a benchmark item: an n-gram of its words, or all of them where it is short.

Overlap of 13 words is what GPT-3 was cleaned by (Brown et al. 2020, appendix C). N-grams that many documents hold are
phrases, not leaks: they are left out of account, and listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..connectors.address import ADDRESS
from ..connectors.batches import RULE
from ..hashing.bloom import BloomFilter, empty_words
from ..hashing.bloom_rate import plan_filter
from .benchmark_items import Items, shingles_of
from .decisions import DECISIONS
from .engine import Table
from .inputs import Inputs
from .text_column import text_buffers

STAGE, REASON = "decontaminate", "contaminated"
FEWEST_COMMON = 10
"""An n-gram in so many documents or fewer is never common."""

LISTED = 1000
FOUND = pa.schema([("row", pa.int64()), ("item", pa.int64()), ("share", pa.float64())])
_HITS = pa.schema([("address", pa.int64()), ("gram", pa.int64())])
_SCORED = pa.schema([("address", pa.int64()), ("item", pa.int64()), ("order", pa.int64()), ("grams", pa.int64())])


@dataclass(frozen=True)
class Overlap:
    """Finds the n-grams of benchmarks in texts; plain data.

    A Bloom filter turns nearly all of a text's n-grams away; the others are looked up.

    Attributes:
        text: the column.
        grams: by length, sorted.
        sieves: filters of them.
    """

    text: str
    grams: dict[int, NDArray[np.uint64]]
    sieves: dict[int, BloomFilter]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return (address, gram) for records that could be read."""
        text = batch.column(self.text)
        batch = batch.filter(pc.and_(pc.is_null(batch.column(RULE)), pc.is_valid(text)))
        data, offsets = text_buffers(batch.column(self.text))
        addresses = batch.column(ADDRESS).to_numpy()
        places, found = [], []
        for length, grams in self.grams.items():
            values, bounds = shingles_of(data, offsets, length)
            there, _ = matches(values, grams, self.sieves[length])
            places.append(addresses[np.searchsorted(bounds, there, "right") - 1])
            found.append(values[there])
        columns = [pa.array(np.concatenate(places)), pa.array(np.concatenate(found).view(np.int64))]
        return pa.RecordBatch.from_arrays(columns, schema=_HITS)


def matches(
    values: NDArray[np.uint64], grams: NDArray[np.uint64], bloom: BloomFilter
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where in ``values`` an n-gram is, and where that one is in ``grams``, which are sorted and not empty."""
    maybe = np.flatnonzero(bloom.contains(values))
    at = np.minimum(np.searchsorted(grams, values[maybe]), len(grams) - 1)
    equal = grams[at] == values[maybe]
    return maybe[equal], at[equal]


def sieve(grams: NDArray[np.uint64]) -> BloomFilter:
    """Return a filter that holds some n-grams."""
    plan = plan_filter(bands=1, capacity=max(1000, len(grams)), rate=1e-3, block_bits=512)
    words = empty_words(plan.blocks, plan.block_bits)
    bloom = BloomFilter(words, blocks=plan.blocks, block_bits=plan.block_bits, hashes=plan.hashes, salt=0)
    bloom.insert(grams)
    return bloom


@dataclass(frozen=True)
class Contamination:
    """What was found.

    Attributes:
        rows: (row, item, share): rows that hold an item, the one of which they hold most, and which share of its
            n-grams.
        phrases: uint64, n-grams that many rows hold, and that count for nothing.
        facts: for the report.
    """

    rows: Table
    phrases: NDArray[np.uint64]
    facts: dict[str, Any]


def contamination(inputs: Inputs, ranked: Table, items: Items, *, rows: int, common: float) -> Contamination:
    """Find the rows that hold benchmark items.

    Args:
        inputs: what is searched.
        ranked: (row, address, hash_high, hash_low) of the rows in question.
        items: of the benchmarks.
        rows: how many rows there are.
        common: share of the rows above which an n-gram is a phrase.
    """
    overlap = Overlap(inputs.text, items.grams, {length: sieve(grams) for length, grams in items.grams.items()})
    hits = (
        inputs.all_texts()
        .map(overlap, _HITS)
        .join(ranked.select("address"), on=["address"], how="semi")
        .save("overlaps")
    )
    texts = hits.join(ranked.select("address", "hash_high", "hash_low"), on=["address"])
    texts = texts.select("gram", "hash_high", "hash_low").distinct()  # copies of one document are one document
    counts = texts.aggregate(by=["gram"], rows=("count", "hash_high"))
    limit = max(FEWEST_COMMON, int(common * rows))
    phrases = counts.map(Above(limit), counts.schema).save("phrases")
    left = hits.join(phrases.select("gram"), on=["gram"], how="anti")
    owned = left.join(inputs.engine.table(items.owners), on=["gram"]).aggregate(
        by=["address", "item"], grams=("count", "gram")
    )
    best = owned.map(_most_first, _SCORED).first(by=["address"], order=["order", "item"])
    found = (
        best.join(ranked.select("row", "address"), on=["address"]).map(Share(items.sizes), FOUND).save("contaminated")
    )
    common_grams = phrases.collect().sort_by([("rows", "descending"), ("gram", "ascending")])
    return Contamination(found, common_grams["gram"].to_numpy().view(np.uint64), _facts(found, common_grams, items))


@dataclass(frozen=True)
class Above:
    """Keeps n-grams that more than some documents hold; plain data."""

    limit: int

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return these."""
        return batch.filter(pc.greater(batch.column("rows"), self.limit))


def _most_first(batch: pa.RecordBatch) -> pa.RecordBatch:
    order = pa.array(-batch.column("grams").to_numpy())
    columns = [batch.column("address"), batch.column("item"), order, batch.column("grams")]
    return pa.RecordBatch.from_arrays(columns, schema=_SCORED)


@dataclass(frozen=True)
class Share:
    """Says which share of an item's n-grams a row holds; plain data.

    Attributes:
        sizes: int64, n-grams of each item.
    """

    sizes: NDArray[np.int64]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return ``FOUND``."""
        share = batch.column("grams").to_numpy() / self.sizes[batch.column("item").to_numpy()]
        return pa.RecordBatch.from_arrays([batch.column("row"), batch.column("item"), pa.array(share)], schema=FOUND)


def _facts(found: Table, phrases: pa.Table, items: Items) -> dict[str, Any]:
    """Return a line for each benchmark, and the n-grams that were left out of account."""
    by_item = found.aggregate(by=["item"], rows=("count", "row")).collect().to_pylist()
    held = {line["item"]: line["rows"] for line in by_item}
    lines = []
    for name in dict.fromkeys(items.benchmarks):
        members = [i for i, benchmark in enumerate(items.benchmarks) if benchmark == name]
        unchecked = [i for i in items.unchecked if items.benchmarks[i] == name]
        lines.append(
            {
                "name": name,
                "items": len(members),
                "unchecked": len(unchecked),
                "unchecked_items": [items.names[i] for i in unchecked[:LISTED]],
                "found": sum(i in held for i in members),
                "rows": sum(held.get(i, 0) for i in members),
            }
        )
    return {
        "benchmarks": lines,
        "phrases": phrases.num_rows,
        "most_common": list(_owners(phrases.slice(0, LISTED), items)),
    }


def _owners(phrases: pa.Table, items: Items) -> Iterator[dict[str, Any]]:
    """Yield the n-grams of ``phrases`` by an item that holds each."""
    grams, owners = items.owners["gram"].to_numpy(), items.owners["item"].to_numpy()
    for line in phrases.to_pylist():
        item = int(owners[np.searchsorted(grams, line["gram"])])
        yield {"benchmark": items.benchmarks[item], "item": items.names[item], "rows": line["rows"]}


@dataclass(frozen=True)
class Named:
    """Says why a contaminated row went; plain data.

    Attributes:
        names, benchmarks: of the items.
    """

    names: tuple[str, ...]
    benchmarks: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of ``DECISIONS``: the item is what the row is like, and nothing stays in its place."""
        n, items = batch.num_rows, batch.column("item")
        derived = {
            "stage": pa.repeat(STAGE, n),
            "reason": pa.repeat(REASON, n),
            "keeper_address": pa.nulls(n, pa.int64()),
            "keeper_id": pa.array(self.names, pa.string()).take(items),
            "keeper_corpus": pa.array(self.benchmarks, pa.string()).take(items),
            "similarity": batch.column("share"),
        }
        columns = [derived[name] if name in derived else batch.column(name) for name in DECISIONS.names]
        return pa.RecordBatch.from_arrays(columns, schema=DECISIONS)


def contaminated_decisions(rows: Table, ranked: Table, items: Items) -> Table:
    """Return the decisions of the stage."""
    named = rows.join(ranked.select("row", "address", "id", "source", "bytes", "tokens"), on=["row"])
    return named.map(Named(tuple(items.names), tuple(items.benchmarks)), DECISIONS)
