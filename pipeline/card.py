"""A dataset card: what an output is, for somebody who has never heard of Tamis.

Markdown with the header that the Hugging Face hub reads (https://huggingface.co/docs/hub/datasets-cards), so that
``load_dataset`` of the folder, or of its upload, finds the splits.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from .counted import counted
from .provenance import losses, source_amounts, stages

NAME = "README.md"

_SIZES = (
    *((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M")),
    *((10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"), (10**12, "100B<n<1T")),
)

_STAGES = {
    "filter": "keeps records that meet a condition",
    "exact": "removes texts whose bytes occurred before",
    "near": "removes near duplicates: texts that share most of their runs of words with a text that stays",
    "decontaminate": "removes documents that hold items of benchmarks",
    "contained": "removes texts that lie inside others",
    "semantic": "removes texts whose vectors are nearly those of a text that stays",
    "balance": "keeps so many records of each leaf: of what has something in common",
    "select": "keeps the records that stand for all others best",
    "paragraphs": "cuts out paragraphs that many documents hold",
}

_COMPARES = ("exact", "near", "contained", "semantic", "paragraphs")
"""Stages that choose which of several records stays."""


def card(manifest: Mapping[str, Any], mixture: Mapping[str, Any] | None, *, name: str) -> str:
    """Return the text of ``README.md``, which belongs beside ``manifest.json``.

    It says nothing of when and where a run was: equal manifests give equal cards.

    Args:
        manifest: of version 3, as ``read_manifest`` returns it.
        mixture: as the ``mixture.yaml`` of the output has it, or None.
        name: of the data set, for people.
    """
    parts = [
        f"---\n{_header(manifest, name)}---",
        f"# {_line(name)}",
        _what(manifest),
        "## Load it",
        _load(manifest),
        "## What is in it",
        _sources(manifest),
        "## Sets and files",
        _sets(manifest),
        "## How it was made",
        _made(manifest),
        "## What was left out",
        _left_out(manifest),
        *(["## Mixture", _mixture(mixture)] if mixture else []),
        "## Check it",
        _check(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _header(manifest: Mapping[str, Any], name: str) -> str:
    """Return the YAML of the header: a configuration with a split for each, and one for each phase of a mixture."""
    rows = sum(line["layout"]["rows"] for line in manifest["sets"])
    header = {
        "pretty_name": _line(name),
        "size_categories": [next((told for limit, told in _SIZES if rows < limit), "n>1T")],
        "configs": _configs(manifest["sets"]),
    }
    return yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=1000)


def _configs(sets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = _split_names(sets)
    splits: dict[str, list[str]] = {}
    phases: dict[str, list[str]] = {}
    for line in sets:
        if line["layout"]["rows"]:
            splits.setdefault(names[line["split"]], []).append(_glob(line))
            if line["phase"] is not None:
                phases.setdefault(line["phase"], []).append(_glob(line))
    configs = [("default", splits)] + [(f"phase-{phase}", {"train": globs}) for phase, globs in phases.items()]
    return [
        {
            "config_name": config,
            "data_files": [
                {"split": split, "path": globs if len(globs) > 1 else globs[0]} for split, globs in own.items()
            ],
        }
        for config, own in configs
        if own
    ]


def _split_names(sets: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the name of each split as the hub allows it."""
    names: dict[str, str] = {}
    for line in sets:
        if line["split"] not in names:
            name = re.sub(r"\W", "_", line["split"])
            while name in names.values():
                name += "_"
            names[line["split"]] = name
    return names


def _glob(line: Mapping[str, Any]) -> str:
    return "/".join(part for part in ("data", line["folder"], "*.parquet") if part)


def _what(manifest: Mapping[str, Any]) -> str:
    ledger = manifest["ledger"]
    amounts = source_amounts(manifest)
    rows, size, words = (sum(amount[key] for amount in amounts.values()) for key in ("rows", "bytes", "tokens"))
    return (
        f"{counted(rows, 'record')} with {_size(size)} of text ({counted(words, 'word')}), from "
        f"{ledger['total']['read']['rows']:,} that were read. They are in Parquet files under `data/`, in random "
        f"order, ready to train on. The text is in the column {_code(manifest['settings']['columns']['text'])}.\n\n"
        "Tamis wrote them, and this page. `manifest.json` lists every file with its "
        "SHA-256; `decisions/` says of every record that was removed which one stays in its place; `report.html` shows "
        "them.\n\n"
        "Nothing here says who may use these texts for what: that follows from where they came from."
    )


