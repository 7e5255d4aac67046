"""What to train on, in which proportions: the format ``mixture.yaml``; ``allocation.py`` turns weights into amounts.

A source is a sequence: its rows in the order of a keyed hash, then the same rows again, pass after pass. Of this
sequence a mixture takes a piece from the start for each phase, one after another. So no row is repeated before all rows
of its source were used, a larger budget holds all that a smaller one does, and no row's place depends on other sources.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

ROWS, WORDS, BYTES = "rows", "words", "bytes"
UNITS = (WORDS, BYTES, ROWS)
"""What is counted without a tokenizer."""

TOKENS = "tokens_"
"""Prefix of columns that count the tokens of a tokenizer."""

_SUFFIXES = {"k": 10**3, "M": 10**6, "B": 10**9, "G": 10**9, "T": 10**12}


def parse_count(value: object) -> object:
    """Return the number that ``300M`` or ``1.5B`` says; anything else as it is, for pydantic to judge.

    >>> parse_count("1.5B")
    1500000000
    """
    if isinstance(value, str) and re.fullmatch(r"(\d{1,15}\.?\d{0,15}|\.\d{1,15})[kMBGT]", value, re.ASCII):
        return round(float(value[:-1]) * _SUFFIXES[value[-1]])
    return value


MOST = 2**53
"""What amounts go up to: whole numbers beyond it have no floats of their own."""

_COUNT_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["300M", "1.5B"]}]}
Count = Annotated[int, BeforeValidator(parse_count), Field(gt=0, le=MOST), WithJsonSchema(_COUNT_SCHEMA)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceShare(_Model):
    """What is wanted of one source; and, in what a run writes, what there was and what came of it."""

    weight: float = Field(ge=0, allow_inf_nan=False, description="Its part of the budget, beside other weights.")
    max_epochs: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Passes over it at most; default: that of the mixture."
    )
    available: int | None = Field(None, description="Written by a run: what the source holds, in the unit.")
    wanted: int | None = Field(None, description="Written by a run: what weight and budget ask for.")
    effective_unique: float | None = Field(
        None,
        ge=0,
        allow_inf_nan=False,
        description="Written by `tamis mix`: words it holds, repeats and what others share taken off.",
    )
    emitted: int | None = Field(None, description="Written by a run: what the shards hold.")
    rows: int | None = Field(None, description="Written by a run: rows in the shards, repeated ones as often.")
    epochs: float | None = Field(None, description="Written by a run: emitted / available.")


class Phase(_Model):
    """A stretch of the training data with weights of its own."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.]+$", description="Names its folder: letters, digits, `_` and `.`.")
    share: float = Field(gt=0, allow_inf_nan=False, description="Its part of the budget, beside other shares.")
    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = Field(
        None, description="Weights of sources, those not named 0; default: those of the mixture."
    )


def _expand_sources(value: object) -> object:
    """Accept ``wiki: 3`` for ``wiki: {weight: 3}``."""
    if not isinstance(value, Mapping):
        return value
    for name in value:
        if not isinstance(name, str):  # YAML takes null, yes and 2020 for something else
            raise ValueError(f"the name of a source is text, not {name!r}: put it in quotes")
    return {name: {"weight": item} if isinstance(item, int | float) else item for name, item in value.items()}


_SHARE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"anyOf": [{"type": "number", "minimum": 0}, SourceShare.model_json_schema()]},
}


class Mixture(_Model):
    """Weights of sources, a budget, and how often rows may be repeated."""

    version: Literal[1] = Field(1, description="Of this format.")
    unit: str = Field(
        WORDS, min_length=1, description="What is counted: `words`, `bytes`, `rows`, or the name of a tokenizer."
    )
    budget: Count | None = Field(
        None, description="How much in all, as 300M; default: as much as no source falls short at."
    )
    max_epochs: float = Field(1.0, gt=0, allow_inf_nan=False, description="Passes over a source at most.")
    sources: Annotated[dict[str, SourceShare], BeforeValidator(_expand_sources), WithJsonSchema(_SHARE_SCHEMA)] = Field(
        min_length=1, description="Each source with its weight: `wiki: 3`, or with more settings."
    )
    phases: tuple[Phase, ...] = Field(
        (), description="Stretches one after another, each with weights of its own; default: one."
    )

    @model_validator(mode="after")
    def _sense(self) -> "Mixture":
        names = [phase.name for phase in self.phases]
        if len(set(names)) < len(names):
            raise ValueError(f"phases have names of their own, not {', '.join(names)}")
        for phase in self.phases:
            unknown = sorted((phase.weights or {}).keys() - self.sources.keys())
            if unknown:
                raise ValueError(f"phase {phase.name!r} weights {', '.join(unknown)}, which `sources` does not have")
        for name, weights in zip(names or ["mixture"], self.weights(), strict=True):
            if not 0 < sum(weights.values()) < math.inf:
                raise ValueError(f"{name}: some source has a weight above 0, and all add up to a number")
        if not sum(phase.share for phase in self.phases) < math.inf:
            raise ValueError("shares of phases add up to a number")
        return self

    def weights(self) -> list[dict[str, float]]:
        """Return the weight of each source in each phase."""
        own = {name: source.weight for name, source in self.sources.items()}
        if not self.phases:
            return [own]
        return [
            own if phase.weights is None else {name: phase.weights.get(name, 0.0) for name in own}
            for phase in self.phases
        ]

    def shares(self) -> list[float]:
        """Return the share of each phase of the budget."""
        total = sum(phase.share for phase in self.phases)
        return [phase.share / total for phase in self.phases] or [1.0]

    def as_asked(self) -> dict[str, Any]:
        """Return what was asked for, without what a run wrote: what its output depends on."""
        sources = {
            name: {"weight": share.weight, "max_epochs": share.max_epochs} for name, share in self.sources.items()
        }
        return {**self.model_dump(mode="json", exclude={"sources"}), "sources": sources}


def mixture_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``mixture.yaml``."""
    return Mixture.model_json_schema()
