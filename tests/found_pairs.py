"""What a scan of a lake found, as names."""

from tamis.pipeline.lake.options import Options
from tamis.pipeline.lake.outputs import containment


def named(found):
    """Return (child, parent) of all pairs of tables of which one is inside the other."""
    groups = found.groups
    pairs = [(one, one) for one in range(len(groups.members))] + list(groups.closure())
    return {
        (found.tables[child].name, found.tables[parent].name)
        for one, other in pairs
        for child in groups.members[one]
        for parent in groups.members[other]
        if child != parent
    }


def containment_rows(found, options=None, **how):
    """Return the rows of ``containment.parquet``."""
    return [row for table in containment(found, options or Options(), **how) for row in table.to_pylist()]