def _load(manifest: Mapping[str, Any]) -> str:
    sets = [line for line in manifest["sets"] if line["layout"]["rows"]] or list(manifest["sets"])
    first, text = sets[0], manifest["settings"]["columns"]["text"]
    folder = f"data/{first['folder']}".rstrip("/")
    return f"""With Arrow, in the folder of this page:

```python
import pyarrow.dataset

for batch in pyarrow.dataset.dataset({json.dumps(folder)}).to_batches(columns=[{json.dumps(text, ensure_ascii=False)}]):
    print(batch.num_rows)
```

With DuckDB:

```sql
SELECT count(*) FROM '{_glob(first)}';
```

With Hugging Face datasets; `streaming=True` copies nothing:

```python
from datasets import load_dataset

rows = load_dataset(".", split={json.dumps(_split_names(manifest["sets"])[first["split"]])}, streaming=True)
```

For training, with the same batches at any number of processes, and exact resumption:

```python
from tamis.reader import ShardReader

for batch in ShardReader(".", set={json.dumps(first["name"])}, rank=0, world_size=1, batch_size=32):
    print(batch.num_rows)
```"""


def _sources(manifest: Mapping[str, Any]) -> str:
    amounts = source_amounts(manifest)
    tokenizers = [line["name"] for line in manifest["tokenizers"]]
    total = {key: sum(amount[key] for amount in amounts.values()) for key in ("rows", "bytes", "tokens", *tokenizers)}
    lines = [
        [_cell(source), *_amounts(amount, tokenizers), _share(amount["tokens"], total["tokens"])]
        for source, amount in amounts.items()
    ]
    if len(lines) > 1:
        lines.append(["**all**", *_amounts(total, tokenizers), _share(total["tokens"], total["tokens"])])
    told = _table(["source", "rows", "bytes of text", "words", *map(_cell, tokenizers), "share of words"], lines)
    if tokenizers:
        files = ", ".join(f"{_cell(line['name'])} {line['sha256']}" for line in manifest["tokenizers"])
        told += f"\n\nTokens are counted without special ones; the files of the tokenizers have the SHA-256: {files}."
    columns = [[_code(field["name"]), _code(field["type"])] for field in manifest["schema"]]
    return f"{told}\n\n{_table(['column', 'Arrow type'], columns)}"


def _amounts(amount: Mapping[str, int], tokenizers: Sequence[str]) -> list[str]:
    return [f"{amount[key]:,}" for key in ("rows", "bytes", "tokens", *tokenizers)]


def _sets(manifest: Mapping[str, Any]) -> str:
    lines = []
    for line in manifest["sets"]:
        layout = line["layout"]
        phase = [_cell(line["phase"]) if line["phase"] is not None else ""]
        shape = f"{layout['files']:,} x {layout['groups']:,} x {layout['group_rows']:,}"
        lines.append(
            [_cell(line["name"]), _code(_glob(line)), *phase, f"{layout['rows']:,}", shape, f"{layout['tail_rows']:,}"]
        )
    table = _table(["set", "files", "phase", "rows", "files x row groups x rows", "rows of the tail"], lines)
    return (
        f"{table}\n\nThe `part-*` files of a set have equally many row groups of equally many rows, so that readers "
        "can share them evenly; `tail.parquet` has the rows that are left over. Rows are in random order already: a "
        "reader need not shuffle. `index.parquet` says of every row where it came from."
    )


