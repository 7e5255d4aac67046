"""What a blocking run is asked for."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ...hashing.errors import ConfigError

BLOCKERS = ("lexical",)
"""Blockers by name."""

Combine = Literal["union", "intersection", "fusion"]


@dataclass(frozen=True)
class Options:
    """What is looked for, and how.

    Attributes:
        left_id, right_id: columns of ids.
        columns: what records are compared by, where their table has them; None: all but the ids.
        blockers: names of ``BLOCKERS``, none twice.
        combine: what several of them make together.
        top_k: neighbours of each record of the left table.
        max_pairs: the most pairs in the end, the best ranks first; None: all.
        ngrams: least and most characters of an n-gram, for ``lexical``.
        delimiter: of delimited files; None: found.
        quarantine: whether records that cannot be read are set aside, rather than an error.
        text: whether the output has the texts of records.

    Raises:
        ConfigError: on what cannot be.
    """

    left_id: str
    right_id: str
    columns: tuple[str, ...] | None = None
    blockers: tuple[str, ...] = ("lexical",)
    combine: Combine = "union"
    top_k: int = 10
    max_pairs: int | None = None
    ngrams: tuple[int, int] = (3, 4)
    delimiter: str | None = None
    quarantine: bool = False
    text: bool = True

    def __post_init__(self) -> None:
        for name in self.blockers:
            if name not in BLOCKERS:
                raise ConfigError(f"a blocker is one of {', '.join(BLOCKERS)}", value=name, remedy="Mend --blocker.")
        if not self.blockers or len(set(self.blockers)) < len(self.blockers):
            raise ConfigError(
                "there are one or more blockers, each once", value=list(self.blockers), remedy="Mend --blocker."
            )
        if self.combine not in get_args(Combine):
            raise ConfigError(
                f"blockers combine by {', '.join(get_args(Combine))}", value=self.combine, remedy="Mend --combine."
            )
        if self.top_k < 1:
            raise ConfigError("a record has at least 1 neighbour", value=self.top_k, remedy="Mend --top-k.")
        if self.max_pairs is not None and self.max_pairs < 1:
            raise ConfigError("a budget of pairs is at least 1", value=self.max_pairs, remedy="Mend --max-pairs.")

    def as_json(self) -> dict[str, Any]:
        """Return the options by name."""
        return asdict(self)


def options_of(said: dict[str, Any]) -> Options:
    """Return the options that ``as_json`` said, after a way through JSON."""
    return Options(**{name: tuple(value) if isinstance(value, list) else value for name, value in said.items()})
