"""Which copy survives: the policy, as it is written; ``keep_key.py`` has what rows are sorted by."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Order = Literal["first", "longest", "newest", "quality", "source"]
_NEEDS_COLUMN = ("newest", "quality")


class KeepPolicy(BaseModel):
    """Which of several copies is kept.

    Attributes:
        by: ``first`` (lowest address), ``longest`` (most bytes), ``newest`` or ``quality`` (greatest value of a
            column), ``source`` (first in a list of sources).
        column: the column of ``newest`` or ``quality``.
        sources: the list of ``source``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Order = Field("first", description="What decides; equal rows are told apart by their text's hash, then id.")
    column: str | None = Field(None, description="The column of `newest` or `quality`.")
    sources: tuple[str, ...] = Field((), description="The list of `source`, best first; others rank after it.")

    def __str__(self) -> str:
        return ":".join(filter(None, [self.by, self.column or ",".join(self.sources)]))

    @property
    def is_first(self) -> bool:
        """Whether rank is the address alone."""
        return self.by == "first"


def parse_keep(value: object) -> object:
    """Return the fields of a policy written as ``longest``, ``newest:COL``, ``quality:COL`` or ``source:A,B``."""
    if not isinstance(value, str):
        return value
    by, _, rest = value.partition(":")
    fields: dict[str, Any] = {"by": by}
    if by in _NEEDS_COLUMN:
        if not rest:
            raise ValueError(f"{by} needs a column, as in {by}:COLUMN")
        fields["column"] = rest
    elif by == "source":
        if not rest:
            raise ValueError("source needs a list, as in source:wiki,books")
        fields["sources"] = tuple(part.strip() for part in rest.split(","))
    elif rest:
        raise ValueError(f"{by} takes no argument")
    return fields