def _made(manifest: Mapping[str, Any]) -> str:
    settings = manifest["settings"]
    lines = [
        f"{number}. **{stage}** {_STAGES.get(stage, '')}".rstrip() + _settings(own)
        for number, (stage, own) in enumerate(stages(manifest), 1)
    ]
    told = "\n".join(lines) if lines else "No stage removed anything: records were dealt into shards as they are."
    compared = any(stage in _COMPARES for stage, _ in stages(manifest))
    keep = f"\n\nOf copies, one stays: {_code(_keep(settings['keep']))}." if compared else ""
    inputs = [line for line in manifest["inputs"] if not line["reference"]]
    read = f"Read: {counted(len(inputs), 'file')}, {_size(sum(line['size_bytes'] for line in inputs))}."
    shown = [f"- {_code(line['path'])}" for line in inputs[:_SHOWN]]
    more = [f"- and {len(inputs) - _SHOWN:,} more, in `manifest.json`"] if len(inputs) > _SHOWN else []
    seed = f"Everything random follows from seed {settings['seed']}: the same inputs and settings give the same bytes."
    return "\n\n".join([f"{read}", "\n".join(shown + more), f"{told}{keep}", f"{seed} `config.yaml` has all settings."])


_SHOWN = 10
"""Input files that are listed."""


def _keep(policy: Mapping[str, Any]) -> str:
    """Return a policy as the configuration writes it."""
    of = policy["column"] or ",".join(policy["sources"])
    return f"{policy['by']}:{of}" if of else str(policy["by"])


def _settings(own: Mapping[str, Any]) -> str:
    told = [f"{key} {_code(_json(value))}" for key, value in own.items() if value not in (None, [], {})]
    return f" ({', '.join(told)})" if told else ""


def _left_out(manifest: Mapping[str, Any]) -> str:
    lines = [
        [_cell(f"{what} by {by}" if what == "removed" else f"{what}: {by}"), *_amounts(amount, ())]
        for what, by, amount in losses(manifest)
    ]
    if not lines:
        return "Nothing: every record that was read is here."
    return _table(["what", "rows", "bytes of text", "words"], lines)


def _mixture(mixture: Mapping[str, Any]) -> str:
    """Return tables of what was wanted and came of it."""
    lines = [
        [_cell(source), *(_number(own.get(key)) for key in ("weight", "available", "wanted", "emitted", "epochs"))]
        for source, own in mixture["sources"].items()
    ]
    budget = f" Budget: {mixture['budget']:,}." if mixture.get("budget") else ""
    told = f"Counted in {_line(str(mixture.get('unit', 'words')))}.{budget} An epoch is a pass over a source.\n\n"
    told += _table(["source", "weight", "available", "wanted", "written", "epochs"], lines)
    phases = [
        [_cell(phase["name"]), _number(phase["share"]), _weights(phase.get("weights"))]
        for phase in mixture.get("phases") or ()
    ]
    if phases:
        told += "\n\nPhases, one after another:\n\n" + _table(["phase", "share", "weights"], phases)
    return told + "\n\n`mixture.yaml` has the same for programs."


def _weights(weights: Mapping[str, float] | None) -> str:
    return ", ".join(f"{_cell(name)} {_number(weight)}" for name, weight in (weights or {}).items()) or "as above"


def _check(manifest: Mapping[str, Any]) -> str:
    first = manifest["files"]["data"][0]
    return f"""```sh
tamis verify .
```

This compares every file with its recorded size and SHA-256, accounts for every record that was read, and looks whether
every removal names a text that stays. Without Tamis, compare what `sha256sum` says with `manifest.json`:
{_code("data/" + first["name"])} has `{first["sha256"]}`."""


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; columns of numbers are on the right."""
    columns = [[line[i] for line in lines] for i in range(len(head))]
    right = [any(column) and all(re.fullmatch(r"[\d,.%-]*", cell) for cell in column) for column in columns]
    rules = ["---:" if numbers else "---" for numbers in right]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *lines))


def _line(text: str) -> str:
    """Return a text as one line."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Return a text as it is shown in a table: its marks mean nothing there."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", _line(text)) or "(empty)"


def _code(text: str) -> str:
    """Return a text as code, in a table too."""
    text = _line(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if len(fence) > 1 else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def _share(part: int, total: int) -> str:
    return f"{part / total:.1%}" if total else ""


def _size(size: int) -> str:
    for name, unit in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    return counted(size, "byte")
