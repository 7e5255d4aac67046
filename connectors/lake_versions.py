"""Whether tables of a lake are still at the version that was listed."""

from .delta_tables import delta_is_current
from .iceberg_tables import iceberg_is_current
from .lake_tables import LakeTable


def table_is_current(table: LakeTable) -> bool:
    """Whether a Delta or Iceberg table is still at the version, or snapshot, that was listed.

    A table of plain files has no version, and is called current: ``LakeTable.fingerprint`` of a new listing tells. So
    is one that could not be read when it was listed.

    Raises:
        InputError: if log or catalogue cannot be read any more.
    """
    if table.fault or table.kind == "files":
        return True
    if table.kind == "delta":
        return delta_is_current(table.location, table.snapshot)
    return iceberg_is_current(table.catalogued, table.snapshot)
