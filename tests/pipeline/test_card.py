"""The card itself; that ``load_dataset`` finds its splits is seen in ``tests/readers``."""

import copy

import yaml
from described import MANIFEST, MIXTURE, amount, make_output, read

from tamis.pipeline.card import card

GOLDEN = """\
---
pretty_name: Sieved | texts
size_categories:
- n<1K
configs:
- config_name: default
  data_files:
  - split: train
    path: data/*.parquet
---

# Sieved | texts

5 records with 100 bytes of text (20 words), from 10 that were read. They are in Parquet files under `data/`, in \
random order, ready to train on. The text is in the column `body`.

Tamis wrote them, and this page. `manifest.json` lists every file with its SHA-256; `decisions/` says of every record \
that was removed which one stays in its place; `report.html` shows them.

Nothing here says who may use these texts for what: that follows from where they came from.

## Load it

With Arrow, in the folder of this page:

```python
import pyarrow.dataset

for batch in pyarrow.dataset.dataset("data").to_batches(columns=["body"]):
    print(batch.num_rows)
```

With DuckDB:

```sql
SELECT count(*) FROM 'data/*.parquet';
```

With Hugging Face datasets; `streaming=True` copies nothing:

```python
from datasets import load_dataset

rows = load_dataset(".", split="train", streaming=True)
```

For training, with the same batches at any number of processes, and exact resumption:

```python
from tamis.reader import ShardReader

for batch in ShardReader(".", set="train", rank=0, world_size=1, batch_size=32):
    print(batch.num_rows)
```

## What is in it

| source | rows | bytes of text | words | gpt2 | share of words |
| --- | ---: | ---: | ---: | ---: | ---: |
| web | 2 | 40 | 8 | 11 | 40.0% |
| wi\\|ki | 3 | 60 | 12 | 15 | 60.0% |
| **all** | 5 | 100 | 20 | 26 | 100.0% |

Tokens are counted without special ones; the files of the tokenizers have the SHA-256: gpt2 77.

| column | Arrow type |
| --- | --- |
| `body` | `string` |
| `tags` | `list<element: string>` |

## Sets and files

| set | files | phase | rows | files x row groups x rows | rows of the tail |
| --- | --- | --- | ---: | --- | ---: |
| train | `data/*.parquet` |  | 5 | 1 x 2 x 2 | 1 |

The `part-*` files of a set have equally many row groups of equally many rows, so that readers can share them evenly; \
`tail.parquet` has the rows that are left over. Rows are in random order already: a reader need not shuffle. \
`index.parquet` says of every row where it came from.

## How it was made

Read: 1 file, 4.096 kB.

- `in/a.jsonl`

1. **exact** removes texts whose bytes occurred before
2. **decontaminate** removes documents that hold items of benchmarks (benchmarks \
`[{"path": "gsm8k.jsonl", "name": null}]`, ngram `13`)

Of copies, one stays: `newest:date`.

Everything random follows from seed 5: the same inputs and settings give the same bytes. `config.yaml` has all settings.

## What was left out

| what | rows | bytes of text | words |
| --- | ---: | ---: | ---: |
| removed by exact | 2 | 40 | 8 |
| removed by decontaminate | 0 | 0 | 0 |
| quarantined: not-utf8 | 1 | 20 | 4 |
| references: compared with, not written | 1 | 20 | 4 |
| unsampled: not taken | 1 | 20 | 4 |

## Mixture

Counted in words. Budget: 1,200. An epoch is a pass over a source.

| source | weight | available | wanted | written | epochs |
| --- | ---: | ---: | ---: | ---: | ---: |
| wiki | 3 | 450 | 900 | 900 | 2 |
| the web | 1 | 300 | 300 | 300 | 1 |

Phases, one after another:

| phase | share | weights |
| --- | ---: | --- |
| main | 3 | as above |
| anneal | 1 | wiki 1 |

`mixture.yaml` has the same for programs.

## Check it

```sh
tamis verify .
```

This compares every file with its recorded size and SHA-256, accounts for every record that was read, and looks whether
every removal names a text that stays. Without Tamis, compare what `sha256sum` says with `manifest.json`:
`data/part-00000-of-00001.parquet` has `aa`.
"""


def header(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_golden():
    assert card(MANIFEST, MIXTURE, name="Sieved |\n texts") == GOLDEN


def test_without_a_mixture_or_losses():
    manifest = copy.deepcopy(MANIFEST)
    manifest["settings"]["stages"] = []
    manifest["ledger"]["total"] = {"read": amount(5), "kept": amount(5), "dropped": {}, "quarantined": {}}
    found = card(manifest, None, name="n")
    assert "## Mixture" not in found
    assert "No stage removed anything" in found
    assert "Nothing: every record that was read is here." in found


def test_splits_and_phases_of_a_run(tmp_path):
    found = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        manifest, mixture = read(make_output(tmp_path / place))
        found.append(card(manifest, mixture, name="n"))
    assert found[0] == found[1]
    assert str(tmp_path) not in found[0]
    assert header(found[0]) == {
        "pretty_name": "n",
        "size_categories": ["1K<n<10K"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": ["data/train-0-main/*.parquet", "data/train-1-anneal/*.parquet"]},
                    {"split": "validation", "path": "data/validation/*.parquet"},
                    {"split": "held_out", "path": "data/held.out/*.parquet"},
                ],
            },
            {
                "config_name": "phase-main",
                "data_files": [{"split": "train", "path": "data/train-0-main/*.parquet"}],
            },
            {
                "config_name": "phase-anneal",
                "data_files": [{"split": "train", "path": "data/train-1-anneal/*.parquet"}],
            },
        ],
    }


def test_splits_that_the_hub_would_call_the_same():
    manifest = copy.deepcopy(MANIFEST)
    line = manifest["sets"][0]
    manifest["sets"] = [line | {"name": name, "split": name, "folder": name} for name in ("a.b", "a_b", "fold-0")]
    files = header(card(manifest, None, name="n"))["configs"][0]["data_files"]
    assert {item["path"]: item["split"] for item in files} == {
        "data/a.b/*.parquet": "a_b",
        "data/a_b/*.parquet": "a_b_",
        "data/fold-0/*.parquet": "fold_0",
    }


def test_marks_in_names_are_only_letters():
    manifest = copy.deepcopy(MANIFEST)
    manifest["inputs"][1]["path"] = "a`b|c\n# d"
    manifest["files"]["data"][0]["sources"]["<b>*_[x](y)"] = amount(1) | {"gpt2": 1}
    found = card(manifest, None, name="- x: [")
    assert "- `` a`b\\|c # d ``\n" in found
    assert "| \\<b\\>\\*\\_\\[x\\](y) | 1 |" in found
    assert header(found)["pretty_name"] == "- x: ["
