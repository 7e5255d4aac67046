"""``mixture.yaml`` of an output: what was asked for, what there was, and what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from .allocation import Allocation
from .mixture import WORDS, Mixture, SourceShare
from .splits import TRAIN
from .state import write_atomically

NAME = "mixture.yaml"


def write_mixture(
    folder: Path, mixture: Mixture | None, allocation: Allocation | None, shards: Sequence[dict[str, Any]]
) -> dict[str, Any] | None:
    """Write what the training rows of an output are made of, a valid mixture itself; return what a report says of it.

    Args:
        folder: of the output.
        mixture, allocation: what was asked for; without, weights are what sources hold, in words.
        shards: lines of the manifest, with what they hold of each source.
    """
    held = training_amounts(shards)
    found = _as_it_came(held) if mixture is None or allocation is None else _as_asked(mixture, allocation, held)
    text = yaml.safe_dump(found.model_dump(mode="json", exclude_none=True), sort_keys=False, allow_unicode=True)
    write_atomically(folder / NAME, text)
    if allocation is None:
        return None
    short = dict(zip(allocation.names, allocation.short.tolist(), strict=True))
    facts = ("available", "wanted", "emitted", "rows", "epochs")
    sources = [
        {"name": name, **{fact: getattr(share, fact) for fact in facts}, "short": short[name]}
        for name, share in found.sources.items()
    ]
    return {"unit": found.unit, "budget": found.budget, "sources": sources}


def training_amounts(shards: Sequence[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return what the shards of the training set, or its phases, hold of each source: rows, bytes, tokens."""
    held: dict[str, dict[str, int]] = {}
    for line in shards:
        if line["set"] == TRAIN or line["set"].startswith((f"{TRAIN}-", "fold-")):
            for source, amounts in line["sources"].items():
                total = held.setdefault(source, dict.fromkeys(amounts, 0))
                for name, amount in amounts.items():
                    total[name] += amount
    return {source: held[source] for source in sorted(held)}


def _as_it_came(held: dict[str, dict[str, int]]) -> Mixture:
    sources = {
        name: SourceShare(
            weight=amounts["tokens"],
            max_epochs=None,
            available=amounts["tokens"],
            wanted=amounts["tokens"],
            emitted=amounts["tokens"],
            rows=amounts["rows"],
            epochs=1.0,
        )
        for name, amounts in held.items()
    }
    return Mixture.model_construct(version=1, unit="words", budget=None, max_epochs=1.0, sources=sources, phases=())


def _as_asked(mixture: Mixture, allocation: Allocation, held: dict[str, dict[str, int]]) -> Mixture:
    counted = {WORDS: "tokens"}.get(mixture.unit, mixture.unit)
    sources = {}
    for number, name in enumerate(allocation.names):
        asked, amounts = mixture.sources[name], held.get(name, {})
        there, emitted = int(allocation.available[number]), amounts.get(counted, 0)
        facts = {
            "available": there,
            "wanted": int(allocation.wanted[number]),
            "emitted": emitted,
            "rows": amounts.get("rows", 0),
            "epochs": round(emitted / there, 6) if there else 0.0,
        }
        sources[name] = asked.model_copy(update=facts)
    return mixture.model_copy(update={"sources": sources})
