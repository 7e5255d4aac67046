"""What it costs to keep a table and to rebuild one, and which of equal tables stays: the file ``costs.yaml``.

Prices are list prices of an object store and of a query service that charges by the terabyte; put your own in their
place. Money is in one currency, whichever; a GB is 10^9 bytes as stored.
"""

import difflib
import textwrap
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...hashing.errors import ConfigError
from ..settings_file import read_yaml
from .retention import RetentionProblem, prefer

GB = 10**9

_T = TypeVar("_T")

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Keep = Literal["owner", "last-read", "dependants", "accesses", "shallow"]


def _day(value: object) -> object:
    """Return the date of a time; anything else as it is."""
    return value.date() if isinstance(value, datetime) else value


Day = Annotated[date, BeforeValidator(_day)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TableCosts(_Model):
    """What is known of some tables."""

    accesses: Amount | None = Field(None, description="Times a month that it is read; default: those of all tables.")
    latency_limit_s: Amount | None = Field(
        None, description="Seconds that a rebuild may take; default: that of all tables."
    )
    owner: str | None = Field(None, min_length=1, description="Who answers for it.")
    pinned: bool | None = Field(None, description="Whether it must stay.")
    last_read: Day | None = Field(None, description="The day it was last read.")
    dependants: int | None = Field(None, ge=0, description="How many jobs or tables read it.")


class Costs(_Model):
    """Prices, what is known of tables, and which copy stays."""

    version: Literal[1] = Field(1, description="Of this format.")
    storage_per_gb_month: Amount = Field(0.023, description="Price of storing a GB for a month.")
    scans_per_month: Amount = Field(
        1.0, description="Times a month that a kept table is read whole for upkeep, as for privacy requests."
    )
    scan_per_gb: Amount = Field(0.005, description="Price of such a scan of a GB.")
    read_per_gb: Amount = Field(0.005, description="Price of reading a GB of the parent at a rebuild.")
    write_per_gb: Amount = Field(0.005, description="Price of writing a GB of the child at a rebuild.")
    seconds_per_gb: Amount = Field(10.0, description="Seconds that a rebuild takes for each GB read and written.")
    accesses_per_month: Amount = Field(
        1.0, description="Times a month that a table is read; if it was deleted, each is a rebuild."
    )
    latency_limit_s: Amount | None = Field(None, description="Seconds that a rebuild may take; default: any.")
    horizon_months: float = Field(12.0, gt=0, allow_inf_nan=False, description="Months that costs are added up for.")
    keep: tuple[Keep, ...] = Field(
        ("owner", "last-read", "dependants", "shallow"),
        description="Which of equal tables stays, the first difference decides: one with an `owner`; the one that was"
        " read last (`last-read`); with most `dependants`; with most `accesses`; in fewest folders (`shallow`). Pinned"
        " ones come before, and the first by name after these.",
    )
    tables: dict[str, TableCosts] = Field(
        {}, description="What is known of tables, by glob on names, `*` also matching `/`; later ones override earlier."
    )

    def of(self, name: str) -> TableCosts:
        """Return what is known of a table.

        >>> costs = Costs(tables={"*": {"accesses": 2, "owner": "ann"}, "raw/*": {"accesses": 9}})
        >>> costs.of("raw/a").accesses, costs.of("raw/a").owner
        (9.0, 'ann')
        """
        known: dict[str, Any] = {}
        for glob, costs in self.tables.items():
            if fnmatchcase(name, glob):
                known |= costs.model_dump(exclude_none=True)
        return TableCosts(**known)

    def unmatched(self, names: Sequence[str]) -> list[str]:
        """Return the globs that match none of the tables."""
        return [glob for glob in self.tables if not any(fnmatchcase(name, glob) for name in names)]


def load_costs(path: str) -> Costs:
    """Read a cost file.

    Raises:
        ConfigError: naming the key, the value and, for a key that does not exist, the nearest one.
    """
    return make_costs(read_yaml(path, what="a cost file", start="storage_per_gb_month: 0.023"))


def make_costs(raw: Mapping[str, Any]) -> Costs:
    """Return checked costs.

    Raises:
        ConfigError: for the first thing that is wrong.
    """
    try:
        return Costs.model_validate(raw)
    except ValidationError as error:
        raise _config_error(error) from None


def costs_schema() -> dict[str, Any]:
    """Return the JSON Schema of a cost file."""
    return Costs.model_json_schema()


def commented() -> str:
    """Return a cost file with every setting at its default, and what it means."""
    lines = ["# What it costs to keep tables and to rebuild them. Money is in one currency; a GB is 10^9 bytes."]
    for name, field in Costs.model_fields.items():
        lines += ["", *textwrap.wrap(field.description or "", 110, initial_indent="# ", subsequent_indent="# ")]
        if name == "tables":
            lines += ["tables: {}", "#  raw/*:"]
            lines += [f"#    {key}:  # {known.description}" for key, known in TableCosts.model_fields.items()]
        else:
            value = field.default
            shown = f"[{', '.join(value)}]" if isinstance(value, tuple) else yaml.safe_dump(value).split("\n")[0]
            lines.append(f"{name}: {shown}")
    return "\n".join(lines) + "\n"


def ranked(costs: Costs, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the rank of each table by the policy, 0 for the one that stays before all others: int64, shape (n,)."""
    order = sorted(range(len(names)), key=lambda table: _place(costs, names[table]))
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    return rank


def decided_by(costs: Costs, stays: str, goes: str) -> str:
    """Return by what the policy prefers one of two equal tables: ``pinned``, an entry of ``keep``, or ``name``.

    >>> decided_by(Costs(tables={"b": {"owner": "ann"}}), "b", "a"), decided_by(Costs(), "a", "b")
    ('owner', 'name')
    """
    places = zip(("pinned", *costs.keep, "name"), _place(costs, stays), _place(costs, goes), strict=True)
    return next((by for by, one, other in places if one != other), "name")


def retention_problem(
    costs: Costs,
    names: Sequence[str],
    size_bytes: Sequence[int],
    *,
    parent: NDArray[np.int64],
    child: NDArray[np.int64],
    group: NDArray[np.int64] | None = None,
) -> RetentionProblem:
    """Return what keeping and rebuilding some tables costs over the horizon.

    Args:
        costs: prices and what is known of tables.
        names: of the tables, no two the same.
        size_bytes: of each table.
        parent, child: int64, shape (m,): edges, the rows of the child being in the parent; both ways for equal tables.
        group: int64, shape (n,): the same for equal tables; default: no two are equal.
    """
    known = [costs.of(name) for name in names]
    size = np.array(size_bytes, np.float64) / GB
    accesses = np.array([_known(table.accesses, costs.accesses_per_month) for table in known], np.float64)
    limits = [_known(table.latency_limit_s, costs.latency_limit_s) for table in known]
    monthly = costs.storage_per_gb_month + costs.scans_per_month * costs.scan_per_gb
    rebuild = costs.read_per_gb * size[parent] + costs.write_per_gb * size[child]
    problem = RetentionProblem(
        retain=costs.horizon_months * monthly * size,
        parent=parent,
        child=child,
        rebuild=costs.horizon_months * accesses[child] * rebuild,
        latency=costs.seconds_per_gb * (size[parent] + size[child]),
        limit=np.array([np.inf if limit is None else limit for limit in limits], np.float64),
        must=np.array([bool(table.pinned) for table in known], np.bool_),
    )
    return problem if group is None else prefer(problem, group, ranked(costs, names))


def _known(value: _T | None, default: _T) -> _T:
    return default if value is None else value


def _place(costs: Costs, name: str) -> tuple[Any, ...]:
    """Return what sorts before that of a worse copy."""
    table = costs.of(name)
    places = {
        "owner": table.owner is None,
        "last-read": -(table.last_read or date.min).toordinal(),
        "dependants": -(table.dependants or 0),
        "accesses": -_known(table.accesses, costs.accesses_per_month),
        "shallow": name.count("/"),
    }
    return (not table.pinned, *(places[by] for by in costs.keep), name)


def _config_error(error: ValidationError) -> ConfigError:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = sorted({*Costs.model_fields, *TableCosts.model_fields})
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(Costs.model_fields)}."
        return ConfigError("a cost file has known keys only", value=f"{where!r}", remedy=remedy)
    return ConfigError(
        f"`{where}`: {first['msg'].removeprefix('Value error, ')}",
        value=repr(first.get("input"))[:200],
        remedy="Change it in the cost file.",
    )
