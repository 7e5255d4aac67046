"""Ids that must name one record each."""

from collections.abc import Sequence

import pyarrow as pa

from ..connectors.address import file_of, record_of
from ..connectors.formats import InputFile
from ..hashing.errors import InputError
from .counted import counted
from .engine import Engine, Table


def check_ids(engine: Engine, rows: Table, files: Sequence[InputFile]) -> None:
    """Make sure that no two records have one id; those without an id do not count.

    Args:
        engine: what runs the verbs.
        rows: with id and address.
        files: all inputs.

    Raises:
        InputError: naming the first such id, and where it stands twice.
    """
    every = rows.select("id", "address")
    named = every.map(_with_id, every.schema)
    twice = named.first(by=["id"], order=["address"], n=1, at_least=2, size="count")
    found = twice.aggregate(by=[], ids=("count", "address"), first=("min", "address")).collect().to_pylist()[0]
    if not found["ids"]:
        return
    first = engine.table(pa.table({"address": pa.array([found["first"]], pa.int64())}))
    name = named.join(first, on=["address"]).collect()["id"][0].as_py()
    alike = named.join(engine.table(pa.table({"id": [name]})), on=["id"])
    places = sorted(alike.first(by=["id"], order=["address"], n=2).collect()["address"].to_pylist())
    where = " and ".join(files[file_of(place)].place(record_of(place)) for place in places)
    raise InputError(
        "an id names one record (`columns.unique`)",
        value=f"{name!r} is that of {where}; {counted(found['ids'], 'id is', 'ids are')} of several records",
        remedy="Mend the ids, or leave `unique` out: then records are told apart by their places.",
    )


def _with_id(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.filter(batch.column("id").is_valid())
