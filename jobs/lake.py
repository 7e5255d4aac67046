"""A scan of a lake on an engine, from its folders to the output."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..pipeline.engine import Progress
from ..pipeline.state import WORK, make_folder, write_atomically
from .engine_options import EngineOptions

if TYPE_CHECKING:
    from ..pipeline.lake.options import Options


def scan_lake(
    lakes: Sequence[str],
    out: Path,
    options: "Options",
    on: EngineOptions,
    *,
    closure: bool = False,
    page: bool = True,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scan some lakes and write what is found; return what ``lake.json`` holds.

    Args:
        lakes: folders of tables.
        out: folder of the output, outside of the lakes; what an earlier scan left there saves reading.
        options: what counts as the same.
        on: what it runs on.
        closure: whether pairs are listed that follow from others.
        page: whether ``report.html`` is written.
        progress: told about steps.

    Raises:
        ConfigError: the output folder cannot be made.
        InputError: if a lake does not exist or holds no table.
        EngineError: if the engine fails.
    """
    from ..connectors.lake_tables import list_tables
    from ..pipeline.lake.memory import recall
    from ..pipeline.lake.outputs import write_scan
    from ..pipeline.lake.scan import scan
    from .engines import engine_on

    tables = list_tables(lakes)[0]
    work = out / WORK
    make_folder(work, of=out)
    engine = engine_on(on, work, progress)
    try:
        found = scan(engine, tables, options, memory=recall(out, options), progress=progress)
        engine.settle()  # its tables of rows become memory
        report = write_scan(found, options, list(lakes), out, work, closure=closure, page=page)
    finally:
        engine.close()
    shutil.rmtree(work)
    return report


def plan_lake(
    folder: Path, costs_file: str | None, *, allow_loss: bool = False, out: Path | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Plan which tables of a scan may go; return the plan, and globs of the cost file that match none.

    Args:
        folder: of the scan.
        costs_file: prices and what is known of tables; default: those of ``Costs``.
        allow_loss: whether tables are planned of which a rebuild does not give back everything.
        out: file for the plan; default: ``plan.json`` of the scan, whose page then shows it.

    Raises:
        ArtefactError: if there is no finished scan.
        ConfigError: if the cost file is wrong.
    """
    from ..connectors.storage import reached
    from ..pipeline.lake.costs import Costs, load_costs
    from ..pipeline.lake.found import read_found
    from ..pipeline.lake.journal import Journal
    from ..pipeline.lake.page import write_page
    from ..pipeline.lake.plan import PLAN, make_plan, plan_text

    scan = read_found(folder)
    known = load_costs(costs_file) if costs_file else Costs()
    made = make_plan(scan, known, allow_loss=allow_loss, done=Journal(folder).gone())
    path = out or folder / PLAN
    with reached(str(path)):
        write_atomically(path, plan_text(made))
    if out is None:
        write_page(folder, with_plan=True)
    return made, known.unmatched([table.table for table in scan.tables])
