"""The configuration: one YAML for every engine.

Models refuse unknown keys and name the nearest known one. ``resolve`` fills in what follows from other settings, so
that the saved configuration says everything.
"""

import difflib
import itertools
import os
import re
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, Field, ValidationError, WithJsonSchema, model_validator

from ..hashing.errors import ConfigError
from ..hashing.redaction import redacted_settings
from ..hashing.tokenizer import Tokenizer
from .byte_sizes import parse_size
from .keep import KeepPolicy, parse_keep
from .mixture import UNITS, Mixture, Phase, SourceShare
from .selection.settings import Balance, Select
from .settings_file import NOT_YAML, Model, read_mixture, read_yaml
from .splits import Splitting
from .state import write_atomically

_SIZE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["2GB", "512MiB"]}]}
_TABLE_SCHEMA = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "examples": ["256MiB"]}]}
_KEEP_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": "^(first|longest|(newest|quality|source):.+)$"},
        KeepPolicy.model_json_schema(),
    ]
}

Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0), WithJsonSchema(_SIZE_SCHEMA)]
TableSize = Annotated[int, BeforeValidator(parse_size), Field(ge=0), WithJsonSchema(_TABLE_SCHEMA)]
SplitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$")]
Keep = Annotated[KeepPolicy, BeforeValidator(parse_keep), WithJsonSchema(_KEEP_SCHEMA)]


class Input(Model):
    """Where records come from."""

    path: str = Field(min_length=1, description="File, folder (read with all below it), glob or URL.")
    format: Literal["parquet", "jsonl", "csv", "text", "warc", "arrow"] | None = Field(
        None, description="How files are read; default: by their endings."
    )
    source: str | None = Field(
        None, description="Source of records where `columns.source` is not set; default: the name of the path."
    )
    include: tuple[str, ...] = Field((), description="Globs on paths under a folder; default: all.")
    exclude: tuple[str, ...] = Field((), description="Globs on paths under a folder.")


class Columns(Model):
    """Which columns mean what."""

    text: str = Field("text", description="What is compared; UTF-8 text.")
    id: str | None = Field(
        None, description="Names a record beyond the run: in decisions, pairs, clusters and `tamis explain`."
    )
    unique: bool = Field(False, description="Refuse inputs in which two records have one id.")
    source: str | None = Field(
        None, description="The source that a record is counted under; default: each input is one."
    )


class Shingle(Model):
    """What a text is cut into."""

    unit: Literal["word", "char", "byte"] = Field(
        "word", description="Words; characters of the words, one space between two; or bytes as they are."
    )
    size: int = Field(5, ge=1, le=64, description="Words, characters or bytes in a row that make one shingle.")


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


class NewIndex(Model):
    """What an index is made as, where there is none yet."""

    kind: Literal["bloom", "lsh"] = Field(
        "bloom", description="Filters in front of the tables of keys and rows, or these tables alone."
    )
    witness: bool = Field(
        True, description="Whether a Bloom index keeps these tables, too: without, it cannot name what a row is like."
    )
    capacity: int | None = Field(None, ge=1, description="Rows that will ever come in; a Bloom index needs it.")
    rate: float | None = Field(
        None,
        ge=1e-15,
        lt=1,
        description="Chance that the filters take a row like no other for known, once the index is full; default: 0.01 "
        "with witnesses, where that costs a look-up, 1e-8 without.",
    )
    block_bits: Literal[512, 1024, 4096] = Field(
        1024, description="Bits of a block of a filter: larger ones take less room, and more time."
    )


class UseIndex(Model):
    """An index of earlier rows that new ones are compared with, and join."""

    path: str = Field(min_length=1, description="Its folder, on a disk that all processes share.")
    update: bool = Field(True, description="Add the rows of this run when it has succeeded.")
    create: NewIndex | None = Field(None, description="Make it so where there is none; default: that is an error.")
    mode: Literal["insert-kept", "insert-always", "check-then-insert"] = Field(
        "insert-kept",
        description="What joins, and what rows of one run are to one another; the others are for filters alone.",
    )
    flagged: Literal["keep", "drop"] = Field(
        "keep",
        description="Without witnesses: whether rows that may be known are removed, for the reason `bloom`.",
    )
    unreachable: Literal["refuse", "skip"] = Field(
        "refuse",
        description="What if the file of a similar old row is gone or has changed: stop, or do not compare with it.",
    )


