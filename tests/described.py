"""An output with splits, a mixture in two phases and columns of many types, and the manifest of one that never was."""

import datetime
import decimal
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

import tamis
from tamis.pipeline.config import make_config
from tamis.pipeline.manifest import read_manifest

WORDS = [f"w{i}" for i in range(500)]
SOURCES = {"books": 200, "a web": 900, "wiki": 400}
SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("id", pa.large_string()),
        ("source", pa.dictionary(pa.int32(), pa.string())),
        ("score", pa.float64()),
        ("big", pa.uint64()),
        ("small", pa.int8()),
        ("price", pa.decimal128(9, 2)),
        ("seen", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("good", pa.bool_()),
        ("tags", pa.list_(pa.string())),
        ("an odd/name: é", pa.float32()),
        ("page", pa.struct([("url", pa.string()), ("size", pa.struct([("kB", pa.int32())]))])),
    ]
)


def rows(rng):
    for source, count in SOURCES.items():
        for i in range(count):
            yield {
                "text": " ".join(rng.choices(WORDS, k=rng.randint(5, 40))) + f" {source} {i}",
                "id": f"{source}-{i}",
                "source": source,
                "score": rng.random(),
                "big": rng.randrange(2**53),
                "small": rng.randrange(-100, 100),
                "price": decimal.Decimal(rng.randrange(10**6)) / 100,
                "seen": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=i),
                "day": datetime.date(2024, 1, 1) + datetime.timedelta(days=i % 99),
                "good": i % 2 == 0,
                "tags": [None, [], ["a"], ["a", "b"]][i % 4],
                "an odd/name: é": i / 2,
                "page": {"url": f"https://{i}", "size": {"kB": i}},
            }


def make_output(folder, **changes):
    """Sift a corpus into an output with four sets, and return its folder."""
    made = list(rows(Random(7)))
    pq.write_table(pa.Table.from_pylist([*made, *made[:50]], SCHEMA), folder / "in.parquet")
    settings = {
        "inputs": [{"path": str(folder / "in.parquet")}],
        "columns": {"source": "source"},
        "stages": [{"filter": {"where": "score > 0.01"}}, "exact", {"near": {"threshold": 0.8}}],
        "shards": {"target_size": "20KB", "group_size": "2KB", "splits": {"validation": 0.1, "held.out": 0.05}},
        "mixture": {
            "max_epochs": 4,
            "sources": {"books": 3, "a web": 2, "wiki": 1},
            "phases": [
                {"name": "main", "share": 9},
                {"name": "anneal", "share": 1, "weights": {"books": 5, "wiki": 1}},
            ],
        },
        "out": str(folder / "out"),
    }
    tamis.run(make_config(settings | changes))
    return folder / "out"


def read(out):
    """Return the manifest and the mixture of an output."""
    return read_manifest(out), yaml.safe_load((out / "mixture.yaml").read_text(encoding="utf-8"))


def amount(rows, size=0, words=0):
    return {"rows": rows, "bytes": size, "tokens": words}


MANIFEST = {
    "format": "tamis-shards",
    "format_version": 3,
    "settings": {
        "columns": {"text": "body", "id": None, "unique": False, "source": None},
        "stages": [
            {"stage": "exact"},
            {"stage": "decontaminate", "benchmarks": [{"path": "/home/me/gsm8k.jsonl", "name": None}], "ngram": 13},
        ],
        "keep": {"by": "newest", "column": "date", "sources": []},
        "seed": 5,
        "shards": {"target_size": 1000, "group_size": 100},
    },
    "inputs": [
        {"file": 0, "path": "old.jsonl", "size_bytes": 5, "records": 1, "reference": True},
        {"file": 1, "path": "in/a.jsonl", "size_bytes": 4096, "records": 9, "reference": False},
    ],
    "schema": [{"name": "body", "type": "string"}, {"name": "tags", "type": "list<element: string>"}],
    "schema_fingerprint": "00",
    "tokenizers": [{"name": "gpt2", "kind": "tiktoken", "sha256": "77"}],
    "sets": [
        {
            "name": "train",
            "split": "train",
            "phase": None,
            "folder": "",
            "first_row": 0,
            "first_file": 0,
            "layout": {"rows": 5, "files": 1, "groups": 2, "group_rows": 2, "tail_rows": 1},
        }
    ],
    "files": {
        "data": [
            {
                "file": 0,
                "set": "train",
                "name": "part-00000-of-00001.parquet",
                "rows": 4,
                "first_row": 0,
                "size_bytes": 800,
                "sha256": "aa",
                "groups": [],
                "sources": {"wi|ki": amount(3, 60, 12) | {"gpt2": 15}, "web": amount(1, 20, 4) | {"gpt2": 6}},
            },
            {
                "file": 1,
                "set": "train",
                "name": "tail.parquet",
                "rows": 1,
                "first_row": 4,
                "size_bytes": 300,
                "sha256": "bb",
                "groups": [],
                "sources": {"web": amount(1, 20, 4) | {"gpt2": 5}},
            },
        ]
    },
    "ledger": {
        "total": {
            "read": amount(10, 200, 40),
            "kept": amount(5, 100, 20),
            "dropped": {"exact": amount(2, 40, 8)},
            "quarantined": {"not-utf8": amount(1, 20, 4)},
            "references": amount(1, 20, 4),
            "cut": amount(0),
            "unsampled": amount(1, 20, 4),
        },
        "sources": {},
        "emitted_rows": 5,
        "capped_rows": 0,
        "annotated": False,
    },
}
"""Two rows a group, one in the tail; a source whose name has a mark of tables."""

MIXTURE = {
    "version": 1,
    "unit": "words",
    "budget": 1200,
    "max_epochs": 1.0,
    "sources": {
        "wiki": {
            "weight": 3,
            "max_epochs": 2.5,
            "available": 450,
            "wanted": 900,
            "emitted": 900,
            "rows": 9,
            "epochs": 2.0,
        },
        "the web": {"weight": 1, "available": 300, "wanted": 300, "emitted": 300, "rows": 30, "epochs": 1.0},
    },
    "phases": [{"name": "main", "share": 3}, {"name": "anneal", "share": 1, "weights": {"wiki": 1}}],
}
