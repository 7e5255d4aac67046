"""Settings of stages, and the short forms in which they may be written."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..selection.settings import Balance, Select
from ..settings_file import Model
from .near import Contained, Near


class Filter(Model):
    """Keep only records that meet a condition."""

    stage: Literal["filter"] = Field("filter", description="Which stage this is.")
    where: str = Field(
        min_length=1, description="SQL condition (DuckDB) over the columns of a record; null counts as no."
    )


class Exact(Model):
    """Remove texts whose UTF-8 bytes occurred before."""

    stage: Literal["exact"] = Field("exact", description="Which stage this is.")


class Benchmark(Model):
    """A test set whose items must not be in training data."""

    path: str = Field(min_length=1, description="File, folder, glob or URL.")
    format: Literal["parquet", "jsonl", "csv", "text", "warc", "arrow"] | None = Field(
        None, description="Default: by the ending."
    )
    name: str | None = Field(None, description="What it is called in decisions; default: the path's name.")
    columns: tuple[str, ...] = Field(("text",), min_length=1, description="Columns of text, each for itself.")
    id: str | None = Field(None, description="Column that names an item; default: its number.")

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or self.path.rstrip("/").rpartition("/")[2]


class Decontaminate(Model):
    """Remove documents that hold an item of a benchmark, or cut it out of them."""

    stage: Literal["decontaminate"] = Field("decontaminate", description="Which stage it is.")
    benchmarks: tuple[Benchmark, ...] = Field(min_length=1, description="The test sets.")
    ngram: int = Field(13, ge=1, le=64, description="Words of an item in a row that must not occur in a document.")
    shortest: int = Field(6, ge=1, description="Items with fewer words than `ngram` count as a whole, down to so many.")
    common: float = Field(
        0.001, gt=0, le=1, description="Share of the rows above which an n-gram is a phrase, and counts for nothing."
    )
    action: Literal["drop", "cut"] = Field(
        "drop", description="Remove the document, or cut the words of the item out of it."
    )

    @model_validator(mode="after")
    def _lengths(self) -> "Decontaminate":
        if self.shortest > self.ngram:
            raise ValueError(f"shortest ({self.shortest}) must not exceed ngram ({self.ngram})")
        titles = [benchmark.title for benchmark in self.benchmarks]
        if len(set(titles)) < len(titles):
            raise ValueError(f"benchmarks have names of their own, not {', '.join(titles)}: set `name`")
        return self


class Semantic(Model):
    """Remove texts whose vectors are nearly those of a better-ranked one: the same said in other words."""

    stage: Literal["semantic"] = Field("semantic", description="Which stage it is.")
    model: str = Field(
        "hashed-ngrams",
        min_length=1,
        description="What makes vectors: the folder of a hasher; or"
        " `hashed-ngrams`, which needs no model and sees spelling, not meaning.",
    )
    threshold: float = Field(0.95, gt=0, le=1, description="Cosine of two vectors from which a text goes.")
    thresholds: dict[str, Annotated[float, Field(gt=0, le=1)]] = Field(
        {}, description="Others for some sources, as `code: 0.99`; of a pair of two sources the higher one counts."
    )
    index: Literal["exact", "ivf", "codes"] = Field(
        "exact",
        description="Which texts are compared: all; those in the nearest cells of an inverted file (FAISS); or those"
        " whose codes of random hyperplanes share a band.",
    )
    max_anchors: int = Field(
        16, ge=1, le=1024, description="Best-ranked similar texts (of `codes`: texts of a band) that count."
    )
    lists: int | None = Field(None, ge=1, description="Of `ivf`: cells; default: by the number of rows.")
    probes: int = Field(16, ge=1, description="Of `ivf`: cells that are looked into for a text.")
    recall: float = Field(0.98, gt=0, lt=1, description="Of `codes`: least probability that a pair is found.")
    bands: int | None = Field(None, ge=1, le=127, description="Of `codes`: computed from `recall` unless given.")
    width: int | None = Field(None, ge=1, le=56, description="Of `codes`: bits of a band; default: by the rows.")


class Paragraphs(Model):
    """Cut out paragraphs that many texts hold, everywhere but in the best-ranked one."""

    stage: Literal["paragraphs"] = Field("paragraphs", description="Which stage it is.")
    min_bytes: int = Field(50, ge=1, description="Bytes of a paragraph (a line, without the space around it).")
    rows: int = Field(10, ge=1, description="A paragraph that more rows than this hold is cut.")


Stage = Annotated[
    Filter | Decontaminate | Exact | Near | Contained | Semantic | Balance | Select | Paragraphs,
    Field(discriminator="stage"),
]


def expand_stages(value: object) -> object:
    """Accept ``- exact``, ``- near: {threshold: 0.9}`` and ``- filter: lang = 'en'`` for the long forms."""
    if not isinstance(value, list | tuple):
        return value
    return [_expand_stage(item) for item in value]


def _expand_stage(item: object) -> object:
    if isinstance(item, str):
        return {"stage": item}
    if isinstance(item, Mapping) and len(item) == 1:
        name, options = next(iter(item.items()))
        if name == "filter" and isinstance(options, str):
            return {"stage": name, "where": options}
        if name != "stage" and (options is None or isinstance(options, Mapping)):
            return {"stage": name, **(options or {})}
    return item
