"""Settings of the stages that choose rows."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from ..mixture import MOST, Count, Mixture, parse_count
from ..settings_file import Model, read_mixture


class Balance(Model):
    """Keep no more than so many rows of each leaf: rows that have something in common."""

    stage: Literal["balance"] = Field("balance", description="Which stage it is.")
    most: int = Field(
        ge=1, le=MOST, description="Rows that a leaf keeps; those with the lowest keyed hashes of their texts."
    )
    apart: bool = Field(False, description="Whether rows of different sources are in different leaves.")
    by: tuple[str, ...] = Field((), description="Columns; rows with different values are in different leaves.")
    bits: int | None = Field(
        None, ge=1, le=24, description="Cut the vectors of texts by so many random hyperplanes; each cell is a leaf."
    )
    model: str = Field(
        "hashed-ngrams", min_length=1, description="What makes vectors for `bits`: as of the semantic stage."
    )

    @model_validator(mode="after")
    def _has_leaves(self) -> "Balance":
        if not (self.apart or self.by or self.bits):
            raise ValueError("leaves are made by `apart`, `by` or `bits`: set one of them")
        if len(set(self.by)) < len(self.by):
            raise ValueError("a column in `by` is named once")
        return self


class Select(Model):
    """Keep the rows that stand for all others best: representative, and not redundant."""

    stage: Literal["select"] = Field("select", description="Which stage it is.")
    rows: int | None = Field(None, ge=1, le=MOST, description="How many rows to keep, of each group.")
    tokens: Annotated[Count | None, BeforeValidator(parse_count)] = Field(
        None, description="How many words to keep, of each group, as 300M."
    )
    share: float | None = Field(None, gt=0, le=1, description="Which share of the rows to keep, of each group.")
    mixture: Annotated[Mixture | None, BeforeValidator(read_mixture)] = Field(
        None, description="How much to keep of each source, in rows or words: as in `mixture.yaml`, or its path."
    )
    function: Literal["facility-location", "graph-cut", "log-determinant", "saturated-coverage", "features"] = Field(
        "facility-location",
        description="What is made large: each row counts with the chosen one nearest to it; likeness to all rows, less"
        " that to chosen ones; the volume that chosen rows span; each row counts up to a share; or how often each word"
        " and pair of words was chosen, under a concave curve.",
    )
    model: str = Field(
        "hashed-ngrams", min_length=1, description="What makes vectors of texts: as of the semantic stage."
    )
    apart: bool = Field(False, description="Whether each source is a group that is chosen from by itself.")
    by: tuple[str, ...] = Field((), description="Columns; rows with different values are different groups.")
    parts: int | None = Field(
        None, ge=1, le=100_000, description="In how many parts a group is chosen from first; default: of 8,192 rows."
    )
    method: Literal["lazy", "stochastic", "naive"] = Field(
        "lazy", description="How the best next row is found; `stochastic` looks at a sample of rows a step."
    )
    epsilon: float = Field(0.05, gt=0, lt=1, description="Of `stochastic`: smaller is slower and nearer to `lazy`.")
    cost: float = Field(0.4, ge=0, le=0.5, description="Of `graph-cut`: what likeness to chosen rows costs.")
    saturation: float = Field(0.25, gt=0, le=1, description="Of `saturated-coverage`: share from which a row is full.")
    curve: Literal["sqrt", "log1p"] = Field("sqrt", description="Of `features`.")

    @model_validator(mode="after")
    def _one_amount(self) -> "Select":
        given = [name for name in ("rows", "tokens", "share", "mixture") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"one of rows, tokens, share and mixture says how much, not {' and '.join(given) or 'none'}"
            )
        if self.mixture is not None and not self.apart:
            raise ValueError("a mixture says how much of each source: set `apart: true`")
        if self.mixture is not None and self.mixture.budget is None:
            raise ValueError("the mixture of a selection has a budget: make it with `tamis mix --budget`, or add one")
        if len(set(self.by)) < len(self.by):
            raise ValueError("a column in `by` is named once")
        return self