class Near(Model):
    """Remove texts that share most of their shingles with a better-ranked one."""

    stage: Literal["near"] = Field("near", description="Which stage this is.")
    threshold: float = Field(0.8, gt=0, le=1, description="Jaccard similarity of shingle sets from which a text goes.")
    profile: Literal["words-v1"] = Field("words-v1", description="How texts are cut into words; versioned.")
    shingle: Shingle = Field(Shingle(), description="What a text is cut into.")
    sketch: Literal["oph", "fss", "minhash"] = Field("oph", description="Kind of signature that candidates come from.")
    values: int = Field(
        256, ge=1, le=4096, description="Values of a signature; more find candidates more sharply, and cost time."
    )
    bits: Literal[32, 64] = Field(64, description="Bits of a value; matters to stored signatures and `verify: sketch`.")
    recall: float = Field(0.98, gt=0, lt=1, description="Least probability that a pair at the threshold is found.")
    bands: int | None = Field(None, ge=1, description="Computed from `recall` unless given, together with `rows`.")
    rows: int | None = Field(None, ge=1, description="Values of a band; bands x rows may not exceed `values`.")
    max_anchors: int = Field(4, ge=1, description="Best-ranked rows of a bucket that others are compared with.")
    verify: Literal["exact", "sketch", "none"] = Field(
        "exact",
        description="Candidates are compared by their shingles, by the estimate of their signatures, or not at all.",
    )

    index: UseIndex | None = Field(None, description="Earlier rows to compare with, and to join.")

    @model_validator(mode="after")
    def _bands_and_rows(self) -> "Near":
        if (self.bands is None) != (self.rows is None):
            raise ValueError("bands and rows are given together or not at all")
        if self.bands and self.rows and self.bands * self.rows > self.values:
            raise ValueError(f"bands x rows ({self.bands * self.rows}) must not exceed values ({self.values})")
        return self


class Contained(Model):
    """Remove texts that lie inside a better-ranked one; with `keep: longest`, inside any."""

    stage: Literal["contained"] = Field("contained", description="Which stage it is.")
    threshold: float = Field(0.8, gt=0, le=1, description="Share of a text's shingles that must be in the other.")
    shingle: Shingle = Field(Shingle(), description="What a text is cut into.")
    one_in: int = Field(
        16, ge=1, le=1024, description="Texts are compared that share a sampled shingle; one in so many is sampled."
    )
    max_anchors: int = Field(4, ge=1, description="Best-ranked rows with a shingle that others are compared with.")


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


class TokenizerFile(Model):
    """A tokenizer whose tokens are counted in what is written."""

    name: str = Field(min_length=1, description="Of its counts: `tokens_NAME` in `index.parquet`, and as a unit.")
    kind: Literal["tokenizers", "tiktoken"] = Field(
        "tokenizers", description="A `tokenizer.json` of Hugging Face's tokenizers, or a rank file of tiktoken."
    )
    path: str = Field(
        min_length=1, description="The file, on a disk that all processes share; or the name of a tiktoken encoding."
    )
    pattern: str | None = Field(None, description="With a rank file: the regular expression that cuts texts first.")
    special: tuple[str, ...] = Field((), description="With tiktoken: strings that count as one token each.")

    @property
    def tokenizer(self) -> Tokenizer:
        """What counts."""
        return Tokenizer(self.name, self.kind, self.path, self.pattern, self.special)


class Folds(Model):
    """Equal parts of all rows, by a keyed hash of their content."""

    count: int = Field(ge=2, le=1024, description="How many; each is a set of its own, `fold-0` and so on.")
    round: int = Field(0, ge=0, description="Another round, other folds: each row is in one fold of each round.")


