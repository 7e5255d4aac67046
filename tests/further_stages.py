"""A pipeline of all stages over rows that each of them has something to do with: what both engines are tested with."""

from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
from runs import NEAR

from tamis.pipeline.config import make_config

VOCABULARY = [f"w{i}" for i in range(4000)]


def write_rows(folder, seed):
    """Write texts with copies, near and less near ones, parts of others and benchmark items, and a benchmark."""
    rng = Random(seed)
    items = [" ".join(rng.choices(VOCABULARY, k=rng.randint(6, 25))) for _ in range(8)]
    texts = []
    for i in range(150):
        words = rng.choices(VOCABULARY, k=rng.randint(40, 200))
        texts.append(" ".join(words))
        if i % 3 == 0:
            texts.append(" ".join(words[10 : 10 + rng.randint(10, 30)]))
        if i % 5 == 0:
            texts.append(" ".join([*words[:-1], "end"]))
        if i % 7 == 0:
            texts.append(" ".join("other" if j % 9 == 4 else word for j, word in enumerate(words)))
        if i % 11 == 0:
            texts += [" ".join(words), f"{texts[-1]} {items[i % 8]}"]
    notices = [f"notice {i}: all rights of this page are reserved by its owner" for i in range(3)]
    texts = [f"{text}\n{rng.choice(notices)}" if rng.random() < 0.3 else text for text in texts]
    texts.append("\n".join(notices))
    rng.shuffle(texts)
    (folder / "in").mkdir(parents=True)
    for part in range(3):
        rows = texts[part::3]
        table = pa.table({"text": rows, "id": [f"{part}-{i}" for i in range(len(rows))], "source": ["web"] * len(rows)})
        pq.write_table(table, folder / "in" / f"part-{part}.parquet", row_group_size=11)
    pq.write_table(pa.table({"text": items}), folder / "items.parquet")


def settings(folder, out, *, action="drop", **more):
    stages = [
        {"decontaminate": {"benchmarks": [{"path": str(folder / "items.parquet")}], "action": action}},
        "exact",
        {"near": NEAR},
        {"contained": {"one_in": 2}},
        {"semantic": {"threshold": 0.85, **more.pop("semantic", {})}},
        {"balance": {"bits": 2, "most": 55}},
        {"select": {"share": 0.8, "parts": 3, **more.pop("select", {})}},
        *([] if more.get("annotate") else [{"paragraphs": {"rows": 4}}]),
    ]
    return make_config(
        {
            "inputs": [{"path": str(folder / "in")}],
            "columns": {"text": "text", "id": "id", "source": "source"},
            "stages": stages,
            "keep": "longest",
            "allow_loss": ["web"],
            "shards": {"target_size": "8KB", "group_size": "1KB"},
            "out": str(out),
        }
        | more
    )
