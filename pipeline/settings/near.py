"""Settings of the stages that compare shingles, and of the index of earlier rows."""

from typing import Literal

from pydantic import Field, model_validator

from ..settings_file import Model


class Shingle(Model):
    """What a text is cut into."""

    unit: Literal["word", "char", "byte"] = Field(
        "word", description="Words; characters of the words, one space between two; or bytes as they are."
    )
    size: int = Field(5, ge=1, le=64, description="Words, characters or bytes in a row that make one shingle.")


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