class Shards(Model):
    """Which of the kept rows are written, and how."""

    target_size: Size = Field(256 * 2**20, description="Bytes of text in a shard, about.")
    group_size: Size = Field(64 * 2**20, description="Bytes of text in a row group, about.")
    compression: Literal["zstd", "snappy", "lz4", "gzip", "none"] = Field(
        "zstd", description="Codec of the Parquet files."
    )
    content_defined_chunking: bool = Field(
        True, description="End pages where the content says: stores that keep equal pieces once then keep less."
    )
    epoch: int = Field(0, ge=0, description="Enters the order of rows: another epoch, another order.")
    sample: float = Field(
        1.0, gt=0, le=1, description="Share of the rows to write, by content; a larger sample holds a smaller one."
    )
    splits: dict[SplitName, Annotated[float, Field(gt=0, lt=1)]] = Field(
        {}, description="Sets to hold out of training, as `validation: 0.01`: shares of rows, by content."
    )
    folds: Folds | None = Field(None, description="Equal parts to write instead of splits.")

    @model_validator(mode="after")
    def _splits_leave_something(self) -> "Shards":
        if sum(self.splits.values()) >= 1:
            raise ValueError(f"splits leave something to train on; these add up to {sum(self.splits.values())}")
        if "train" in self.splits or any(name.startswith("train-") for name in self.splits):
            raise ValueError("`train` is what splits leave: give them other names")
        if self.folds and self.splits:
            raise ValueError("rows are cut into folds or into splits, not both")
        return self

    def splitting(self, seed: int) -> Splitting:
        """Return which set each row is in."""
        folds = self.folds or Folds(count=2)
        return Splitting(
            seed,
            self.sample,
            tuple(self.splits),
            tuple(self.splits.values()),
            folds.count if self.folds else 0,
            folds.round,
        )


class Alarm(Model):
    """When a run stops because a source lost nearly everything."""

    rows: int = Field(100, ge=1, description="Sources with fewer rows never alarm.")
    loss: float = Field(0.9, gt=0, le=1, description="Share of rows whose loss alarms.")


class Report(Model):
    """What the page shows beside numbers."""

    text: bool = Field(True, description="Whether the page has texts of removed records and of what stays.")
    examples: int = Field(
        1_000, ge=0, le=10_000, description="At most how many removals the page shows; texts take 3 MB at most."
    )


class Spark(Model):
    """Where ``engine: spark`` runs; under spark-submit, what it says comes first."""

    master: str | None = Field(
        None, description="As `spark://host:7077`, `yarn` or `k8s://...`; default: this machine."
    )
    partitions: int | None = Field(None, ge=1, description="Partitions of readings and shuffles; default: by size.")
    driver_tables: TableSize = Field(256 * 2**20, description="Tables up to this size are worked on by the driver.")
    conf: dict[str, str] = Field({}, description="Settings of the session, beside and before those of conf/spark.conf.")


Stage = Annotated[
    Filter | Decontaminate | Exact | Near | Contained | Semantic | Balance | Select | Paragraphs,
    Field(discriminator="stage"),
]


def _expand_stages(value: object) -> object:
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


