"""Settings of what is written, of the alarm and the report, and of Spark."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ...hashing.tokenizer import Tokenizer
from ..settings_file import Model
from ..splits import Splitting
from .sizes import Size, TableSize

SplitName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.]*$")]


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
