"""What a manifest says of how an output was made, for those who describe it."""

import re
from collections.abc import Mapping
from typing import Any

_ABSOLUTE = re.compile(r"(?:/|[A-Za-z]:[\\/]|\w[\w+.-]*://)\S*")


def stages(manifest: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the stages in order, each with its settings."""
    listed = manifest["settings"]["stages"]
    return [(stage["stage"], {key: portable(stage[key]) for key in stage if key != "stage"}) for stage in listed]


def portable(value: Any) -> Any:
    """Return settings in which files and folders elsewhere have their last names only.

    >>> portable({"benchmarks": [{"path": "/home/me/gsm8k.jsonl", "columns": ["question"]}]})
    {'benchmarks': [{'path': 'gsm8k.jsonl', 'columns': ['question']}]}
    """
    if isinstance(value, Mapping):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item) for item in value]
    if isinstance(value, str) and _ABSOLUTE.fullmatch(value):
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return value


def losses(manifest: Mapping[str, Any]) -> list[tuple[str, str, dict[str, int]]]:
    """Return what became of rows that are not in the shards: (what happened, by or to what, rows, bytes and tokens).

    Stages come in their order, also those that removed nothing; others only if they removed something.
    """
    total = manifest["ledger"]["total"]
    dropped = dict(total["dropped"])
    found: list[tuple[str, str, dict[str, int]]] = []
    for name, _ in stages(manifest):
        if not any(name == told for _, told, _ in found) and name != "paragraphs":
            found.append(("removed", name, dropped.pop(name, {"rows": 0, "bytes": 0, "tokens": 0})))
    found += [("removed", name, amount) for name, amount in sorted(dropped.items())]
    found += [("quarantined", name, amount) for name, amount in sorted(total["quarantined"].items())]
    others = (("references", "compared with, not written"), ("cut", "cut out of kept rows"), ("unsampled", "not taken"))
    found += [(name, what, total[name]) for name, what in others if any(total.get(name, {}).values())]
    return found


def source_amounts(manifest: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return by source, in order of names, what the shards hold: rows, bytes, tokens, and tokens of each tokenizer."""
    amounts: dict[str, dict[str, int]] = {}
    names = ["rows", "bytes", "tokens", *(line["name"] for line in manifest["tokenizers"])]
    for file in manifest["files"]["data"]:
        for source, amount in file["sources"].items():
            mine = amounts.setdefault(source, dict.fromkeys(names, 0))
            for name in names:
                mine[name] += amount[name]
    return {source: amounts[source] for source in sorted(amounts)}