class Pipeline(Model):
    """A whole run."""

    inputs: tuple[Input, ...] = Field(min_length=1, description="Where records come from, in this order.")
    against: tuple[Input, ...] = Field((), description="What is there already: compared with, never changed or copied.")
    columns: Columns = Field(Columns(), description="Which columns mean what.")
    stages: Annotated[tuple[Stage, ...], BeforeValidator(_expand_stages)] = Field(
        (Exact(), Near()), description="What is done, in order: filters, then other stages."
    )
    keep: Keep = Field(
        KeepPolicy(),
        description="Which of several copies stays: `first` in the order of inputs, `longest` in bytes, `newest:COL`"
        " or `quality:COL` (greatest value of a column), `source:A,B` (first in this list).",
    )
    on_error: Literal["fail", "quarantine"] = Field(
        "fail", description="A bad record stops the run, or is set aside in `quarantine/` and counted."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Of all random functions: sketches and the order of rows.")
    shards: Shards = Field(Shards(), description="Which of the kept rows are written, and how.")
    tokenizers: tuple[TokenizerFile, ...] = Field(
        (), description="Whose tokens are counted in each row that is written, beside words and bytes."
    )
    mixture: Annotated[Mixture | None, BeforeValidator(read_mixture)] = Field(
        None, description="In which proportions sources are written: as in `mixture.yaml`, or the path of one."
    )
    alarm: Alarm = Field(Alarm(), description="When a run stops because a source lost nearly everything.")
    report: Report = Field(Report(), description="What `report.html` shows beside numbers.")
    metrics: str | None = Field(
        None,
        pattern=r"\.prom$",
        description="Another place for `metrics.prom`, as a file `NAME.prom` that node_exporter collects.",
    )
    annotate: bool = Field(False, description="Write removed rows too, and columns that say what became of each row.")
    out: str = Field("out", min_length=1, description="Folder or URL of the output; empty, or of this very run.")
    staging: str | None = Field(
        None, description="Where the output for a URL is made before it is copied; default: in the user's cache."
    )
    engine: Literal["local", "spark"] = Field("local", description="What runs it; the answer is the same.")
    spark: Spark = Field(Spark(), description="Where and how `engine: spark` runs.")
    memory: Size = Field(
        2 * 10**9, ge=128 * 2**20, description="Limit for all but interpreter and libraries; 128MiB or more."
    )
    threads: int | None = Field(None, ge=1, description="How many threads work; default: one a processor.")
    check_room: bool = Field(True, description="Refuse to start where the disk is surely too small.")
    allow_loss: tuple[str, ...] = Field((), description="Sources that may lose nearly everything without an alarm.")

    @model_validator(mode="after")
    def _stage_order(self) -> "Pipeline":
        names = [stage.stage for stage in self.stages]
        rest = list(itertools.dropwhile(lambda name: name == "filter", names))
        order = ("decontaminate", "exact", "near", "contained", "semantic", "balance", "select", "paragraphs")
        if rest != [name for name in order if name in rest]:
            wanted = f"stages are filters, then of {', '.join(order)} each once at most, in this order"
            raise ValueError(f"{wanted}, not {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _nothing_cut_where_marked(self) -> "Pipeline":
        if self.annotate and self.cuts:
            cutting = "`paragraphs`" if self.paragraphs else "`decontaminate` with `action: cut`"
            raise ValueError(f"`annotate` writes all rows as they are, and {cutting} cuts them: choose one")
        return self

    @model_validator(mode="after")
    def _all_written_where_marked(self) -> "Pipeline":
        if self.annotate and (self.mixture or self.shards.sample < 1):
            raise ValueError("`annotate` writes all rows once, and a mixture or a sample does not: choose one")
        if self.mixture and self.shards.folds:
            raise ValueError("a mixture is drawn from what splits leave to train on, not from folds: choose one")
        return self

    @model_validator(mode="after")
    def _units_are_counted(self) -> "Pipeline":
        names = [item.tokenizer.name for item in self.tokenizers]
        if len(set(names)) < len(names):
            raise ValueError(f"tokenizers have names of their own, not {', '.join(names)}")
        if self.mixture and self.mixture.unit not in (*UNITS, *names):
            raise ValueError(
                f"the unit of the mixture is {', '.join((*UNITS, *names))}, not {self.mixture.unit}: "
                "a tokenizer is declared under `tokenizers`"
            )
        return self

    @model_validator(mode="after")
    def _one_past(self) -> "Pipeline":
        if self.against and self.near and self.near.index:
            raise ValueError("what is there already is named by `against` or by an index, not both: leave one out")
        return self

    @model_validator(mode="after")
    def _shared_staging(self) -> "Pipeline":
        master = self.spark.master or "local"
        if self.engine == "spark" and "://" in self.out and not self.staging and not master.startswith("local"):
            raise ValueError("`out` is a URL and executors are elsewhere: name a `staging` folder that they share")
        return self

    @property
    def filters(self) -> tuple[str, ...]:
        """The conditions of the filters, in order."""
        return tuple(stage.where for stage in self.stages if isinstance(stage, Filter))

    @property
    def decontaminate(self) -> Decontaminate | None:
        """The stage that removes benchmark items, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Decontaminate)), None)

    @property
    def near(self) -> Near | None:
        """The near stage, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Near)), None)

    @property
    def contained(self) -> Contained | None:
        """The stage that removes texts inside others, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Contained)), None)

    @property
    def semantic(self) -> Semantic | None:
        """The stage that compares vectors of texts, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Semantic)), None)

    @property
    def balance(self) -> Balance | None:
        """The stage that keeps so many rows of each leaf, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Balance)), None)

    @property
    def select(self) -> Select | None:
        """The stage that keeps representative rows, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Select)), None)

    @property
    def models(self) -> dict[str, str]:
        """What makes vectors, by the stage that needs them."""
        found = {stage.stage: stage.model for stage in (self.semantic, self.select) if stage}
        return found | ({"balance": self.balance.model} if self.balance and self.balance.bits else {})

    @property
    def paragraphs(self) -> Paragraphs | None:
        """The stage that cuts out paragraphs, if there is one."""
        return next((stage for stage in self.stages if isinstance(stage, Paragraphs)), None)

    @property
    def cuts_items(self) -> bool:
        """Whether benchmark items are cut out of rows."""
        return self.decontaminate is not None and self.decontaminate.action == "cut"

    @property
    def cuts(self) -> bool:
        """Whether anything is cut out of rows."""
        return self.cuts_items or self.paragraphs is not None

    @property
    def exact(self) -> bool:
        """Whether there is an exact stage."""
        return any(isinstance(stage, Exact) for stage in self.stages)

    def decisive(self) -> dict[str, Any]:
        """Return the settings that the output depends on: not where things are, nor how fast it goes."""
        beside = {
            "out",
            "staging",
            "engine",
            "spark",
            "memory",
            "threads",
            "check_room",
            "allow_loss",
            "report",
            "metrics",
        }
        settings = self.model_dump(mode="json", exclude={*beside, "inputs", "against", "mixture", "tokenizers"})
        settings["mixture"] = self.mixture.as_asked() if self.mixture else None
        for stage in settings["stages"]:
            for benchmark in stage.get("benchmarks", ()):
                del benchmark["path"]
            if stage["stage"] in ("semantic", "balance", "select"):
                del stage["model"]  # a folder somewhere; its content enters by itself
            if stage.get("mixture"):
                stage["mixture"] = self.select.mixture.as_asked() if self.select and self.select.mixture else None
            if stage.get("action") == "drop":
                del stage["action"]  # runs without a later setting are what they were before there was one
            if stage.get("index") is None:
                stage.pop("index", None)
            elif stage["stage"] == "near":
                stage["index"] = {key: stage["index"][key] for key in ("mode", "flagged", "unreachable")}
        for name, items in (("inputs", self.inputs), ("against", self.against)):
            settings[name] = [item.model_dump(mode="json", exclude={"path"}) for item in items]
        return settings


