"""What a blocking run is asked for."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ...hashing.errors import ConfigError
from ..counted import counted
from .lexical import Columns

BLOCKERS = ("lexical", "minhash", "rules", "dense", "learned")
"""Blockers by name. The last two have a hasher."""

Combine = Literal["in-order", "fusion", "union", "intersection", "exclusion"]
Index = Literal["exact", "flat", "hnsw", "ivf"]


@dataclass(frozen=True)
class Options:
    """What is looked for, and how.

    Attributes:
        left_id, right_id: columns of ids.
        columns: what records are compared by, where their table has them; None: all but the ids.
        blockers: names of ``BLOCKERS``, none twice.
        combine: what several of them make together: the pairs of the first and then what it lacks of others; a fusion
            of ranks; all; those that all found; or those of the first that no other found.
        top_k: neighbours of each record of the left table.
        max_pairs: the most pairs in the end, the best ranks first; None: all.
        ngrams: least and most characters of an n-gram, for ``lexical``.
        lexical_columns: whether n-grams count in their own column, too, for ``lexical``; see ``lexical_search``.
        rules: attribute rules, for ``rules``: a pair satisfies one or more.
        exclude: attribute rules: no blocker finds a pair that satisfies one, and the next best takes its place.
        threshold: Jaccard similarity from which pairs are likely found, for ``minhash``.
        max_block: most pairs of a block that is used, for ``rules`` and ``minhash``; None: by the number of records.
        hasher: folder of a hasher, for ``dense`` and ``learned``.
        index: how neighbours are found, for ``dense``.
        bands: (bands, bits of each) for ``learned``; None: those of the hasher.
        probes: buckets of a band that are looked into beside a record's own, for ``learned``.
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
    combine: Combine = "in-order"
    top_k: int = 10
    max_pairs: int | None = None
    ngrams: tuple[int, int] = (3, 4)
    lexical_columns: Columns = "auto"
    rules: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    threshold: float = 0.3
    max_block: int | None = None
    hasher: str | None = None
    index: Index = "exact"
    bands: tuple[int, int] | None = None
    probes: int = 64
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
        for wanted, given, option in (
            ("rules", bool(self.rules), "--rule"),
            ("dense", self.hasher is not None, "--hasher"),
            ("learned", self.hasher is not None, "--hasher"),
        ):
            if wanted in self.blockers and not given:
                raise ConfigError(f"the blocker {wanted} has its {option}", value="none", remedy=f"Name it: {option}.")
        if self.rules and "rules" not in self.blockers:
            raise ConfigError(
                "rules are for the blocker rules",
                value=f"{counted(len(self.rules), 'rule')} beside {', '.join(self.blockers)}",
                remedy="Name it, too: --blocker rules.",
            )
        for option, needed, given in (
            ("--threshold", ("minhash",), self.threshold != Options.threshold),
            ("--max-block", ("minhash", "rules"), self.max_block is not None),
            ("--lexical-columns", ("lexical",), self.lexical_columns != Options.lexical_columns),
            ("--hasher", ("dense", "learned"), self.hasher is not None),
            ("--index", ("dense",), self.index != Options.index),
            ("--bands", ("learned",), self.bands is not None),
            ("--probes", ("learned",), self.probes != Options.probes),
        ):
            if given and not set(needed) & set(self.blockers):
                raise ConfigError(
                    f"{option} is for the blocker {' or '.join(needed)}",
                    value=f"{option} beside {', '.join(self.blockers)}",
                    remedy=f"Name it, too (--blocker {needed[0]}), or leave out {option}.",
                )
        if self.lexical_columns not in get_args(Columns):
            raise ConfigError(
                f"columns are taken {', '.join(get_args(Columns))}",
                value=self.lexical_columns,
                remedy="Mend --lexical-columns.",
            )
        if self.index not in get_args(Index):
            raise ConfigError(
                f"an index is one of {', '.join(get_args(Index))}", value=self.index, remedy="Mend --index."
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
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
    return Options(**values)
