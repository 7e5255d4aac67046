"""Settings of what comes in: files, and what their columns mean."""

from typing import Literal

from pydantic import Field, model_validator

from ..settings_file import Model


class Input(Model):
    """Where records come from; a path alone may stand for it."""

    path: str = Field(min_length=1, description="File, folder (read with all below it), glob or URL.")
    format: Literal["parquet", "jsonl", "csv", "text", "warc", "arrow"] | None = Field(
        None, description="How files are read; default: by their endings."
    )
    source: str | None = Field(
        None, description="Source of records where `columns.source` is not set; default: the name of the path."
    )
    include: tuple[str, ...] = Field((), description="Globs on paths under a folder; default: all.")
    exclude: tuple[str, ...] = Field((), description="Globs on paths under a folder.")

    @model_validator(mode="before")
    @classmethod
    def _of_path(cls, value: object) -> object:
        return {"path": value} if isinstance(value, str) else value


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