_PLAIN = ("exact", "near", "contained", "semantic", "paragraphs")
"""Stages that need no settings."""


def pipeline_schema() -> dict[str, Any]:
    """Return the JSON Schema of pipelines, short forms of stages included."""
    schema = Pipeline.model_json_schema()
    long = schema["properties"]["stages"]["items"]
    options: dict[str, Any] = {
        name: {"anyOf": [{"$ref": f"#/$defs/{name.title()}"}, {"type": "null"}]}
        for name in ("exact", "near", "contained", "semantic")
    }
    options |= {name: {"$ref": f"#/$defs/{name.title()}"} for name in ("balance", "select")}
    options["decontaminate"] = {"$ref": "#/$defs/Decontaminate"}
    options["filter"] = {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/Filter"}]}
    named = {
        "type": "object",
        "properties": options,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    schema["properties"]["stages"]["items"] = {"anyOf": [{"enum": list(_PLAIN)}, named, long]}
    for section in (schema, schema["$defs"]["Select"]):
        section["properties"]["mixture"]["anyOf"].append({"type": "string", "minLength": 1})
    return schema


def load_config(path: str, *, overrides: Iterable[str] = ()) -> Pipeline:
    """Read a YAML pipeline and apply ``a.b=c`` overrides.

    Raises:
        ConfigError: naming the key, the value and, for a key that does not exist, the nearest one.
    """
    raw = read_yaml(path, what="a configuration", start="inputs:")
    for override in overrides:
        _apply_override(raw, override)
    try:
        filled = _substitute(raw)
    except RecursionError as error:
        raise ConfigError(
            "a configuration does not contain itself", value=f"an alias in {path}", remedy="Write the part out."
        ) from error
    return make_config(filled)


def make_config(raw: Mapping[str, Any]) -> Pipeline:
    """Return a checked pipeline.

    Raises:
        ConfigError: for the first thing that is wrong.
    """
    try:
        return Pipeline.model_validate(raw)
    except ValidationError as error:
        raise _config_error(error) from None


def _config_error(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "configuration"
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = difflib.get_close_matches(name, _known_keys(), n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "`tamis schema` lists all keys."
        return ConfigError("a configuration has known keys only", value=f"{where!r}", remedy=remedy)
    return ConfigError(
        f"`{where}`: {first['msg'].removeprefix('Value error, ')}",
        value=repr(first.get("input"))[:200],
        remedy="Change it; `tamis schema` says what it may be.",
    )


def _known_keys() -> list[str]:
    sections = (Pipeline, Input, Columns, Shards, Folds, TokenizerFile, Alarm, Report, Spark)
    stages = (
        Filter,
        Decontaminate,
        Benchmark,
        Exact,
        Near,
        Contained,
        Semantic,
        Balance,
        Select,
        Paragraphs,
        UseIndex,
        NewIndex,
        Shingle,
    )
    models: tuple[type[BaseModel], ...] = (*sections, *stages, Mixture, SourceShare, Phase)
    return sorted({name for model in models for name in model.model_fields})


def _apply_override(raw: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(
            "an override has the form KEY=VALUE", value=repr(override), remedy="Write --set keep=longest."
        )
    try:
        parsed = yaml.safe_load(value)
    except NOT_YAML as error:
        raise ConfigError("an override's value is YAML", value=repr(override), remedy="Quote it.") from error
    *parents, last = key.split(".")
    if parents[:1] == ["stages"]:
        raw.setdefault("stages", ["exact", "near"])  # those of a file that names none
    target: Any = raw
    for part in parents:
        target = _descend(target, part, key)
    if isinstance(target, list):
        target[_index(target, last, key)] = parsed
    else:
        target[last] = parsed


def _descend(target: Any, part: str, key: str) -> Any:
    if isinstance(target, list):
        return target[_index(target, part, key)]
    if isinstance(target, dict):
        if target.get(part) is None:
            target[part] = {}
        return target[part]
    raise ConfigError(
        "an override descends into mappings and lists", value=f"{key} at {part!r}", remedy="Check the key."
    )


def _index(target: list[Any], part: str, key: str) -> int:
    """Find a list item by number, or a stage by its name."""
    if part.isdigit() and int(part) < len(target):
        return int(part)
    for i, item in enumerate(target):
        if item == part or (isinstance(item, dict) and (part in item or item.get("stage") == part)):
            if isinstance(item, str):
                target[i] = {"stage": item}
            elif part in item:
                target[i] = {"stage": part, **(item[part] or {})}
            return i
    raise ConfigError("an override names an existing list item", value=f"{key} at {part!r}", remedy="Check the key.")


_VARIABLES: dict[str, Callable[[str], str | None]] = {
    "env": os.environ.get,
    "python": lambda name: sysconfig.get_paths().get(name),
}


def _substitute(value: Any) -> Any:
    """Replace ``${env:NAME}`` and ``${python:stdlib}`` (any name of ``sysconfig.get_paths``) in strings."""
    if isinstance(value, dict):
        return {key: _substitute(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item) for item in value]
    return re.sub(r"\$\{(\w+):(\w+)\}", _variable, value) if isinstance(value, str) else value


def _variable(match: re.Match[str]) -> str:
    kind, name = match.groups()
    found = _VARIABLES[kind](name) if kind in _VARIABLES else None
    if found is None:
        raise ConfigError("a variable is set", value=match.group(0), remedy="Set it, or write the value.")
    return found


def save_config(config: Pipeline, path: Path) -> None:
    """Write the resolved configuration as YAML, whole or not at all, without secrets."""
    settings = redacted_settings(config.model_dump(mode="json"))
    write_atomically(path, yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
